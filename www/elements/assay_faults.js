// @ts-check
/** @file Faults to put into the data on purpose: a slider each, which changes the recipe; the checks beside it then say what they see. */

import { html } from "lit";
import { app } from "../app.js";
import { AssayElement } from "./assay_element.js";

/** @import { StateKey } from "../store.js" */

/** Every fault as recipes name it, and what it does. @type {[string, string][]} */
export const FAULTS = [
  ["label flips", "training rows get another class"],
  ["duplicates", "training rows become copies of others"],
  ["leakage", "test rows become copies of training rows"],
  ["missing values", "rows lack values"],
  ["wrong scale", "rows are divided by 255"],
  ["noise", "rows get noise of half the range"],
  ["blur", "rows are blurred"],
  ["class drop", "rows of the last class go"],
  ["drift", "test rows get brighter"],
  ["stuck sensor", "rows repeat one value"],
];

/** A slider that is moved changes the recipe once it rests. */
const REST_MILLIS = 250;

export class AssayFaults extends AssayElement {
  /** @type {StateKey[]} */
  static follows = ["draft"];

  constructor() {
    super();
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    this.timer = undefined;
    /** What the sliders say, until the recipe does. @type {Record<string, number>|null} */
    this.moved = null;
  }

  /** @returns {Record<string, number>} */
  get faults() {
    return this.moved ?? this.state.draft?.recipe.data?.faults ?? {};
  }

  render() {
    const { faults } = this;
    const some = Object.keys(faults).length;
    return html`<details class="panel faults" ?open=${some > 0}>
      <summary><h2>Faults</h2><span class="soft">${some > 0 ? `${some} in the data on purpose` : "put some in on purpose, and see which checks fire and what a run's accuracy does"}</span></summary>
      <ul class="sliders">${FAULTS.map(([name, words]) => html`<li>${this.slider(name, words, faults[name] ?? 0)}</li>`)}</ul>
      <p class="row"><button type="button" class="small" ?disabled=${some === 0} @click=${this.clear}>Take all out</button>
        <span class="soft small">Which rows are touched follows from the recipe's seed. Data that fail a check need a reason in the recipe before they are run on.</span></p>
    </details>`;
  }

  /**
   * @param {string} name
   * @param {string} words
   * @param {number} share
   */
  slider(name, words, share) {
    const id = `fault-${name.replace(" ", "-")}`;
    const percent = Math.round(share * 100);
    return html`<label for=${id}>${name} <span class="soft small">${words}</span></label>
      <input id=${id} type="range" min="0" max="100" step="1" .value=${String(percent)} aria-valuetext=${`${percent} % of the rows`} @input=${(/** @type {Event} */ event) => this.move(name, Number(/** @type {HTMLInputElement} */ (event.target).value))}>
      <output for=${id}>${percent} %</output>`;
  }

  /** @param {string} name @param {number} percent */
  move(name, percent) {
    const { [name]: _, ...others } = this.faults;
    this.moved = percent > 0 ? { ...others, [name]: percent / 100 } : others;
    this.requestUpdate();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.put(), REST_MILLIS);
  }

  clear() {
    this.moved = {};
    this.put();
  }

  put() {
    const { faults } = this;
    this.moved = null;
    app.drafts.setField("data.faults", Object.keys(faults).length > 0 ? faults : "none");
    // At once: whoever goes to the experiment now takes its address, which has to be the recipe's.
    app.drafts.updateAddress();
    this.requestUpdate();
  }
}

customElements.define("assay-faults", AssayFaults);
