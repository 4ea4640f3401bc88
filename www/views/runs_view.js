// @ts-check
/** @file The Runs view: every run of the log in a table, with filter, baseline, selection and details. */

import { html } from "lit";
import { app } from "../app.js";
import { count } from "../figures.js";
import { attempt, deleteRuns, restoreRuns, saveCsv, saveJsonLines } from "../run_actions.js";
import { Deltas } from "../run_table/deltas.js";
import { parseFilter } from "../run_table/filter.js";
import { pipeline } from "../run_table/pipeline.js";
import { EMPTY, kept } from "../run_table/selection.js";
import { AssayElement } from "../elements/assay_element.js";
import { AssayLogImport } from "../elements/assay_log_import.js";
import "../elements/assay_log_storage.js";
import "../elements/assay_run_details.js";
import "../elements/assay_run_scatter.js";
import "../elements/assay_run_table.js";

/** @import { Context } from "../run_table/cells.js" */
/** @import { Column, Order } from "../run_table/columns.js" */
/** @import { Filter } from "../run_table/filter.js" */
/** @import { RunRow } from "../run_table/rows.js" */
/** @import { Selection } from "../run_table/selection.js" */
/** @import { StateKey } from "../store.js" */

/** What the person chose, kept while the page is open. */
const choices = {
  filter: "",
  /** @type {Order} */
  order: { key: "started", descending: true },
  every: false,
  deleted: false,
  /** @type {Selection} */
  selection: EMPTY,
};

/** Kept too, so that coming back to the view is quick. */
const make = pipeline();

/** @type {Deltas|undefined} */
let deltas;

export class AssayRunsView extends AssayElement {
  /** @type {StateKey[]} */
  static follows = ["runs", "annotations", "baseline", "route", "runsLoaded", "storage"];

  static properties = { compact: { state: true }, dropping: { state: true } };

  constructor() {
    super();
    this.compact = false;
    this.dropping = false;
    /** All rows, deleted ones too. @type {RunRow[]} */
    this.all = [];
    /** @type {RunRow[]} */
    this.shown = [];
    /** @type {Column[]} */
    this.columns = [];
    /** @type {Filter} */
    this.filter = parseFilter("");
    /** @type {Context} */
    this.context = { baseline: undefined, deltaOf: () => undefined };
    /** @type {string[]} */
    this.seen = [];
    this.opened = "";
    /** One for the empty view and the table, so that what came of an import stays when the first runs arrive. */
    this.importer = new AssayLogImport();
    deltas ??= new Deltas({ compare: app.wasm.compare, recordText: (digest) => app.log.recordText(digest) });
    this.deltas = deltas;
    this.compared = this.compared.bind(this);
  }

  connectedCallback() {
    super.connectedCallback();
    this.deltas.addEventListener("change", this.compared);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.deltas.removeEventListener("change", this.compared);
  }

  willUpdate() {
    const { runs, annotations, baseline } = this.state;
    const shown = make({ summaries: app.log.summaries, version: runs, annotations, baseline, fields: app.drafts.fields, ...choices });
    this.all = shown.all;
    this.filter = shown.filter;
    this.columns = shown.columns;
    if (shown.baseline !== this.context.baseline) {
      const base = shown.baseline;
      this.context = { baseline: base, deltaOf: (row) => (base ? this.deltas.get(base.digest, row.digest) : undefined) };
    }
    if (shown.rows === this.shown) return;
    this.shown = shown.rows;
    choices.selection = kept(choices.selection, this.shown.map(({ digest }) => digest));
  }

  /** Moves the keyboard into details that were just opened, and back. */
  updated() {
    const opened = this.state.route.view === "runs" ? (this.state.route.digests[0] ?? "") : "";
    if (opened === this.opened) return;
    const before = this.opened;
    this.opened = opened;
    if (opened) /** @type {any} */ (this.querySelector("assay-run-details"))?.focusHeading();
    else if (before) this.table?.focusRow(before);
  }

  /** @returns {import("../elements/assay_run_table.js").AssayRunTable|null} */
  get table() {
    return this.querySelector("assay-run-table");
  }

  render() {
    const [opened = ""] = this.state.route.digests;
    if (this.state.runsLoaded && this.all.length === 0) return this.empty();
    return html`<div
      class="runs-view stack"
      ?data-dropping=${this.dropping}
      ?data-details=${opened !== ""}
      @dragover=${this.onDrag}
      @dragleave=${() => (this.dropping = false)}
      @drop=${this.onDrop}
    >
      <div class="row spread runs-head">
        <h1>Runs</h1>
        <span class="soft" role="status">${this.countWords()}</span>
      </div>
      ${this.toolbar()}
      ${this.importer}
      ${this.selectionBar()}
      <div class="runs-body">
        <div class="runs-main stack">
          <assay-run-table
            .rows=${this.shown}
            .columns=${this.columns}
            .order=${choices.order}
            .selection=${choices.selection}
            .context=${this.context}
            .opened=${opened}
            @order=${(/** @type {CustomEvent<Order>} */ { detail }) => this.choose({ order: detail }, true)}
            @selection=${(/** @type {CustomEvent<Selection>} */ { detail }) => this.choose({ selection: detail })}
            @open=${(/** @type {CustomEvent<string>} */ { detail }) => app.router.go("runs", [detail])}
            @pin=${(/** @type {CustomEvent<string>} */ { detail }) => this.pin(detail)}
            @seen=${(/** @type {CustomEvent<string[]>} */ { detail }) => this.onSeen(detail)}
            @compact=${(/** @type {CustomEvent<boolean>} */ { detail }) => (this.compact = detail)}
          ></assay-run-table>
          ${this.state.runsLoaded && this.shown.length === 0 ? this.nothingFound() : ""}
        </div>
        ${opened ? html`<assay-run-details .digest=${opened} @close=${() => app.router.go("runs")}></assay-run-details>` : ""}
      </div>
      <assay-run-scatter .rows=${this.shown} .baseline=${this.context.baseline?.digest ?? ""}></assay-run-scatter>
      <assay-log-storage></assay-log-storage>
    </div>`;
  }

  countWords() {
    const all = choices.deleted || this.filter.asksDeleted ? this.all.length : this.state.runs.length;
    if (!this.state.runsLoaded) return "Reading the log …";
    if (this.shown.length === all) return `${count(all)} ${all === 1 ? "run" : "runs"}`;
    return `${count(this.shown.length)} of ${count(all)} runs`;
  }

  toolbar() {
    const { filter, every, deleted, order } = choices;
    return html`<div class="row runs-toolbar" role="search">
        <label class="runs-filter">
          <span class="visually-hidden">Filter runs</span>
          <input
            type="search"
            id="runs-filter"
            placeholder="Filter: words, status:stopped, accuracy>0.97   ( / )"
            autocomplete="off"
            spellcheck="false"
            aria-describedby="runs-filter-problems"
            aria-keyshortcuts="/"
            .value=${filter}
            @input=${(/** @type {Event} */ event) => this.choose({ filter: /** @type {HTMLInputElement} */ (event.target).value }, true)}
          />
        </label>
        <button type="button" @click=${() => this.importer.choose()}>Import …</button>
        ${this.compact
          ? html`<label class="row">Sort by
              <select @change=${(/** @type {Event} */ event) => this.choose({ order: this.orderFrom(/** @type {HTMLSelectElement} */ (event.target).value) }, true)}>
                ${this.columns.flatMap(({ key, label }) =>
                  [false, true].map((down) => html`<option value=${`${key} ${down}`} ?selected=${order.key === key && order.descending === down}>${key === "started" ? "Started" : label} ${down ? "↓" : "↑"}</option>`),
                )}
              </select>
            </label>`
          : ""}
        ${this.compact ? "" : html`<label class="check"><input type="checkbox" .checked=${every} @change=${() => this.choose({ every: !every })} /> All recipe columns</label>`}
        <label class="check"><input type="checkbox" .checked=${deleted} @change=${() => this.choose({ deleted: !deleted })} /> Show deleted</label>
      </div>
      <div id="runs-filter-problems" class="small" aria-live="polite">${this.filter.problems.map((problem) => html`<p data-tone="warn">${problem}</p>`)}</div>`;
  }

  /** @param {string} value */
  orderFrom(value) {
    const [key = "started", down] = value.split(" ");
    return { key, descending: down === "true" };
  }

  selectionBar() {
    const { selection } = choices;
    const digests = this.shown.filter(({ digest }) => selection.digests.has(digest)).map(({ digest }) => digest);
    const some = digests.length > 0;
    const taken = some ? digests : this.shown.map(({ digest }) => digest);
    const deleted = digests.filter((digest) => this.state.annotations[digest]?.deleted);
    const comparable = digests.length === 2;
    if (taken.length === 0) return "";
    return html`<div class="row selection-bar" role="group" aria-label="Actions on selected runs" ?data-some=${some}>
      <span class="selection-count">${some ? `${count(digests.length)} selected` : `All ${count(taken.length)} shown`}</span>
      ${some
        ? html`<button type="button" aria-disabled=${!comparable} title=${comparable ? "" : "Select two runs to compare them"} @click=${() => comparable && app.router.go("compare", digests)}>
            Compare${comparable ? "" : " (select two)"}
          </button>`
        : ""}
      <span class="row">
        Export
        <button type="button" aria-label="Export as JSON Lines" @click=${() => attempt(() => saveJsonLines(taken))}>JSON Lines</button>
        <button type="button" aria-label="Export as CSV" @click=${() => attempt(() => saveCsv(taken))}>CSV</button>
      </span>
      ${some && deleted.length < digests.length
        ? html`<button type="button" @click=${() => attempt(() => deleteRuns(digests.filter((digest) => !deleted.includes(digest))))}>Delete</button>`
        : ""}
      ${deleted.length > 0 ? html`<button type="button" @click=${() => attempt(() => restoreRuns(deleted))}>Restore</button>` : ""}
      ${some ? html`<button type="button" class="quiet" @click=${() => this.choose({ selection: EMPTY })}>Clear selection</button>` : ""}
    </div>`;
  }

  empty() {
    return html`<div class="runs-view stack" ?data-dropping=${this.dropping} @dragover=${this.onDrag} @dragleave=${() => (this.dropping = false)} @drop=${this.onDrop}>
      <h1>Runs</h1>
      <div class="empty">
        <p>
          Every run is kept here, in this browser only: its recipe, accuracy with interval, latency, size and digests. Here you sort and filter runs, pin one as
          the baseline, compare two on the same test images, and copy a link that checks itself.
        </p>
        <button type="button" class="primary" @click=${() => app.router.go("experiment")}>Make the first run</button>
        <p class="small">
          Have a log already? <button type="button" class="link" @click=${() => this.importer.choose()}>Import a JSON Lines file</button>, or
          drop it here.
        </p>
      </div>
      ${this.importer}
      ${this.state.storage.kind === "memory" ? html`<assay-log-storage></assay-log-storage>` : ""}
    </div>`;
  }

  nothingFound() {
    return html`<div class="empty">
      <p>
        No run matches this filter. Words are looked for in names, notes and recipes; <code>field:word</code> and <code>field&gt;number</code> in one field, such as
        <code>status:stopped</code>, <code>accuracy&gt;0.97</code>, <code>size&lt;50kB</code>, <code>optimizer:sgd</code>, <code>is:pinned</code>; a minus in front means not.
      </p>
      <button type="button" @click=${() => this.choose({ filter: "" }, true)}>Clear the filter</button>
    </div>`;
  }

  /**
   * @param {Partial<typeof choices>} change
   * @param {boolean} [toTop] whether other rows now come first
   */
  choose(change, toTop = false) {
    Object.assign(choices, change);
    this.requestUpdate();
    if (toTop) void this.updateComplete.then(() => this.table?.toTop());
  }

  /** @param {string} digest */
  pin(digest) {
    return attempt(() => app.log.pinBaseline(this.state.annotations[digest]?.pin ? null : digest));
  }

  /** @param {string[]} digests */
  onSeen(digests) {
    this.seen = digests;
    const { baseline } = this.context;
    if (baseline) void this.deltas.want(baseline.digest, digests);
  }

  /** Comparisons are there: rows look at them anew. */
  compared() {
    this.context = { ...this.context };
    if (this.table) this.table.context = this.context;
  }

  /** @param {DragEvent} event */
  onDrag(event) {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    this.dropping = true;
  }

  /** @param {DragEvent} event */
  onDrop(event) {
    event.preventDefault();
    this.dropping = false;
    this.importer.read(event.dataTransfer?.files[0]);
  }
}

customElements.define("assay-runs-view", AssayRunsView);
