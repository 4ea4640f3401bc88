// @ts-check
/** @file The GPU went away under a run: says what happened and what is kept, and asks how to go on. On every view; it takes the focus once. */

import { html } from "lit";
import { app } from "../app.js";
import { choiceWords, lossWords } from "../gpu_words.js";
import { icon } from "../icons.js";
import { waitsForDecision } from "../live_run.js";
import { AssayElement } from "./assay_element.js";

/** @import { StateKey } from "../store.js" */

export class AssayGpuLost extends AssayElement {
  /** @type {StateKey[]} */
  static follows = ["run", "dialog"];

  constructor() {
    super();
    /** Whether the focus was brought here for the loss that is shown. */
    this.focused = false;
  }

  render() {
    const { run } = this.state;
    if (!run?.gpuLost || !waitsForDecision(run)) return "";
    const { gpuLost, engine } = run;
    const { smallerBatch } = gpuLost;
    return html`<section class="gpu-lost" role="alertdialog" aria-labelledby="gpu-lost-heading" aria-describedby="gpu-lost-words">
      <h2 id="gpu-lost-heading" class="status" data-tone="warn">${icon("altered")} The GPU cannot go on</h2>
      <p id="gpu-lost-words">${lossWords(gpuLost, engine)} ${choiceWords(gpuLost)}</p>
      <div class="row">
        <button type="button" class="primary" @click=${() => this.decide("cpu")}>Continue on the CPU</button>
        ${smallerBatch === null ? "" : html`<button type="button" @click=${() => this.decide("smaller batch")}>Retry at ${smallerBatch}</button>`}
        <button type="button" @click=${this.stop}>Stop and keep</button>
      </div>
    </section>`;
  }

  updated() {
    const button = this.querySelector("button");
    if (!button) this.focused = false;
    if (!button || this.focused || this.state.dialog !== null) return;
    this.focused = true;
    button.focus();
  }

  /** @param {"cpu"|"smaller batch"} choice */
  decide(choice) {
    app.runs.decide(choice);
    this.leave();
  }

  stop() {
    app.runs.stop();
    this.leave();
  }

  /** The button that had the focus is gone; what is going on is in the view. */
  leave() {
    document.querySelector("main")?.focus();
  }
}

customElements.define("assay-gpu-lost", AssayGpuLost);
