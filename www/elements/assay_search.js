// @ts-check
/** @file A search for a scheme for each layer within a budget: what may be spent, how far it is, the path that it took. The lab searches. */

import { html } from "lit";
import { app } from "../app.js";
import { bytes, millis, percent } from "../figures.js";
import { icon } from "../icons.js";
import { AssayElement } from "./assay_element.js";
import "./assay_pareto.js";

/** @import { Budget, SearchPoint } from "../variants.js" */
/** @import { StateKey } from "../store.js" */

/** @type {[keyof Budget, string, string, number][]} Field, label, unit, and how much of the budget one of the unit is. */
const FIELDS = [
  ["points", "Accuracy loss up to", "points", 1],
  ["bytes", "Size up to", "kB", 1000],
  ["millis", "p50 latency up to", "ms", 1],
];

export class AssaySearch extends AssayElement {
  /** @type {StateKey[]} */
  static follows = ["variants", "searched", "run", "sweep", "lab"];

  static properties = { digest: { type: String }, budget: { state: true } };

  constructor() {
    super();
    /** Of the record whose model is searched. */
    this.digest = "";
    /** What stands in the fields. @type {Budget} */
    this.budget = { points: 0.5 };
  }

  /** @param {Map<string, unknown>} changed */
  willUpdate(changed) {
    if (!changed.has("digest")) return;
    const kept = app.variants.keptSearch(this.digest);
    if (kept) this.budget = kept.budget;
  }

  render() {
    const { variants, searched } = this.state;
    const going = variants?.digest === this.digest && variants.kind === "search" ? variants : null;
    const kept = going ? null : app.variants.keptSearch(this.digest);
    const mine = searched?.digest === this.digest ? searched : null;
    const sure = Object.keys(this.budget).length > 0;
    const goesOn = kept && JSON.stringify(kept.budget) === JSON.stringify(this.budget);
    return html`<section class="panel stack" aria-labelledby="search-heading">
      <h2 id="search-heading">Search layer by layer</h2>
      <p class="small soft">Every layer starts as f32. Step by step, the layer that loses least for each byte saved goes to a smaller scheme. With a limit on size or latency the search stops once all limits are met; with accuracy alone it goes as far as that allows. Steps are judged on the validation images; the result is recorded with its accuracy on the test images.</p>
      <form class="row search-form" @submit=${this.onSubmit}>
        ${FIELDS.map(([field, label, unit, one]) => html`<label class="search-field"><span>${label}, ${unit}</span>
          <input type="number" min="0" step="any" inputmode="decimal" name=${field} placeholder="any" .value=${this.budget[field] === undefined ? "" : String((this.budget[field] ?? 0) / one)}
            ?disabled=${going !== null} @input=${(/** @type {Event} */ event) => this.set(field, one, event)} /></label>`)}
        ${this.action(going, !sure || variants !== null, goesOn ? `Go on after ${kept.points.length} points` : "Search")}
      </form>
      ${going ? html`<div><progress max="1" .value=${going.fraction} aria-label="The search"></progress><p class="small soft" role="status">${going.stage}</p></div>` : ""}
      ${mine && !going ? this.result(mine.path, mine.words, mine.found) : ""}
    </section>`;
  }

  /**
   * @param {SearchPoint[]} path
   * @param {string} words
   * @param {string|null} found
   */
  result(path, words, found) {
    const steps = path.map((point, index) => stepWords(path[index - 1], point));
    return html`<p role="status">${found ? html`${icon("complete")} Found and recorded: ` : html`${icon("unclear")} `}${words}.${found ? html` <a href=${`#/microscope/${found}`}>Microscope</a>` : ""}</p>
      ${path.length > 1
        ? html`<assay-pareto name="assay-search" label="The path, accuracy on the validation images" .points=${path.map((point, index) => ({
              label: steps[index] ?? "",
              pinned: index === path.length - 1,
              accuracy: point.correct / point.rows,
              accuracyLow: point.low,
              accuracyHigh: point.high,
              p50Millis: point.p50Millis,
              p50LowMillis: point.p50Millis,
              p50HighMillis: point.p50Millis,
              weightBytes: point.bytes,
            }))}></assay-pareto>
            <div class="scroll" tabindex="0" role="group" aria-label="Table of the path">
              <table class="search-path">
                <thead><tr><th scope="col">Step</th><th scope="col" class="number">Validation accuracy</th><th scope="col" class="number">Size</th><th scope="col" class="number">p50</th></tr></thead>
                <tbody>
                  ${path.map((point, index) => html`<tr><th scope="row">${steps[index]}</th><td class="number">${percent(point.correct / point.rows)}</td><td class="number">${bytes(point.bytes)}</td><td class="number">${millis(point.p50Millis)}</td></tr>`)}
                </tbody>
              </table>
            </div>`
        : ""}`;
  }

  /**
   * @param {keyof Budget} field
   * @param {number} one
   * @param {Event} event
   */
  set(field, one, event) {
    const { value, valueAsNumber } = /** @type {HTMLInputElement} */ (event.target);
    const { [field]: _, ...rest } = this.budget;
    this.budget = value === "" || !(valueAsNumber >= 0) ? rest : { ...rest, [field]: valueAsNumber * one };
  }

  /**
   * One button for both ways, so that the keyboard's focus stays on it.
   * @param {import("../store.js").VariantsState|null} going
   * @param {boolean} refused
   * @param {string} words
   */
  action(going, refused, words) {
    const disabled = going ? going.stopping : refused;
    return html`<button type="submit" aria-disabled=${disabled}>${going ? html`${icon("stopped")} ${going.stopping ? "Stopping …" : "Stop"}` : words}</button>`;
  }

  /** @param {Event} event */
  onSubmit(event) {
    event.preventDefault();
    const { variants } = this.state;
    if (variants?.digest === this.digest && variants.kind === "search") return variants.stopping ? undefined : app.variants.stop();
    if (variants) return;
    // In one order, so that the same budget is known again.
    const budget = Object.fromEntries(FIELDS.flatMap(([field]) => (this.budget[field] === undefined ? [] : [[field, this.budget[field]]])));
    this.budget = budget;
    if (Object.keys(budget).length > 0) void app.variants.search(this.digest, budget);
  }
}

/**
 * @param {SearchPoint|undefined} before
 * @param {SearchPoint} point
 * @returns {string} which layer gave way
 */
export function stepWords(before, point) {
  if (!before) return "f32";
  return Object.entries(point.layers)
    .filter(([layer, scheme]) => before.layers[layer] !== scheme)
    .map(([layer, scheme]) => `${layer} → ${scheme}`)
    .join(", ");
}

customElements.define("assay-search", AssaySearch);
