// @ts-check
/** @file The Data view: what the recipe's set is, how it is split, what checks find, and its rows, which can be looked at and edited. */

import { html } from "lit";
import { announce } from "../announcer.js";
import { app } from "../app.js";
import { count } from "../figures.js";
import { lastAnswers } from "../last_answers.js";
import { errorFrom } from "../page_wasm.js";
import { dataKey, pictures, rowsKey } from "../pictures.js";
import * as change from "../set_edits.js";
import { AssayElement } from "../elements/assay_element.js";
import "../elements/assay_class_counts.js";
import "../elements/assay_digest.js";
import "../elements/assay_edit_bar.js";
import "../elements/assay_edits.js";
import "../elements/assay_faults.js";
import "../elements/assay_file_asked.js";
import "../elements/assay_findings.js";
import "../elements/assay_image_grid.js";
import "../elements/assay_own_files.js";

/** @import { Wanted } from "../elements/assay_edit_bar.js" */
/** @import { Item } from "../elements/assay_image_grid.js" */
/** @import { Choice, Edit, Edits } from "../set_edits.js" */
/** @import { DatasetSummary, Finding, Findings, Recipe, RunRecord } from "../types.js" */
/** @import { StateKey } from "../store.js" */

export class AssayDataView extends AssayElement {
  /** @type {StateKey[]} */
  static follows = ["draft", "lab", "ownFiles", "runs"];

  static properties = { summary: { state: true }, problem: { state: true }, chosen: { state: true }, of: { state: true }, findings: { state: true }, stage: { state: true }, selected: { state: true }, answers: { state: true }, refused: { state: true } };

  constructor() {
    super();
    /** @type {DatasetSummary|null} */
    this.summary = null;
    this.problem = "";
    /** Which rows are shown, a {@link Choice}. */
    this.chosen = "train";
    /** Class index, or -1 for all. */
    this.of = -1;
    this.askedFor = "";
    /** @type {Findings|null} */
    this.findings = null;
    /** What is going on, in words, or empty. */
    this.stage = "";
    /** Rows that are selected. @type {ReadonlySet<number>} */
    this.selected = new Set();
    /** Of the last run on this set. @type {RunRecord["predictions"]} */
    this.answers = undefined;
    /** Of which set and log `answers` are. */
    this.answersOf = "";
    /** Why an edit was not made, or empty. */
    this.refused = "";
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
    void this.findAnswers(recipe);
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
      const same = this.recipe !== null && rowsKey(this.recipe) === rowsKey(recipe);
      if (!same) Object.assign(this, { findings: null, chosen: "train", selected: new Set() });
      Object.assign(this, { summary, recipe, problem: "", stage: "checking the data …" });
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

  /** @returns {Edits} */
  get edits() {
    return this.state.draft?.recipe.data?.edits ?? {};
  }

  /** @param {Recipe} recipe */
  async findAnswers(recipe) {
    const { runs } = this.state;
    const of = `${rowsKey(recipe)} ${runs[0]?.digest} ${runs.length}`;
    if (of === this.answersOf) return;
    this.answersOf = of;
    try {
      const answers = await lastAnswers(app, runs, recipe);
      if (of === this.answersOf) this.answers = answers;
    } catch (error) {
      // Without them the view shows all but what a model got wrong.
      console.error(error);
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
    const { edits } = this;
    const all = change.choices(summary, this.findings, this.answers, edits);
    const choice = all.find(({ id }) => id === this.chosen) ?? all[0];
    const before = change.labelsBefore(recipe?.data?.edits ?? {}, summary);
    const items = this.items(summary, choice, before);
    // What is not shown is not edited.
    const selected = new Set(items.map(({ row }) => row).filter((row) => this.selected.has(row)));
    const isNow = dataKey(recipe ?? {}) === dataKey(this.state.draft?.recipe ?? {});
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
      <assay-edits .edits=${edits} .classes=${classes} .labelBefore=${before} .version=${isNow ? summary : null}
        @undo=${(/** @type {CustomEvent<Edit>} */ { detail }) => this.put(change.undo(edits, detail), `Undone: ${detail.words}.`)}
        @undo-all=${() => this.put({}, "All edits are undone.")}></assay-edits>
      <section class="panel stack samples" aria-label=${many}>
        <h2 tabindex="-1">${many}</h2>
        ${choice?.id.startsWith("check ") ? html`<p>Rows that <strong>${choice.label}</strong> names.</p>` : ""}
        <div class="row">
          <label class="row">Rows
            <select class="rows-chooser" @change=${(/** @type {Event} */ event) => this.choose(/** @type {HTMLSelectElement} */ (event.target).value)}>
              ${[...new Set(all.map(({ group }) => group))].map((group) => html`<optgroup label=${group}>
                ${all.filter((it) => it.group === group).map(({ id, label, rows }) => html`<option value=${id} .selected=${id === choice?.id}>${label} (${count(rows.length)})</option>`)}
              </optgroup>`)}
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
        <assay-edit-bar .selected=${selected.size} .shown=${items.length} .classes=${classes} .slices=${Object.keys(edits.slices ?? {})} .suggests=${(choice?.suggested?.length ?? 0) > 0} .dropped=${choice?.id === "dropped"}
          .refused=${recipe?.data?.faults?.["class drop"] ? "While the fault “class drop” takes rows away, rows cannot be edited: their numbers change." : ""}
          @edit=${(/** @type {CustomEvent<Wanted>} */ { detail }) => this.edit(detail, selected, choice, before)}
          @all=${() => (this.selected = new Set(items.map(({ row }) => row)))} @none=${() => (this.selected = new Set())}></assay-edit-bar>
        ${this.refused ? html`<p role="alert" data-tone="bad">${this.refused}</p>` : ""}
        <assay-image-grid .recipe=${recipe} .items=${items} .label=${`${many}: ${choice?.label}`} .size=${height === 1 ? 24 : 96} pickable .selected=${selected}
          @pick=${(/** @type {CustomEvent<number>} */ { detail }) => this.toggle(detail)}
          @mark=${(/** @type {CustomEvent<number[]>} */ { detail }) => (this.selected = new Set([...selected, ...detail]))}></assay-image-grid>
      </section>`;
  }

  stop() {
    app.lab.command({ type: "stop", target: this.underway }).done.catch(() => {});
  }

  /** @param {string} id */
  choose(id) {
    Object.assign(this, { chosen: id, selected: new Set(), refused: "" });
  }

  /** @param {number} row */
  toggle(row) {
    const selected = new Set(this.selected);
    if (!selected.delete(row)) selected.add(row);
    this.selected = selected;
  }

  /**
   * @param {Wanted} wanted
   * @param {ReadonlySet<number>} selected
   * @param {Choice|undefined} choice
   * @param {(row: number) => number|undefined} before
   */
  edit(wanted, selected, choice, before) {
    const { edits } = this;
    const rows = `${count(selected.size)} row${selected.size === 1 ? "" : "s"}`;
    if (wanted.kind === "drop") return this.put(change.drop(edits, selected), `Dropped ${rows}.`);
    if (wanted.kind === "back") return this.put(change.takeBack(edits, selected), `Took back ${rows}.`);
    if (wanted.kind === "slice") return this.put(change.slice(edits, selected, wanted.name), `Added ${rows} to the slice ${wanted.name}.`);
    if (wanted.kind === "label") return this.put(change.relabel(edits, selected, () => wanted.to, before), `Changed the label of ${rows}.`);
    const suggested = new Map(choice?.rows.map((row, index) => [row, choice.suggested?.[index]]));
    const known = [...selected].filter((row) => suggested.get(row) !== undefined);
    return this.put(change.relabel(edits, known, (row) => suggested.get(row) ?? 0, before), `Changed the label of ${rows} as suggested.`);
  }

  /**
   * Makes the recipe say what is edited; the summary and the checks follow.
   * @param {Edits} edits
   * @param {string} words
   */
  put(edits, words) {
    this.refused = change.problemOf(edits);
    if (this.refused) return;
    app.drafts.setField("data.edits", edits);
    // At once: whoever goes to the experiment now takes its address, which has to be the recipe's.
    app.drafts.updateAddress();
    this.selected = new Set();
    announce(words, true);
  }

  /** @param {Finding} finding */
  async show(finding) {
    this.choose(`check ${finding.check}`);
    this.of = -1;
    await this.updateComplete;
    /** @type {HTMLElement|null} */ (this.querySelector(".samples h2"))?.focus();
  }

  /**
   * @param {DatasetSummary} summary
   * @param {Choice|undefined} choice
   * @param {(row: number) => number|undefined} before
   * @returns {Item[]}
   */
  items({ classes, labels }, choice, before) {
    const named = (/** @type {number|undefined} */ index) => classes[index ?? -1] ?? "?";
    const answered = choice?.id === "wrong" ? new Map(this.answers?.rows.map((row, index) => [row, this.answers?.predicted[index]])) : null;
    const suggested = choice?.suggested ? new Map(choice.rows.map((row, index) => [row, choice.suggested?.[index]])) : null;
    return (choice?.rows ?? [])
      .filter((row) => this.of < 0 || labels[row] === this.of)
      .map((row) => {
        const label = named(labels[row]);
        const old = named(before(row));
        const more = [
          ...(old === label ? [] : [`was ${old}`]),
          ...(answered ? [`answer ${named(answered.get(row))}`] : []),
          ...(suggested ? [`rather ${named(suggested.get(row))}`] : []),
        ];
        return { row, name: [`row ${row}, a ${label}`, ...more].join(", "), caption: html`<span>${label}</span>${more.map((words) => html`<span class="soft">${words}</span>`)}` };
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
