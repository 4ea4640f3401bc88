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

/** @type {[string, string][]} */
const AXES = [
  ["latency", "p50 latency"],
  ["size", "Size"],
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
    return this.rows
      .filter(({ summary }) => summary.accuracy != null && (this.axis === "size" ? summary.weightBytes : summary.p50Millis) != null)
      .map(({ title, digest, summary }) => ({
        label: title,
        digest,
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
    return html`<details class="panel" @toggle=${(/** @type {Event} */ event) => (this.open = /** @type {HTMLDetailsElement} */ (event.target).open)}>
      <summary><h2 class="inline">Accuracy against cost</h2></summary>
      ${this.open
        ? html`<div class="stack">
            <fieldset class="row">
              <legend class="visually-hidden">Horizontal axis</legend>
              ${AXES.map(
                ([axis, label]) => html`<label class="check"><input type="radio" name="scatter-axis" .checked=${this.axis === axis} @change=${() => (this.axis = axis)} /> ${label}</label>`,
              )}
            </fieldset>
            ${this.problem ? html`<p data-tone="bad">${this.problem}</p>` : ""}
            ${this.chart ? html`<assay-chart .chart=${this.chart} .label=${`Accuracy against ${this.axis}, runs shown`} name=${`assay-accuracy-${this.axis}`}></assay-chart>` : ""}
          </div>`
        : ""}
    </details>`;
  }
}

customElements.define("assay-run-scatter", AssayRunScatter);
