// @ts-check
/** @file The images on which two runs answered differently, with both answers, page by page. */

import { html } from "lit";
import { icon } from "../icons.js";
import { AssayElement } from "./assay_element.js";
import "./assay_image_grid.js";

/** @import { Cell } from "./assay_confusion.js" */
/** @import { Item } from "./assay_image_grid.js" */
/** @import { RunRecord } from "../types.js" */

/** @typedef {{ answer: number, truth: number, confidence: number }} Answer */

const KINDS = /** @type {const} */ ([
  ["all", "all disagreements"],
  ["first", "right in A only"],
  ["second", "right in B only"],
  ["neither", "wrong in both"],
]);

/** Event: `clear` (CustomEvent that does not bubble), when all are wanted again. */
export class AssayDisagreements extends AssayElement {
  static properties = { records: { attribute: false }, rows: { attribute: false }, only: { attribute: false }, kind: { state: true } };

  constructor() {
    super();
    /** Two. @type {RunRecord[]} */
    this.records = [];
    /** Rows of the set on which they disagree. @type {number[]} */
    this.rows = [];
    /** Shows only rows in a cell of one run's confusion matrix. @type {{ side: number, cell: Cell }|null} */
    this.only = null;
    /** @type {typeof KINDS[number][0]} */
    this.kind = "all";
  }

  render() {
    const [a, b] = this.records.map(answersOf);
    const first = this.records[0];
    if (!a || !b || !first) return "";
    const classes = first.results.confusion?.classes ?? [];
    const rows = this.rows.filter((row) => this.wanted(a.get(row), b.get(row)));
    const only = this.only;
    return html`<div class="row">
        <label class="row">Show
          <select @change=${(/** @type {Event} */ event) => (this.kind = /** @type {any} */ (/** @type {HTMLSelectElement} */ (event.target).value))}>
            ${KINDS.map(([kind, label]) => html`<option value=${kind} ?selected=${kind === this.kind}>${label}</option>`)}
          </select>
        </label>
        ${only
          ? html`<button type="button" @click=${() => this.dispatchEvent(new CustomEvent("clear"))}>
              ${icon("wrong")} Only where ${only.side === 0 ? "A" : "B"} took a ${classes[only.cell.truth]} for a ${classes[only.cell.answer]}
            </button>`
          : ""}
        <span class="soft" role="status">${rows.length} of ${this.rows.length} images</span>
      </div>
      ${rows.length === 0
        ? html`<p class="soft">${this.rows.length === 0 ? "They give the same answer on every image." : "None of the disagreements is of this kind."}</p>`
        : html`<assay-image-grid .recipe=${first.recipe} .items=${rows.map((row) => this.item(row, a, b, classes))} label="Disagreements" .size=${24}></assay-image-grid>`}`;
  }

  /**
   * @param {Answer|undefined} a
   * @param {Answer|undefined} b
   */
  wanted(a, b) {
    if (!a || !b) return false;
    if (this.only) {
      const answer = this.only.side === 0 ? a : b;
      if (answer.truth !== this.only.cell.truth || answer.answer !== this.only.cell.answer) return false;
    }
    const rightA = a.answer === a.truth;
    const rightB = b.answer === b.truth;
    return this.kind === "all" || (this.kind === "first" && rightA) || (this.kind === "second" && rightB) || (this.kind === "neither" && !rightA && !rightB);
  }

  /**
   * @param {number} row
   * @param {Map<number, Answer>} a
   * @param {Map<number, Answer>} b
   * @param {string[]} classes
   * @returns {Item}
   */
  item(row, a, b, classes) {
    const answers = [a.get(row), b.get(row)];
    const truth = classes[answers[0]?.truth ?? 0] ?? "?";
    const words = answers.map((answer, side) => `${side === 0 ? "A" : "B"} says ${classes[answer?.answer ?? 0]}`).join(", ");
    return {
      row,
      name: `row ${row}, a ${truth}; ${words}`,
      caption: html`<span class="truth">row ${row}: a ${truth}</span>
        ${answers.map((answer, side) => {
          const right = answer?.answer === answer?.truth;
          return html`<span class="answer"
            ><span class="letter" data-side=${side}>${side === 0 ? "A" : "B"}</span> <strong>${classes[answer?.answer ?? 0]}</strong>
            <span data-tone=${right ? "good" : "bad"}>${icon(right ? "right" : "wrong")}<span class="visually-hidden">${right ? "right" : "wrong"}</span></span>
            <span class="soft">${Math.round((answer?.confidence ?? 0) * 100)}\u00a0%</span></span
          >`;
        })}`,
    };
  }
}

/**
 * @param {RunRecord} record
 * @returns {Map<number, Answer>}
 */
function answersOf({ predictions }) {
  return new Map(
    predictions?.rows.map((row, index) => [
      row,
      { answer: predictions.predicted[index] ?? 0, truth: predictions.labels[index] ?? 0, confidence: predictions.confidence[index] ?? 0 },
    ]),
  );
}

customElements.define("assay-disagreements", AssayDisagreements);
