// @ts-check
/** @file A chart with its text summary, its data-table twin, and saving as SVG and PNG; it draws nothing itself. */

import { html } from "lit";
import { saveFile } from "../save_file.js";
import { sizeOf, svgElement, svgFile } from "../svg.js";
import { AssayElement } from "./assay_element.js";

/** @import { PropertyValues } from "lit" */
/** @import { Chart } from "../types.js" */

/** Pixels of a saved PNG per unit of the SVG. */
const PNG_SCALE = 2;

let lastId = 0;

export class AssayChart extends AssayElement {
  static properties = {
    chart: { attribute: false },
    name: { type: String },
    label: { type: String },
    asTable: { state: true },
    problem: { state: true },
  };

  constructor() {
    super();
    /** What to show; drawn by its owner for the size and theme at hand. @type {Chart|null} */
    this.chart = null;
    /** Of saved files, without their ending. */
    this.name = "chart";
    /** What the chart is of, in a few words. */
    this.label = "";
    this.asTable = false;
    this.problem = "";
    this.summaryId = `chart-summary-${++lastId}`;
    /** @type {SVGSVGElement|null} */
    this.drawing = null;
  }

  /** @param {PropertyValues<this>} changed */
  willUpdate(changed) {
    if (!changed.has("chart") && !changed.has("label")) return;
    this.drawing = this.chart && svgElement(this.chart.svg);
    if (!this.drawing) return;
    this.drawing.setAttribute("role", "img");
    this.drawing.setAttribute("aria-label", this.label || "Chart");
    this.drawing.setAttribute("aria-describedby", this.summaryId);
  }

  render() {
    const { chart, drawing } = this;
    if (!chart) return html``;
    const table = this.asTable || !drawing;
    const name = this.label || "chart";
    return html`<figure class="chart">
      <div class="chart-head">
        ${this.label ? html`<span class="chart-label">${this.label}</span>` : html`<span></span>`}
        <span class="chart-tools" role="group" aria-label=${`${name}: show and save`}>
          <button type="button" class="quiet small" aria-pressed=${table} ?disabled=${!drawing} @click=${this.toggle}>Table</button>
          <button type="button" class="quiet small" ?disabled=${!drawing} aria-label=${`Save ${name} as SVG`} @click=${this.saveSvg}>SVG</button>
          <button type="button" class="quiet small" ?disabled=${!drawing} aria-label=${`Save ${name} as PNG`} @click=${this.savePng}>PNG</button>
        </span>
      </div>
      ${table ? this.table(chart) : html`<div class="chart-drawing">${drawing}</div>`}
      <figcaption id=${this.summaryId} class="small soft">${chart.summary}</figcaption>
      ${this.problem ? html`<p role="alert" class="small" data-tone="bad">${this.problem}</p>` : ""}
    </figure>`;
  }

  /** @param {Chart} chart */
  table({ columns, rows }) {
    return html`<div class="chart-table" tabindex="0" role="region" aria-label=${`${this.label || "Chart"} as a table`}>
      <table class="small">
        <thead>
          <tr>
            ${columns.map((column, index) => html`<th scope="col" class=${index > 0 ? "number" : ""}>${column}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            (row) => html`<tr>
              ${row.map((cell, index) => (index === 0 ? html`<th scope="row">${cell}</th>` : html`<td class="number">${cell}</td>`))}
            </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
  }

  toggle() {
    this.asTable = !this.asTable;
  }

  saveSvg() {
    if (this.drawing) saveFile(`${this.name}.svg`, [svgFile(this.drawing, this.background())], "image/svg+xml");
  }

  async savePng() {
    if (!this.drawing) return;
    const { width, height } = sizeOf(this.drawing);
    const address = URL.createObjectURL(new Blob([svgFile(this.drawing, this.background())], { type: "image/svg+xml" }));
    try {
      const image = new Image();
      image.src = address;
      await image.decode();
      const canvas = document.createElement("canvas");
      canvas.width = Math.round(width * PNG_SCALE);
      canvas.height = Math.round(height * PNG_SCALE);
      canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
      /** @type {Blob|null} */
      const png = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
      if (!png) throw new Error("no picture");
      saveFile(`${this.name}.png`, [png], "image/png");
      this.problem = "";
    } catch {
      this.problem = "This browser could not make a PNG of the chart. Save it as SVG instead.";
    } finally {
      URL.revokeObjectURL(address);
    }
  }

  /** Charts are drawn for what they stand on; a file has to bring it along. */
  background() {
    return getComputedStyle(this).getPropertyValue("--surface").trim() || "#ffffff";
  }
}

customElements.define("assay-chart", AssayChart);
