// @ts-check
/** @file The Data view: what the recipe's set is, how it is split, and samples of it. */

import { html } from "lit";
import { app } from "../app.js";
import { count } from "../figures.js";
import { errorFrom } from "../page_wasm.js";
import { pictures } from "../pictures.js";
import { AssayElement } from "../elements/assay_element.js";
import "../elements/assay_class_counts.js";
import "../elements/assay_digest.js";
import "../elements/assay_image_grid.js";

/** @import { Item } from "../elements/assay_image_grid.js" */
/** @import { DatasetSummary, Recipe } from "../types.js" */
/** @import { StateKey } from "../store.js" */

/** @type {readonly ("train"|"validation"|"test")[]} */
const PARTS = ["train", "validation", "test"];

export class AssayDataView extends AssayElement {
  /** @type {StateKey[]} */
  static follows = ["draft", "lab"];

  static properties = { summary: { state: true }, problem: { state: true }, chosenPart: { state: true }, of: { state: true } };

  constructor() {
    super();
    /** @type {DatasetSummary|null} */
    this.summary = null;
    this.problem = "";
    /** @type {"train"|"validation"|"test"} */
    this.chosenPart = "train";
    /** Class index, or -1 for all. */
    this.of = -1;
    this.askedFor = "";
  }

  willUpdate() {
    const recipe = this.state.draft?.recipe;
    if (!recipe) return;
    const askedFor = JSON.stringify([recipe.data, recipe.split, recipe.seed]);
    if (askedFor === this.askedFor) return;
    this.askedFor = askedFor;
    void this.ask(recipe);
  }

  /** @param {Recipe} recipe */
  async ask(recipe) {
    const { askedFor } = this;
    try {
      const summary = await pictures().summary(recipe);
      if (askedFor !== this.askedFor) return;
      this.summary = summary;
      this.problem = "";
    } catch (error) {
      this.problem = errorFrom(error).message;
    }
  }

  render() {
    const { summary } = this;
    return html`<div class="data-view stack">
      <h1>Data</h1>
      ${this.problem
        ? html`<div class="panel stack">
            <p role="alert" data-tone="bad">The set could not be read: ${this.problem}</p>
            <div><button type="button" @click=${() => app.router.go("experiment")}>Go to the recipe</button></div>
          </div>`
        : ""}
      ${summary ? this.body(summary) : this.problem ? "" : html`<p class="soft">Reading the set …</p>`}
    </div>`;
  }

  /** @param {DatasetSummary} summary */
  body(summary) {
    const { train, validation, test, shape, classes } = summary;
    const recipe = this.state.draft?.recipe;
    const total = train.length + validation.length + test.length;
    const items = this.items(summary);
    return html`<section class="panel stack" aria-label="About the set">
        <h2>${summary.title}</h2>
        <dl class="facts">
          <div><dt>Images</dt><dd>${count(total)} of ${shape[2]} × ${shape[1]} pixels, ${shape[0] === 1 ? "grey" : `${shape[0]} channels`}, ${count(classes.length)} classes</dd></div>
          <div><dt>Made by</dt><dd>${summary.attribution}</dd></div>
          <div><dt>Licence</dt><dd>${summary.licence}</dd></div>
          <div><dt>SHA-256</dt><dd><assay-digest .digest=${summary.sha256} label="data"></assay-digest></dd></div>
          <div><dt>Split</dt><dd>train ${count(train.length)}, validation ${count(validation.length)}, test ${count(test.length)}; by seed ${recipe?.seed ?? "?"}, class by class. <span class="soft">The shares and the seed are fields of the recipe.</span></dd></div>
        </dl>
      </section>
      <section class="panel stack" aria-label="Samples per class">
        <h2>Samples per class</h2>
        <assay-class-counts .classes=${classes} .counts=${summary.counts}></assay-class-counts>
      </section>
      <section class="panel stack" aria-label="Images">
        <h2>Images</h2>
        <div class="row">
          <label class="row">Part
            <select @change=${(/** @type {Event} */ event) => (this.chosenPart = /** @type {any} */ (/** @type {HTMLSelectElement} */ (event.target).value))}>
              ${PARTS.map((part) => html`<option value=${part} ?selected=${part === this.chosenPart}>${part}</option>`)}
            </select>
          </label>
          <label class="row">Class
            <select @change=${(/** @type {Event} */ event) => (this.of = Number(/** @type {HTMLSelectElement} */ (event.target).value))}>
              <option value="-1" ?selected=${this.of < 0}>all</option>
              ${classes.map((name, index) => html`<option value=${String(index)} ?selected=${this.of === index}>${name}</option>`)}
            </select>
          </label>
          <span class="soft" role="status">${count(items.length)} images</span>
        </div>
        <assay-image-grid .set=${summary.set} .items=${items} .label=${`Images: ${this.chosenPart}`} .size=${96}></assay-image-grid>
      </section>`;
  }

  /**
   * @param {DatasetSummary} summary
   * @returns {Item[]}
   */
  items(summary) {
    return summary[this.chosenPart]
      .filter((row) => this.of < 0 || summary.labels[row] === this.of)
      .map((row) => {
        const label = summary.classes[summary.labels[row] ?? 0] ?? "?";
        return { row, name: `row ${row}, a ${label}`, caption: label };
      });
  }
}

customElements.define("assay-data-view", AssayDataView);
