// @ts-check
/** @file Accuracy against size or latency of models, with what nothing beats joined; the chart is drawn by the module. */

import { html } from "lit";
import { app } from "../app.js";
import { errorFrom } from "../page_wasm.js";
import { AssayElement } from "./assay_element.js";
import "./assay_chart.js";

/** @import { PropertyValues } from "lit" */
/** @import { Chart } from "../types.js" */
/** @import { StateKey } from "../store.js" */

/**
 * @typedef {Object} ParetoPoint
 * @property {string} label
 * @property {boolean} pinned
 * @property {number|null|undefined} accuracy
 * @property {number|null|undefined} accuracyLow
 * @property {number|null|undefined} accuracyHigh
 * @property {number|null|undefined} p50Millis
 * @property {number|null|undefined} p50LowMillis
 * @property {number|null|undefined} p50HighMillis
 * @property {number|null|undefined} weightBytes
 */

/** What the horizontal axis may be, as the module names it, and what it is called. @type {[string, string][]} */
const AXES = [
  ["size", "size"],
  ["latency", "p50 latency"],
];
/** Height of the drawing, and its least and greatest width, pixels. */
const HEIGHT = 320;
const WIDTHS = [280, 960];

export class AssayPareto extends AssayElement {
  /** @type {StateKey[]} */
  static follows = ["theme"];

  static properties = { points: { attribute: false }, label: { type: String }, name: { type: String }, axis: { type: String }, width: { state: true } };

  constructor() {
    super();
    /** @type {ParetoPoint[]} */
    this.points = [];
    this.label = "Accuracy against cost";
    /** Of saved files and of the axes' buttons; one for each element of a page. */
    this.name = "assay-pareto";
    this.axis = "size";
    this.width = 0;
    this.problem = "";
    /** What is drawn, in the order of the chart's points. @type {ParetoPoint[]} */
    this.drawn = [];
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

  get isTimed() {
    return this.points.some(({ p50Millis }) => p50Millis != null);
  }

  /** @param {PropertyValues<this>} changed */
  willUpdate(changed) {
    if (this.axis === "latency" && !this.isTimed) this.axis = "size";
    if (this.width === 0) return;
    const from = `${this.state.theme} ${this.axis} ${this.width}`;
    if (!changed.has("points") && from === this.drawnFrom && this.chart) return;
    this.drawnFrom = from;
    this.drawn = this.points.filter((point) => point.accuracy != null && (this.axis === "size" ? point.weightBytes : point.p50Millis) != null);
    try {
      const [least, most] = WIDTHS;
      const points = this.drawn.map(({ label, pinned, accuracy, accuracyLow, accuracyHigh, p50Millis, p50LowMillis, p50HighMillis, weightBytes }) => ({
        label, pinned, accuracy, accuracyLow, accuracyHigh, p50Millis, p50LowMillis, p50HighMillis, weightBytes,
      }));
      this.chart = app.wasm.chartScatter(points, this.axis, this.state.theme, Math.min(most, Math.max(least, this.width)), HEIGHT);
      this.problem = "";
    } catch (error) {
      this.chart = null;
      this.problem = errorFrom(error).message;
    }
  }

  render() {
    return html`<div class="stack tight">
      ${this.isTimed
        ? html`<fieldset class="row">
            <legend class="visually-hidden">Horizontal axis</legend>
            ${AXES.map(([axis, name]) => html`<label class="check"><input type="radio" name=${`${this.name}-axis`} .checked=${this.axis === axis} @change=${() => (this.axis = axis)} /> ${name}</label>`)}
          </fieldset>`
        : ""}
      ${this.problem ? html`<p data-tone="bad">${this.problem}</p>` : ""}
      ${this.chart ? html`<assay-chart .chart=${this.chart} .label=${`${this.label}, ${AXES.find(([axis]) => axis === this.axis)?.[1]}`} name=${`${this.name}-${this.axis}`}></assay-chart>` : ""}
    </div>`;
  }
}

customElements.define("assay-pareto", AssayPareto);
