// @ts-check
/** @file The edits of a set one by one, each with Undo, and which version they make of which; it changes nothing itself. */

import { html } from "lit";
import { count } from "../figures.js";
import { editList, editWords } from "../set_edits.js";
import { AssayElement } from "./assay_element.js";
import "./assay_digest.js";

/** @import { Edit, Edits } from "../set_edits.js" */

/** Edits that are listed before the rest is asked for. */
const SHOWN = 50;

/** Events that do not bubble: `undo` (a CustomEvent of an {@link Edit}), `undo-all`. */
export class AssayEdits extends AssayElement {
  static properties = { edits: { attribute: false }, classes: { attribute: false }, labelBefore: { attribute: false }, version: { attribute: false }, all: { state: true } };

  constructor() {
    super();
    /** @type {Edits} */
    this.edits = {};
    /** @type {string[]} */
    this.classes = [];
    /** Which class a row had before any edit. @type {(row: number) => number|undefined} */
    this.labelBefore = () => undefined;
    /** Digests of this version and of the one that it derives from; null until they are known. @type {{ sha256: string, source?: string }|null} */
    this.version = null;
    this.all = false;
  }

  render() {
    const { version } = this;
    const list = editList(this.edits, this.classes, this.labelBefore);
    const words = editWords(this.edits);
    const shown = this.all ? list : list.slice(0, SHOWN);
    return html`<section class="panel stack edits" aria-label="Edits">
      <h2 tabindex="-1">Edits</h2>
      ${list.length === 0
        ? html`<p class="soft">None. Select rows below to correct labels, leave rows out or name a slice; that makes a new version of the set, and old runs stay tied to the old one.</p>`
        : html`<p>${words}.
              ${version?.source ? html`Version <assay-digest .digest=${version.sha256} label="data"></assay-digest> derives from <assay-digest .digest=${version.source} label="set that it derives from"></assay-digest>` : ""}</p>
            <p class="soft small">They are part of the recipe and of its link.</p>
            <ul class="edit-list">${shown.map((edit) => html`<li><span>${edit.words}</span> <button type="button" class="quiet small" aria-label=${`Undo: ${edit.words}`} @click=${() => this.undo(edit)}>Undo</button></li>`)}</ul>
            <p class="row">
              ${shown.length < list.length ? html`<button type="button" class="small" @click=${() => (this.all = true)}>Show all ${count(list.length)}</button>` : ""}
              <button type="button" class="small" @click=${() => this.undo(null)}>Undo all</button>
            </p>`}
    </section>`;
  }

  /** @param {Edit|null} edit null is all of them */
  undo(edit) {
    this.dispatchEvent(edit ? new CustomEvent("undo", { detail: edit }) : new CustomEvent("undo-all"));
    // The button that was pressed goes.
    /** @type {HTMLElement|null} */ (this.querySelector("h2"))?.focus();
  }
}

customElements.define("assay-edits", AssayEdits);
