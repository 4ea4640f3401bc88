// @ts-check
/** @file Accuracy against latency or size over all runs shown, not only those on screen; a point leads to its run. */

import { html } from "lit";
import { app } from "../app.js";
import { AssayElement } from "./assay_element.js";
import "./assay_pareto.js";

/** @import { RunRow } from "../run_table/rows.js" */
/** @import { AssayPareto } from "./assay_pareto.js" */

export class AssayRunScatter extends AssayElement {
  static properties = { rows: { attribute: false }, baseline: { type: String }, open: { state: true } };

  constructor() {
    super();
    /** @type {RunRow[]} */
    this.rows = [];
    /** Digest of the pinned run, or empty. */
    this.baseline = "";
    this.open = false;
    /** The points and what they were made from, so that nothing is drawn again for the same. @type {{ rows: RunRow[], baseline: string, points: any[] }} */
    this.made = { rows: [], baseline: "", points: [] };
  }

  points() {
    const { rows, baseline } = this;
    if (this.made.rows === rows && this.made.baseline === baseline) return this.made.points;
    const points = rows.filter(({ summary }) => summary.agrees !== false).map(({ title, digest, summary }) => ({ ...summary, label: title, pinned: digest === baseline, run: digest }));
    this.made = { rows, baseline, points };
    return points;
  }

  render() {
    const doubted = this.rows.filter(({ summary }) => summary.agrees === false).length;
    return html`<details class="panel" @toggle=${(/** @type {Event} */ event) => (this.open = /** @type {HTMLDetailsElement} */ (event.target).open)}>
      <summary><h2 class="inline">Accuracy against cost</h2></summary>
      ${this.open
        ? html`<div class="stack">
            ${doubted > 0 ? html`<p class="small soft">${doubted === 1 ? "1 run is" : `${doubted} runs are`} left out: the GPU disagrees with the CPU.</p>` : ""}
            <assay-pareto name="assay-accuracy" axis="latency" label="Accuracy against cost, all runs shown above" .points=${this.points()} @click=${this.onClick}></assay-pareto>
          </div>`
        : ""}
    </details>`;
  }

  /** A point is a way to its run; the table above is the other, for the keyboard. @param {MouseEvent} event */
  onClick(event) {
    const index = /** @type {Element} */ (event.target).closest("[data-index]")?.getAttribute("data-index");
    const drawn = /** @type {AssayPareto} */ (event.currentTarget).drawn;
    const point = index == null ? undefined : /** @type {any} */ (drawn[Number(index)]);
    if (point) app.router.go("runs", [point.run]);
  }
}

customElements.define("assay-run-scatter", AssayRunScatter);
