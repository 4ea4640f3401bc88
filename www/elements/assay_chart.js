// @ts-check
/** @file A chart with its text summary and its data-table twin. */

import { html } from "lit";
import { unsafeSVG } from "lit/directives/unsafe-svg.js";
import { AssayElement } from "./assay_element.js";

/** @import { Chart } from "../types.js" */

export class AssayChart extends AssayElement {
  static properties = { chart: { attribute: false }, name: { type: String } };

  constructor() {
    super();
    /** @type {Chart|null} */
    this.chart = null;
    this.name = "chart";
  }

  render() {
    if (!this.chart) return "";
    return html`<figure class="chart">
      <div role="img" aria-label=${this.chart.summary}>${unsafeSVG(this.chart.svg)}</div>
      <figcaption>${this.chart.summary}</figcaption>
    </figure>`;
  }
}

customElements.define("assay-chart", AssayChart);
