// @ts-check
/** @file One run in full: name and note, what was measured, charts, digests, and what one can do with it. */

import { html } from "lit";
import { app } from "../app.js";
import { when } from "../figures.js";
import { engineAsked, whyNoBaseline } from "../gpu_words.js";
import { icon, statusSign } from "../icons.js";
import { errorFrom } from "../page_wasm.js";
import * as actions from "../run_actions.js";
import { agreementPart, executed, paidOnce } from "../run_table/engine_facts.js";
import { digests, environment, factList, keptLayers, measured } from "../run_table/facts.js";
import { titleOf } from "../run_table/rows.js";
import { storedWeights } from "../stored_weights.js";
import "../views/play_panel.js";
import { AssayElement } from "./assay_element.js";
import "./assay_boards.js";
import "./assay_chart.js";
import "./assay_copy_link.js";
import "./assay_findings.js";

/** @import { PropertyValues } from "lit" */
/** @import { Chart, RunRecord } from "../types.js" */
/** @import { StateKey } from "../store.js" */

const { attempt } = actions;

/** Below this width loss and accuracy are drawn one above the other. */
const STACKED_WIDTH = 560;

/** Event: `close`, a CustomEvent that does not bubble. */
export class AssayRunDetails extends AssayElement {
  /** @type {StateKey[]} */
  static follows = ["annotations", "interrupted", "theme", "runs", "run"];

  static properties = {
    digest: { type: String },
    text: { state: true },
    problem: { state: true },
    hasWeights: { state: true },
    playing: { state: true },
    width: { state: true },
  };

  constructor() {
    super();
    /** Of the record to show. */
    this.digest = "";
    /** Of the record, once it is read. @type {string|null} */
    this.text = null;
    this.problem = "";
    this.hasWeights = false;
    this.playing = false;
    this.width = 0;
    /** @type {{ record: RunRecord, altered: boolean }|null} */
    this.read = null;
    /** Charts as drawn, by what decides them. @type {Map<string, Chart>} */
    this.charts = new Map();
    this.resized = new ResizeObserver(([entry]) => (this.width = Math.floor(entry?.contentRect.width ?? 0)));
  }

  connectedCallback() {
    super.connectedCallback();
    this.resized.observe(this);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.resized.disconnect();
  }

  /** @param {PropertyValues<this>} changed */
  willUpdate(changed) {
    if (changed.has("digest")) void this.load();
  }

  async load() {
    const { digest } = this;
    this.text = null;
    this.read = null;
    this.problem = "";
    this.playing = false;
    this.charts.clear();
    const text = await app.log.recordText(digest);
    if (digest !== this.digest) return;
    if (text === null) {
      this.problem = "This run is not in the log of this browser. It may be in another browser's log: export it there and import it here.";
      return;
    }
    try {
      this.read = app.wasm.readRecord(text);
    } catch (error) {
      this.problem = errorFrom(error).message;
      return;
    }
    const weights = this.read.record.digests.weights;
    this.text = text;
    this.hasWeights = weights !== "" && (await storedWeights(app.log.db)).has(weights);
  }

  /** Puts the keyboard on the heading. */
  focusHeading() {
    void this.updateComplete.then(() => this.querySelector("h2")?.focus());
  }

  render() {
    const summary = app.log.summaries.get(this.digest);
    const added = this.state.annotations[this.digest] ?? {};
    const title = added.name || (summary ? titleOf(summary) : "Run");
    return html`<section class="run-details panel stack" aria-label=${`Run: ${title}`} @keydown=${this.onKey}>
      <div class="row spread details-head">
        <h2 tabindex="-1">${title}</h2>
        <button type="button" class="quiet" @click=${this.close}>${icon("wrong")} Close</button>
      </div>
      ${this.problem ? html`<p role="alert" data-tone="bad">${this.problem}</p>` : ""} ${this.read && this.text ? this.body(this.read, this.text) : ""}
    </section>`;
  }

  /**
   * @param {{ record: RunRecord, altered: boolean }} read
   * @param {string} text
   */
  body({ record, altered }, text) {
    const { digest } = this;
    const added = this.state.annotations[digest] ?? {};
    return html`
      <p class="row small">${statusSign(altered ? "altered" : record.status)} <span class="soft">${when(record.started)}</span></p>
      ${altered
        ? html`<p data-tone="bad">${icon("altered")} The digest of this record does not match its content: it was changed after it was written. Do not rely on its numbers.</p>`
        : ""}
      ${this.buttons(record, text)}
      <label class="written">Name
        <input type="text" maxlength="120" .value=${added.name ?? ""} placeholder="No name" @change=${(/** @type {Event} */ event) => this.annotate("name", event)} />
      </label>
      <label class="written">Note
        <textarea rows="2" maxlength="4000" .value=${added.note ?? ""} placeholder="What was tried, and why" @change=${(/** @type {Event} */ event) => this.annotate("note", event)}></textarea>
      </label>
      ${factList(measured(record))} ${keptLayers(record)} ${record.results.reading ? html`<assay-boards .record=${record}></assay-boards>` : ""} ${this.engines(record)} ${this.drawn(record, text)}
      ${record.findings
        ? html`<details ?open=${record.findings.findings.some(({ status }) => status !== "pass")}>
            <summary>Checks of the data</summary>
            <assay-findings .findings=${record.findings} brief></assay-findings>
            ${record.recipe.data.reason ? html`<p>Run anyway, because: ${record.recipe.data.reason}</p>` : ""}
          </details>`
        : ""}
      ${this.hasWeights && record.predictions
        ? html`<details @toggle=${(/** @type {Event} */ event) => (this.playing = /** @type {HTMLDetailsElement} */ (event.target).open)}>
            <summary>Try the model: test images and drawing</summary>
            ${this.playing ? html`<assay-play-panel .digest=${digest}></assay-play-panel>` : ""}
          </details>`
        : ""}
      <details>
        <summary>Recipe as JSON</summary>
        <pre class="json small" tabindex="0" aria-label="Recipe as JSON">${JSON.stringify(record.recipe, null, 2)}</pre>
      </details>
      <details open>
        <summary>Digests</summary>
        ${factList(digests(record))}
      </details>
      <details>
        <summary>Where it ran</summary>
        ${factList(environment(record))}
      </details>
    `;
  }

  /** On what it ran, where the CPU was not all that was asked for. @param {RunRecord} record */
  engines(record) {
    const { execution, agreement, breakdown } = record.results;
    if (!execution) return "";
    return html`<section class="stack tight" aria-labelledby="details-engines">
      <h3 id="details-engines">Engine</h3>
      ${factList([...executed(record), ...paidOnce(breakdown)])} ${agreementPart(agreement, record.predictions?.rows.length)}
    </section>`;
  }

  /**
   * @param {RunRecord} record
   * @param {string} text
   */
  buttons(record, text) {
    const { digest } = this;
    const added = this.state.annotations[digest] ?? {};
    const summary = app.log.summaries.get(digest);
    const checkpoint = actions.checkpointOf(digest);
    const isBaseline = this.state.baseline === digest;
    const refused = isBaseline ? "" : whyNoBaseline(summary);
    return html`<div class="row" role="group" aria-label="Actions on this run">
        ${checkpoint
          ? html`<button type="button" class="primary" @click=${() => this.resume(checkpoint.runId)}>Resume after epoch ${checkpoint.epoch}</button>`
          : ""}
        <button type="button" aria-pressed=${isBaseline} aria-disabled=${refused !== ""} title=${refused} @click=${() => refused || attempt(() => app.log.pinBaseline(isBaseline ? null : digest))}>
          ${icon(isBaseline ? "starred" : "star")} ${isBaseline ? "Baseline" : "Pin as baseline"}
        </button>
        <button type="button" @click=${() => attempt(() => actions.takeUpRecipe(text))}>Load into recipe</button>
        ${this.hasWeights && summary
          ? html`<button type="button" @click=${() => attempt(() => actions.saveWeights(summary))}>Download f32 weights</button>`
          : ""}
        ${record.status === "complete" && record.digests.weights !== ""
          ? html`<a href=${`#/variants/${digest}`}>Variants</a> <a href=${`#/microscope/${digest}`}>Microscope</a>`
          : ""}
        ${this.hasWeights && record.status === "complete"
          ? html`<button type="button" title="The stored weights; the file is read back and must give the same answers" @click=${() => actions.exportStored(record, "safetensors")}>Export stored weights</button>`
          : ""}
        ${added.deleted
          ? html`<button type="button" @click=${() => attempt(() => actions.restoreRuns([digest]))}>Restore</button>`
          : html`<button type="button" @click=${() => attempt(() => actions.deleteRuns([digest]))}>Delete</button>`}
      </div>
      ${refused ? html`<p class="small soft">${refused}</p>` : ""}
      ${record.results.accuracy ? html`<assay-copy-link .pack=${() => app.links.packRun(digest, "")}></assay-copy-link>` : ""}
      ${record.digests.weights !== "" && !this.hasWeights
        ? html`<p class="small soft">The weights of this run are not stored in this browser.${engineAsked(record.recipe) === "cpu" ? " Running its recipe again makes the same ones." : ""}</p>`
        : ""}
      ${record.status === "interrupted" && !checkpoint
        ? html`<p class="small soft">There is no checkpoint to resume from. “Load into recipe” and Run start it anew.</p>`
        : ""}
`;
  }

  /**
   * @param {RunRecord} record
   * @param {string} text
   */
  drawn(record, text) {
    // The panel's own padding and border.
    const width = Math.max(260, this.width - 34);
    const { results } = record;
    const name = `assay-${this.digest.slice(0, 8)}`;
    /** @type {[string, boolean, () => Chart][]} */
    const all = [
      ["Training curves", (results.training?.curve.length ?? 0) > 0, () => app.wasm.chartCurves([text], this.state.theme, width, width < STACKED_WIDTH ? 400 : 240)],
      ["Confusion matrix", Boolean(results.confusion), () => app.wasm.chartConfusion(text, this.state.theme, width, Math.min(width, 420))],
      ["Latency, every sample", Boolean(results.latency || results.throughput), () => app.wasm.chartLatency(text, this.state.theme, width, results.latency && results.throughput ? 320 : 180)],
    ];
    if (results.breakdown) all.push(["Time per row on both engines", true, () => app.wasm.chartEngines(text, this.state.theme, width, 280)]);
    if (this.width === 0) return "";
    return all
      .filter(([, there]) => there)
      .map(([label, , draw]) => html`<assay-chart .chart=${this.chartOf(`${label} ${width} ${this.state.theme}`, draw)} .label=${label} .name=${`${name}-${label.toLowerCase().replaceAll(/\W+/gu, "-")}`}></assay-chart>`);
  }

  /**
   * @param {string} key
   * @param {() => Chart} draw
   * @returns {Chart|null}
   */
  chartOf(key, draw) {
    const known = this.charts.get(key);
    if (known) return known;
    try {
      const chart = draw();
      this.charts.set(key, chart);
      return chart;
    } catch (error) {
      console.error(error);
      return null;
    }
  }

  /**
   * @param {"name"|"note"} field
   * @param {Event} event
   */
  annotate(field, event) {
    const { value } = /** @type {HTMLInputElement|HTMLTextAreaElement} */ (event.target);
    return attempt(() => app.log.annotate(this.digest, field, value.trim()));
  }

  /** Goes where the run can be watched. @param {string} runId */
  resume(runId) {
    app.router.go("experiment");
    return attempt(() => app.runs.resumeInterrupted(runId));
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    event.preventDefault();
    event.stopPropagation();
    /** @type {HTMLElement} */ (event.target).blur();
    this.close();
  }

  close() {
    this.dispatchEvent(new CustomEvent("close"));
  }
}

customElements.define("assay-run-details", AssayRunDetails);
