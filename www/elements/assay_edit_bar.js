// @ts-check
/** @file What can be done with selected rows of a set: another class, as suggested, drop, into a slice; it changes nothing itself. */

import { html } from "lit";
import { count } from "../figures.js";
import { MAX_NAME } from "../set_edits.js";
import { AssayElement } from "./assay_element.js";

/**
 * @typedef {{ kind: "label", to: number } | { kind: "suggested"|"drop"|"back" } | { kind: "slice", name: string }} Wanted
 */

/** Events that do not bubble: `edit` (a CustomEvent of {@link Wanted}), `all` and `none` (what is to be selected). */
export class AssayEditBar extends AssayElement {
  static properties = { selected: { type: Number }, shown: { type: Number }, classes: { attribute: false }, slices: { attribute: false }, suggests: { type: Boolean }, dropped: { type: Boolean }, refused: { type: String }, problem: { state: true } };

  constructor() {
    super();
    /** How many rows are selected, and how many there are to select. */
    this.selected = 0;
    this.shown = 0;
    /** @type {string[]} */
    this.classes = [];
    /** Names of slices that there are. @type {string[]} */
    this.slices = [];
    /** Whether there are suggestions for the rows that are shown. */
    this.suggests = false;
    /** Whether those are dropped rows. */
    this.dropped = false;
    /** Why nothing can be edited, or empty. */
    this.refused = "";
    this.problem = "";
  }

  render() {
    if (this.refused) return html`<p class="soft">${this.refused}</p>`;
    const act = (/** @type {string} */ label, /** @type {() => Wanted} */ wanted) => html`<button type="button" aria-disabled=${this.selected === 0} @click=${() => this.want(wanted)}>${label}</button>`;
    return html`<div class="edit-bar stack" role="group" aria-label="Edit the selected rows" @keydown=${this.onKey}>
      <div class="row">
        <span role="status"><strong>${count(this.selected)}</strong> selected</span>
        <button type="button" class="quiet small" aria-disabled=${this.shown === 0} @click=${() => this.dispatchEvent(new CustomEvent("all"))}>Select all ${count(this.shown)}</button>
        <button type="button" class="quiet small" aria-disabled=${this.selected === 0} @click=${() => this.dispatchEvent(new CustomEvent("none"))}>Select none</button>
        <span class="soft small">Click, or arrow keys and Space; with Shift all on the way.</span>
      </div>
      <div class="row">
        <label class="row">Label is wrong, it is
          <select class="right-class">${this.classes.map((name, index) => html`<option value=${String(index)}>${name}</option>`)}</select>
        </label>
        ${act("Change label", () => ({ kind: "label", to: Number(/** @type {HTMLSelectElement} */ (this.querySelector(".right-class")).value) }))}
        ${this.suggests ? act("Label as suggested", () => ({ kind: "suggested" })) : ""}
        ${this.dropped ? act("Take back", () => ({ kind: "back" })) : act("Drop", () => ({ kind: "drop" }))}
        <label class="row">Slice
          <input class="slice-name" type="text" list="slice-names" maxlength=${MAX_NAME} autocomplete="off">
        </label>
        <datalist id="slice-names">${this.slices.map((name) => html`<option value=${name}></option>`)}</datalist>
        ${act("Add to slice", () => ({ kind: "slice", name: this.sliceName() }))}
      </div>
      ${this.problem ? html`<p role="alert" data-tone="bad">${this.problem}</p>` : ""}
    </div>`;
  }

  sliceName() {
    return /** @type {HTMLInputElement} */ (this.querySelector(".slice-name")).value.trim();
  }

  /** @param {() => Wanted} wanted */
  want(wanted) {
    const detail = wanted();
    this.problem = this.selected === 0 ? "Select rows first: click pictures, or use the arrow keys and Space." : detail.kind === "slice" && detail.name === "" ? "Give the slice a name first." : "";
    if (this.problem) return;
    this.dispatchEvent(new CustomEvent("edit", { detail }));
  }

  /** Enter in the name adds to the slice. @param {KeyboardEvent} event */
  onKey(event) {
    if (event.key !== "Enter" || !(/** @type {HTMLElement} */ (event.target).matches(".slice-name"))) return;
    event.preventDefault();
    this.want(() => ({ kind: "slice", name: this.sliceName() }));
  }
}

customElements.define("assay-edit-bar", AssayEditBar);
