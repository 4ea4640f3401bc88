// @ts-check
/** @file Accuracy against latency or size over all runs shown, not only those on screen. */

import { html } from "lit";
import { app } from "../app.js";
import { errorFrom } from "../page_wasm.js";
import { AssayElement } from "./assay_element.js";
import "./assay_chart.js";

/** @import { PropertyValues } from "lit" */
/** @import { Chart } from "../types.js" */
/** @import { RunRow } from "../run_table/rows.js" */
/** @import { StateKey } from "../store.js" */

/** What the horizontal axis may be, as the module names it, and what it is called. @type {[string, string][]} */
const AXES = [
  ["latency", "p50 latency"],
  ["size", "size"],
];
/** Height of the drawing, pixels. */
const HEIGHT = 320;

export class AssayRunScatter extends AssayElement {
  /** @type {StateKey[]} */
  static follows = ["theme"];

  static properties = { rows: { attribute: false }, baseline: { type: String }, axis: { state: true }, open: { state: true }, width: { state: true } };

  constructor() {
    super();
    /** @type {RunRow[]} */
    this.rows = [];
    /** Digest of the pinned run, or empty. */
    this.baseline = "";
    this.axis = "latency";
    /** What was drawn, in the order of the chart's points. @type {RunRow[]} */
    this.drawn = [];
    this.open = false;
    this.width = 0;
    this.problem = "";
    /** @type {Chart|null} */
    this.chart = null;
    this.drawnFrom = "";
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
    if (!this.open || this.width === 0) return;
    const from = `${this.state.theme} ${this.axis} ${this.baseline} ${this.width}`;
    if (!changed.has("rows") && from === this.drawnFrom && this.chart) return;
    this.drawnFrom = from;
    try {
      this.chart = app.wasm.chartScatter(this.points(), this.axis, this.state.theme, Math.min(960, Math.max(280, this.width - 34)), HEIGHT);
      this.problem = "";
    } catch (error) {
      this.chart = null;
      this.problem = errorFrom(error).message;
    }
  }

  points() {
    this.drawn = this.rows.filter(({ summary }) => summary.agrees !== false && summary.accuracy != null && (this.axis === "size" ? summary.weightBytes : summary.p50Millis) != null);
    return this.drawn.map(({ title, digest, summary }) => ({
      label: title,
      pinned: digest === this.baseline,
      accuracy: summary.accuracy,
      accuracyLow: summary.accuracyLow,
      accuracyHigh: summary.accuracyHigh,
      p50Millis: summary.p50Millis,
      p50LowMillis: summary.p50LowMillis,
      p50HighMillis: summary.p50HighMillis,
      weightBytes: summary.weightBytes,
    }));
  }

  render() {
    const doubted = this.rows.filter(({ summary }) => summary.agrees === false).length;
    return html`<details class="panel" @toggle=${(/** @type {Event} */ event) => (this.open = /** @type {HTMLDetailsElement} */ (event.target).open)}>
      <summary><h2 class="inline">Accuracy against cost</h2></summary>
      ${this.open
        ? html`<div class="stack">
            <fieldset class="row">
              <legend class="visually-hidden">Horizontal axis</legend>
              ${AXES.map(
                ([axis, name]) => html`<label class="check"><input type="radio" name="scatter-axis" .checked=${this.axis === axis} @change=${() => (this.axis = axis)} /> ${name}</label>`,
              )}
            </fieldset>
            ${doubted > 0 ? html`<p class="small soft">${doubted === 1 ? "1 run is" : `${doubted} runs are`} left out: the GPU disagrees with the CPU.</p>` : ""}
            ${this.problem ? html`<p data-tone="bad">${this.problem}</p>` : ""}
            ${this.chart ? html`<assay-chart
                  .chart=${this.chart}
                  .label=${`Accuracy against ${this.axis === "size" ? "size" : "p50 latency"}, all runs shown above`}
                  name=${`assay-accuracy-${this.axis}`}
                  @click=${this.onClick}
                ></assay-chart>` : ""}
          </div>`
        : ""}
    </details>`;
  }

  /** A point is a way to its run; the table above is the other, for the keyboard. @param {MouseEvent} event */
  onClick(event) {
    const index = /** @type {Element} */ (event.target).closest("[data-index]")?.getAttribute("data-index");
    const row = index == null ? undefined : this.drawn[Number(index)];
    if (row) app.router.go("runs", [row.digest]);
  }
}

customElements.define("assay-run-scatter", AssayRunScatter);
