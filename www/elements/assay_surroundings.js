// @ts-check
/** @file One line on where the page runs: engine, WebGPU or why not, cores, clock; and what the host's headers are missing. */

import { html } from "lit";
import { AssayElement } from "./assay_element.js";

/** @import { StateKey } from "../store.js" */

/** A clock no finer than this is what browsers give pages whose host sends no isolation headers. */
const COARSE_MICROS = 50;

export class AssaySurroundings extends AssayElement {
  /** @type {StateKey[]} */
  static follows = ["surroundings"];

  render() {
    const { surroundings } = this.state;
    if (!surroundings) return "";
    const { adapter, adapterMissing, cores, clockMicros, isolated } = surroundings;
    const clock = clockMicros >= 1000 ? `${Math.round(clockMicros / 1000)} ms` : `${clockMicros} µs`;
    const coarse = !isolated && clockMicros >= COARSE_MICROS;
    return html`<p class="surroundings small soft" aria-label="Where this page runs">
      <span title="The exact engine: the same recipe gives the same weights, bit for bit">CPU</span>
      <span title="Detected only; the engine that uses it comes later">WebGPU: ${adapter || adapterMissing}</span>
      ${cores ? html`<span>${cores} ${cores === 1 ? "core" : "cores"}</span>` : ""}
      <span data-tone=${coarse ? "warn" : ""} title=${this.clockWords(coarse, isolated)}>${clockMicros ? clock : "no"} clock${coarse ? " (no isolation)" : ""}</span>
    </p>`;
  }

  /**
   * @param {boolean} coarse
   * @param {boolean} isolated
   */
  clockWords(coarse, isolated) {
    if (coarse) return "The host sends no COOP and COEP headers, so the browser makes the clock coarser; latencies are timed in groups of calls.";
    return isolated ? "The page is isolated, so the browser gives it its finest clock." : "Resolution of the browser's clock as measured.";
  }
}

customElements.define("assay-surroundings", AssaySurroundings);
