// @ts-check
/** @file The images whose answer changed when a model was stored: both answers, how sure each was, and which side was right. */

import { html } from "lit";
import { significant } from "../figures.js";
import { icon } from "../icons.js";
import { AssayElement } from "./assay_element.js";
import "./assay_image_grid.js";

/** @import { Flip } from "../damage.js" */
/** @import { Item } from "./assay_image_grid.js" */
/** @import { Recipe } from "../types.js" */

const KINDS = /** @type {const} */ ([
  ["all", "all changes"],
  ["lost", "right before only"],
  ["won", "right after only"],
  ["wrong", "wrong both times"],
]);

export class AssayFlips extends AssayElement {
  static properties = { flips: { attribute: false }, recipe: { attribute: false }, classes: { attribute: false }, kind: { state: true } };

  constructor() {
    super();
    /** @type {Flip[]} */
    this.flips = [];
    /** Of which set the rows are. @type {Recipe|null} */
    this.recipe = null;
    /** @type {string[]} */
    this.classes = [];
    /** @type {typeof KINDS[number][0]} */
    this.kind = "all";
  }

  render() {
    if (this.flips.length === 0) return html`<p>None: the stored model gives the same answer on every test image.</p>`;
    const shown = this.flips.filter((flip) => this.kind === "all" || kindOf(flip) === this.kind);
    return html`<div class="row">
        <label class="row">Show
          <select @change=${(/** @type {Event} */ event) => (this.kind = /** @type {any} */ (/** @type {HTMLSelectElement} */ (event.target).value))}>
            ${KINDS.map(([kind, label]) => html`<option value=${kind} ?selected=${kind === this.kind}>${label}</option>`)}
          </select>
        </label>
        <span class="soft" role="status">${shown.length} of ${this.flips.length} images</span>
      </div>
      <p class="small soft">Each answer with its margin: its score above the next one's. A small margin was close to tipping anyway.</p>
      ${shown.length === 0 ? html`<p class="soft">None of the changes is of this kind.</p>` : html`<assay-image-grid .recipe=${this.recipe} .items=${shown.map((flip) => this.item(flip))} label="Answers that changed" .size=${24}></assay-image-grid>`}`;
  }

  /** @param {Flip} flip @returns {Item} */
  item({ row, label, before, after, marginBefore, marginAfter }) {
    const name = (/** @type {number} */ index) => this.classes[index] ?? String(index);
    /** @type {[string, number, number][]} */
    const answers = [
      ["f32", before, marginBefore],
      ["stored", after, marginAfter],
    ];
    return {
      row,
      name: `row ${row}, ${name(label)}; f32 says ${name(before)}, stored says ${name(after)}`,
      caption: html`<span class="truth">row ${row}: ${name(label)}</span>
        ${answers.map(([side, answer, margin]) => html`<span class="answer"><span class="soft">${side}</span> <strong>${name(answer)}</strong>
          <span data-tone=${answer === label ? "good" : "bad"}>${icon(answer === label ? "right" : "wrong")}<span class="visually-hidden">${answer === label ? "right" : "wrong"}</span></span>
          <span class="soft">${typeof margin === "number" ? significant(margin, 2) : ""}</span></span>`)}`,
    };
  }
}

/** @param {Flip} flip */
function kindOf({ label, before, after }) {
  return before === label ? "lost" : after === label ? "won" : "wrong";
}

customElements.define("assay-flips", AssayFlips);
