// @ts-check
/** @file One line on where the page runs: engine, WebGPU or why not, cores, clock; and what the host's headers are missing. */

import { html } from "lit";
import { app } from "../app.js";
import { isCoarse } from "../surroundings.js";
import { AssayElement } from "./assay_element.js";

/** @import { StateKey } from "../store.js" */

export class AssaySurroundings extends AssayElement {
  /** @type {StateKey[]} */
  static follows = ["surroundings"];

  render() {
    const { surroundings } = this.state;
    if (!surroundings) return "";
    const { adapter, adapterMissing, cores, clockMicros } = surroundings;
    const clock = clockMicros >= 1000 ? `${Math.round(clockMicros / 1000)} ms` : `${clockMicros} µs`;
    return html`<p class="surroundings small soft" aria-label="Where this page runs">
      <span title="The exact engine: the same recipe gives the same weights, bit for bit">CPU</span>
      <span title="Detected only; the engine that uses it comes later">WebGPU: ${adapter || adapterMissing}</span>
      ${cores ? html`<span>${cores} ${cores === 1 ? "core" : "cores"}</span>` : ""}
      <span>
        ${isCoarse(surroundings)
          ? html`<button type="button" class="link small" title="The host sends no isolation headers" @click=${() => app.store.update({ dialog: "help" })}>${clock} clock, coarse: why?</button>`
          : `${clockMicros ? clock : "no"} clock`}
      </span>
    </p>`;
  }
}

customElements.define("assay-surroundings", AssaySurroundings);
