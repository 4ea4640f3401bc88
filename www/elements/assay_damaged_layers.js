// @ts-check
/** @file The layers of a stored model with their damage, the histograms of the chosen one, and a switch for each that sets it back to f32. */

import { html, nothing } from "lit";
import { histogramChart } from "../damage.js";
import { bytes, NONE, percent } from "../figures.js";
import { icon } from "../icons.js";
import { AssayElement } from "./assay_element.js";
import "./assay_chart.js";

/** @import { LayerDamage } from "../damage.js" */
/** @import { Cost } from "../types.js" */

/** A bar of this many decibels is full: that much is not told from exact by any answer. */
const FULL_DECIBELS = 60;

/** Event: `exact` (a CustomEvent that does not bubble; detail `{ layer, exact }`). */
export class AssayDamagedLayers extends AssayElement {
  static properties = { layers: { attribute: false }, cost: { attribute: false }, own: { attribute: false }, scheme: { type: String }, busy: { type: Boolean }, chosen: { state: true }, width: { state: true } };

  constructor() {
    super();
    /** The most damaged first. @type {LayerDamage[]} */
    this.layers = [];
    /** Of the model, where it says why a layer could not take its scheme. @type {Cost|null} */
    this.cost = null;
    /** Layers with a scheme of their own. @type {Record<string, string>} */
    this.own = {};
    /** Of all others. */
    this.scheme = "f32";
    this.busy = false;
    /** Layer whose histograms are shown; the first where it is none of them. */
    this.chosen = "";
    this.width = 0;
    /** Layer whose switch was pressed last, until its answer is here. */
    this.switched = "";
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

  updated() {
    if (this.busy || !this.switched) return;
    const name = `exact-${this.switched}`;
    this.switched = "";
    if (document.activeElement === document.body || this.contains(document.activeElement)) /** @type {HTMLElement|null} */ (this.querySelector(`input[name="${CSS.escape(name)}"]`))?.focus();
  }

  get shown() {
    return this.layers.find(({ layer }) => layer === this.chosen) ?? this.layers[0];
  }

  render() {
    const { shown } = this;
    if (!shown) return html`<p class="soft">The record names no layer.</p>`;
    const width = this.width > 720 ? Math.floor((this.width - 16) / 2) : this.width;
    return html`<div class="scroll" tabindex="0" role="group" aria-label="Table of layers">
        <table class="damaged-layers" @keydown=${this.onKey}>
          <thead>
            <tr>
              <th scope="col">Layer</th>
              <th scope="col" title="Set the layer back to f32; accuracy and size follow at once">f32</th>
              <th scope="col">Stored as</th>
              <th scope="col" title="Power of the layer's value over that of its error">SQNR</th>
              <th scope="col" class="number" title="Cosine of the layer's value before and after">Cosine</th>
              <th scope="col" class="number">Size</th>
              <th scope="col" class="number" title="Share of the stored model's time on the CPU, measured here">Time</th>
            </tr>
          </thead>
          <tbody>
            ${this.layers.map((layer) => this.line(layer, layer === shown))}
          </tbody>
        </table>
      </div>
      <div class="two" aria-live="polite">
        ${width > 0
          ? html`${shown.weights ? html`<assay-chart .chart=${histogramChart(shown.weights, "weights", width)} .label=${`Weights of ${shown.layer}`} name=${`assay-weights-${shown.layer}`}></assay-chart>` : html`<p class="soft small">${shown.scheme ? `The weights of ${shown.layer} are exact.` : `${shown.layer} has no weights.`}</p>`}
              <assay-chart .chart=${histogramChart(shown.activations, "values", width)} .label=${`Values of ${shown.layer}`} name=${`assay-values-${shown.layer}`}></assay-chart>`
          : ""}
      </div>`;
  }

  /**
   * @param {LayerDamage} layer
   * @param {boolean} isShown
   */
  line(layer, isShown) {
    const { sqnrDecibels: decibels } = layer;
    const why = this.cost?.layers.find(({ name }) => name === layer.layer)?.reason || layer.reason;
    const isExact = this.own[layer.layer] === "f32";
    const canSwitch = layer.scheme !== "" && (isExact || layer.scheme !== "f32");
    return html`<tr aria-current=${isShown ? "true" : "false"}>
      <th scope="row"><button type="button" class="text" aria-pressed=${isShown} @click=${() => (this.chosen = layer.layer)}>${layer.layer}</button></th>
      <td>${canSwitch ? html`<input type="checkbox" role="switch" name=${`exact-${layer.layer}`} aria-label=${`Keep ${layer.layer} in f32`} title=${`Keep ${layer.layer} in f32`} .checked=${isExact} aria-disabled=${this.busy} @change=${(/** @type {Event} */ event) => this.onSwitch(event, layer.layer, isExact)} />` : nothing}</td>
      <td>${layer.scheme || html`<span class="soft">no weights</span>`}${layer.arithmetic !== "f32" && layer.arithmetic !== layer.scheme ? html` <span class="soft small">· computed in ${layer.arithmetic}</span>` : ""}${why ? html`<span class="why small soft">${icon("altered")} ${why}</span>` : ""}</td>
      <td class="sqnr">${decibels === undefined
        ? html`<span class="soft">exact</span>`
        : html`<meter min="0" max=${FULL_DECIBELS} .value=${Math.max(0, Math.min(FULL_DECIBELS, decibels))} aria-hidden="true"></meter> <span class="number">${decibels.toFixed(1)}\u00a0dB</span>`}</td>
      <td class="number">${layer.cosine >= 1 ? "1" : layer.cosine.toFixed(4)}</td>
      <td class="number">${layer.f32Bytes > 0 ? html`${bytes(layer.bytes)}${layer.bytes === layer.f32Bytes ? "" : html` <span class="soft small">of ${bytes(layer.f32Bytes)}</span>`}` : NONE}</td>
      <td class="number">${percent(layer.timeShare)}</td>
    </tr>`;
  }

  /**
   * The switch stands as it stood until somebody agrees.
   * @param {Event} event
   * @param {string} layer
   * @param {boolean} isExact
   */
  onSwitch(event, layer, isExact) {
    /** @type {HTMLInputElement} */ (event.target).checked = isExact;
    if (this.busy) return;
    // Rows are in the order of damage and may change places: focus follows the layer.
    this.switched = layer;
    this.dispatchEvent(new CustomEvent("exact", { detail: { layer, exact: !isExact } }));
  }

  /** Arrow keys walk through the layers. @param {KeyboardEvent} event */
  onKey(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const buttons = /** @type {HTMLElement[]} */ ([...this.querySelectorAll("tbody button")]);
    const at = buttons.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    if (step === undefined || at < 0) return;
    event.preventDefault();
    const to = buttons[Math.min(buttons.length - 1, Math.max(0, at + step))];
    to?.focus();
    to?.click();
  }
}

customElements.define("assay-damaged-layers", AssayDamagedLayers);
