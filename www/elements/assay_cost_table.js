// @ts-check
/** @file What a planned model costs, counted before anything runs: totals, and layer by layer. */

import { html } from "lit";
import { bytes, count } from "../figures.js";
import { AssayElement } from "./assay_element.js";

/** @import { Cost, LayerCost } from "../types.js" */

export class AssayCostTable extends AssayElement {
  static properties = { cost: { attribute: false }, open: { type: Boolean } };

  constructor() {
    super();
    /** @type {Cost|null} */
    this.cost = null;
    this.open = false;
  }

  render() {
    const { cost } = this;
    if (!cost) return "";
    return html`<details class="panel cost" .open=${this.open}>
      <summary>
        <h2>Model</h2>
        <span class="soft">${count(cost.parameters)} parameters · ${compact(cost.macs)} MACs · ${bytes(cost.weight_bytes)}</span>
      </summary>
      <div class="scroll" tabindex="0" role="region" aria-label="Layers">
        <table class="small">
          <thead>
            <tr>
              <th scope="col">Layer</th>
              <th scope="col">What it is</th>
              <th scope="col" class="number">Output</th>
              <th scope="col" class="number">Parameters</th>
              <th scope="col" class="number">MACs</th>
              <th scope="col" class="number">Stored</th>
            </tr>
          </thead>
          <tbody>
            ${cost.layers.map((layer) => this.layer(layer))}
          </tbody>
          <tfoot>
            <tr>
              <th scope="row" colspan="3">One row: ${bytes(cost.activation_bytes)} of activations · training: ${compact(cost.training_macs)} MACs</th>
              <td class="number">${count(cost.parameters)}</td>
              <td class="number">${count(cost.macs)}</td>
              <td class="number">${bytes(cost.weight_bytes)}</td>
            </tr>
          </tfoot>
        </table>
      </div>
    </details>`;
  }

  /** @param {LayerCost} layer */
  layer({ name, kind, output, parameters, macs, bytes: stored, scheme, reason }) {
    return html`<tr class=${parameters ? "" : "soft"}>
      <th scope="row">${name}</th>
      <td>${kind}</td>
      <td class="number">${output.join("×")}</td>
      <td class="number">${parameters ? count(parameters) : ""}</td>
      <td class="number">${macs ? count(macs) : ""}</td>
      <td class="number">${stored ? html`${bytes(stored)} <span class="soft">${scheme}</span>` : ""}</td>
    </tr>
    ${reason ? html`<tr class="reason soft"><td colspan="6">${name} stays ${scheme}: ${reason}</td></tr>` : ""}`;
  }
}

/** @param {number} value */
function compact(value) {
  if (value >= 1e9) return `${(value / 1e9).toFixed(2)} G`;
  return value >= 1e6 ? `${(value / 1e6).toFixed(2)} M` : `${(value / 1e3).toFixed(1)} k`;
}

customElements.define("assay-cost-table", AssayCostTable);
