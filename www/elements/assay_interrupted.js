// @ts-check
/** @file Runs that were closed in the middle: each can go on from its last epoch, on the CPU to the very same digest, or be discarded. */

import { html } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { app } from "../app.js";
import { when } from "../figures.js";
import { engineAsked } from "../gpu_words.js";
import { icon } from "../icons.js";
import { isGoing, recipeWords } from "../live_run.js";
import { AssayElement } from "./assay_element.js";

/** @import { Checkpoint } from "../types.js" */
/** @import { StateKey } from "../store.js" */

export class AssayInterrupted extends AssayElement {
  /** @type {StateKey[]} */
  static follows = ["interrupted", "run", "lab"];

  render() {
    return html`${repeat(this.state.interrupted, ({ runId }) => runId, (checkpoint) => this.one(checkpoint))}`;
  }

  /** @param {Checkpoint} checkpoint */
  one({ runId, epoch, recipeText, started, bytes }) {
    const recipe = JSON.parse(recipeText);
    const { run, lab } = this.state;
    const busy = isGoing(run) || lab !== "ready";
    return html`<section class="panel banner" aria-label="Interrupted run">
      <p>
        <strong class="status" data-tone="warn">${icon("interrupted")} interrupted</strong>
        ${recipeWords(recipe)}${started ? html`, started <time datetime=${started}>${when(started)}</time>` : ""}.
        ${bytes
          ? html`Epoch ${epoch} of ${recipe.training?.epochs} is kept; ${engineAsked(recipe) === "cpu" ? "going on from there gives the very same result." : "the run goes on from there."}`
          : "No epoch had ended, so it would start again."}
      </p>
      <div class="row">
        <button type="button" class="primary" ?disabled=${busy} @click=${() => void app.runs.resumeInterrupted(runId)}>${icon("play")} ${bytes ? "Resume" : "Run again"}</button>
        <button type="button" @click=${() => void app.runs.discardInterrupted(runId)}>Discard</button>
      </div>
    </section>`;
  }
}

customElements.define("assay-interrupted", AssayInterrupted);
