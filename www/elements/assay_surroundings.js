// @ts-check
/** @file One line on where the page runs: engine, GPU or why not, cores, clock; and what the host's headers are missing. */

import { html } from "lit";
import { app } from "../app.js";
import { isCoarse } from "../surroundings.js";
import { AssayElement } from "./assay_element.js";

/** @import { StateKey } from "../store.js" */
/** @import { Surroundings } from "../surroundings.js" */

export class AssaySurroundings extends AssayElement {
  /** @type {StateKey[]} */
  static follows = ["surroundings"];

  render() {
    const { surroundings } = this.state;
    if (!surroundings) return "";
    const { cores, clockMicros } = surroundings;
    const clock = clockMicros >= 1000 ? `${Math.round(clockMicros / 1000)} ms` : `${clockMicros} µs`;
    return html`<p class="surroundings small soft" aria-label="Where this page runs">
      <span title="The exact engine: the same recipe gives the same weights, bit for bit">CPU</span>
      ${this.gpu(surroundings)}
      ${cores ? html`<span>${cores} ${cores === 1 ? "core" : "cores"}</span>` : ""}
      <span>
        ${isCoarse(surroundings)
          ? html`<button type="button" class="link small" title="The host sends no isolation headers" @click=${() => app.store.update({ dialog: "help" })}>${clock} clock, coarse: why?</button>`
          : `${clockMicros ? clock : "no"} clock`}
      </span>
    </p>`;
  }

  /** @param {Surroundings} surroundings */
  gpu({ adapter, adapterSlow, adapterMissing, gpuAdvice }) {
    if (adapter) {
      const title = adapterSlow ? "A processor that plays a GPU; far slower than the CPU engine" : "A recipe can ask for it; what it computes is checked against the CPU";
      return html`<span title=${title}>WebGPU: ${adapter}${adapterSlow ? ", software" : ""}</span>`;
    }
    return html`<span
      >WebGPU: ${adapterMissing}${gpuAdvice ? html`, <button type="button" class="link" aria-label="Why there is no GPU, and what to try" title=${gpuAdvice} @click=${() => app.store.update({ dialog: "help" })}>why?</button>` : ""}</span
    >`;
  }
}

customElements.define("assay-surroundings", AssaySurroundings);
