// @ts-check
/** @file Accuracy against size or latency of a few models, with what nothing beats joined; the chart is drawn by the module. */

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

/** @type {[string, string][]} */
const AXES = [
  ["size", "size"],
  ["latency", "latency"],
];
const HEIGHT = 300;

export class AssayPareto extends AssayElement {
  /** @type {StateKey[]} */
  static follows = ["theme"];

  static properties = { points: { attribute: false }, label: { type: String }, name: { type: String }, axis: { state: true }, width: { state: true } };

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

  get drawn() {
    return this.points.filter((point) => point.accuracy != null && (this.axis === "size" ? point.weightBytes : point.p50Millis) != null);
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
    try {
      this.chart = app.wasm.chartScatter(this.drawn, this.axis, this.state.theme, Math.min(720, Math.max(280, this.width)), HEIGHT);
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
      ${this.chart ? html`<assay-chart .chart=${this.chart} .label=${this.label} name=${`${this.name}-${this.axis}`}></assay-chart>` : ""}
    </div>`;
  }
}

customElements.define("assay-pareto", AssayPareto);
