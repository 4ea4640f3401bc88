// @ts-check
/** @file The Data view: what the recipe's set is, how it is split, and samples of it. */

import { html } from "lit";
import { app } from "../app.js";
import { count } from "../figures.js";
import { errorFrom } from "../page_wasm.js";
import { dataKey, pictures } from "../pictures.js";
import { AssayElement } from "../elements/assay_element.js";
import "../elements/assay_class_counts.js";
import "../elements/assay_digest.js";
import "../elements/assay_faults.js";
import "../elements/assay_file_asked.js";
import "../elements/assay_findings.js";
import "../elements/assay_image_grid.js";
import "../elements/assay_own_files.js";

/** @import { Item } from "../elements/assay_image_grid.js" */
/** @import { DatasetSummary, Finding, Findings, Recipe } from "../types.js" */
/** @import { StateKey } from "../store.js" */

/** @type {readonly ("train"|"validation"|"test")[]} */
const PARTS = ["train", "validation", "test"];

export class AssayDataView extends AssayElement {
  /** @type {StateKey[]} */
  static follows = ["draft", "lab", "ownFiles"];

  static properties = { summary: { state: true }, problem: { state: true }, chosenPart: { state: true }, of: { state: true }, findings: { state: true }, stage: { state: true }, only: { state: true } };

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
    /** @type {Findings|null} */
    this.findings = null;
    /** What is going on, in words, or empty. */
    this.stage = "";
    /** Whose examples are shown instead of a part. @type {Finding|null} */
    this.only = null;
    /** Of what `summary` tells. @type {Recipe|null} */
    this.recipe = null;
    /** Whether its file has to be opened first. */
    this.waits = false;
    /** Id of the command under way. */
    this.underway = 0;
  }

  willUpdate() {
    const recipe = this.state.draft?.recipe;
    if (!recipe) return;
    const { set, file = "" } = recipe.data ?? {};
    // A set of one's own waits for its file, which assay-file-asked asks for.
    this.waits = set === "own" && !this.state.ownFiles.includes(file);
    if (this.waits) return void Object.assign(this, { askedFor: "", summary: null, findings: null, problem: "", stage: "" });
    const askedFor = dataKey(recipe);
    if (askedFor === this.askedFor) return;
    this.askedFor = askedFor;
    if (this.underway) this.stop();
    void this.ask(recipe);
  }

  /** @param {Recipe} recipe */
  async ask(recipe) {
    const { askedFor } = this;
    try {
      const onStage = (/** @type {string} */ name, /** @type {number} */ fraction) => {
        if (askedFor === this.askedFor) this.stage = `${name} … ${Math.round(fraction * 100)} %`;
      };
      const summary = await pictures().summary(recipe, onStage, (id) => (this.underway = id));
      if (askedFor !== this.askedFor) return;
      Object.assign(this, { summary, recipe, problem: "", findings: null, only: null, stage: "checking the data …" });
      if (this.of >= summary.classes.length) this.of = -1;
      const checking = app.lab.command({ type: "check", recipe }, { onEvent: ({ name, fraction }) => onStage(name, fraction) });
      this.underway = checking.id;
      const findings = await checking.done;
      if (askedFor === this.askedFor) Object.assign(this, { findings, stage: "", underway: 0 });
    } catch (error) {
      if (askedFor !== this.askedFor) return;
      const { kind, message } = errorFrom(error);
      Object.assign(this, kind === "stopped" ? { stage: this.summary ? "The checks were stopped." : "Making the set was stopped.", underway: 0 } : { problem: message, stage: "", underway: 0 });
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
      <assay-file-asked></assay-file-asked>
      <assay-own-files></assay-own-files>
      ${summary ? this.body(summary) : this.problem || this.waits ? "" : html`<p class="row"><span class="soft" role="status">${this.stage || "Reading the set …"}</span>${this.underway ? html`<button type="button" class="quiet small" @click=${() => this.stop()}>Stop</button>` : ""}</p>`}
    </div>`;
  }

  /** @param {DatasetSummary} summary */
  body(summary) {
    const { train, validation, test, shape, classes } = summary;
    const { recipe } = this;
    const [many, form] = formOf(summary);
    const [, height] = shape;
    const total = train.length + validation.length + test.length;
    const items = this.items(summary);
    return html`<section class="panel stack" aria-label="About the set">
        <h2>${summary.title}</h2>
        <dl class="facts">
          <div><dt>${many}</dt><dd>${count(total)} of ${form}, ${count(classes.length)} classes</dd></div>
          ${summary.notes.length > 0 ? html`<div><dt>Read as</dt><dd>${summary.notes.map((note) => html`<p>${note}</p>`)}</dd></div>` : ""}
          <div><dt>Made by</dt><dd>${summary.attribution}</dd></div>
          <div><dt>Licence</dt><dd>${summary.licence}</dd></div>
          <div><dt>SHA-256</dt><dd><assay-digest .digest=${summary.sha256} label="data"></assay-digest></dd></div>
          <div><dt>Split</dt><dd>train ${count(train.length)}, validation ${count(validation.length)}, test ${count(test.length)}; by seed ${recipe?.seed ?? "?"}, ${summary.groups ? `whole ${summary.groups}s together` : "class by class"}. <span class="soft">The shares and the seed are fields of the recipe.</span></dd></div>
        </dl>
      </section>
      <assay-faults></assay-faults>
      <section class="panel stack" aria-label="Checks">
        <h2>Checks</h2>
        ${this.stage ? html`<p class="row"><span class="soft" role="status">${this.stage}</span>${this.underway ? html`<button type="button" class="quiet small" @click=${() => this.stop()}>Stop</button>` : ""}</p>` : ""}
        <assay-findings .findings=${this.findings} @examples=${(/** @type {CustomEvent<Finding>} */ { detail }) => this.show(detail)}></assay-findings>
      </section>
      <section class="panel stack" aria-label="Samples per class">
        <h2>Samples per class</h2>
        <assay-class-counts .classes=${classes} .counts=${summary.counts}></assay-class-counts>
      </section>
      <section class="panel stack samples" aria-label=${many}>
        <h2 tabindex="-1">${many}</h2>
        ${this.only ? html`<p class="row">Rows that <strong>${this.only.check}</strong> names. <button type="button" class="quiet small" @click=${() => (this.only = null)}>Show the parts again</button></p>` : ""}
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
          <span class="soft" role="status">${count(items.length)} ${many.toLowerCase()}</span>
        </div>
        <assay-image-grid .recipe=${recipe} .items=${items} .label=${`${many}: ${this.only ? this.only.check : this.chosenPart}`} .size=${height === 1 ? 24 : 96}></assay-image-grid>
      </section>`;
  }

  stop() {
    app.lab.command({ type: "stop", target: this.underway }).done.catch(() => {});
  }

  /** @param {Finding} finding */
  async show(finding) {
    this.only = finding;
    this.of = -1;
    await this.updateComplete;
    /** @type {HTMLElement|null} */ (this.querySelector(".samples h2"))?.focus();
  }

  /**
   * @param {DatasetSummary} summary
   * @returns {Item[]}
   */
  items(summary) {
    const rows = this.only ? (this.only.examples ?? []) : summary[this.chosenPart];
    return rows
      .filter((row) => this.of < 0 || summary.labels[row] === this.of)
      .map((row) => {
        const label = summary.classes[summary.labels[row] ?? 0] ?? "?";
        return { row, name: `row ${row}, a ${label}`, caption: label };
      });
  }
}

/**
 * What the rows of a set are, in words, and their form.
 * @param {DatasetSummary} summary
 * @returns {[string, string]}
 */
function formOf({ set, shape: [channels, height, width] }) {
  if (height === 1 && set === "own") return ["Rows", `${count(width)} numbers`];
  if (height === 1) return ["Signals", `${count(width)} numbers${channels === 1 ? "" : ` of ${channels} channels`}`];
  return ["Images", `${width} × ${height} pixels, ${channels === 1 ? "grey" : `${channels} channels`}`];
}

customElements.define("assay-data-view", AssayDataView);
