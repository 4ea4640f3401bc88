// @ts-check
/** @file The experiment view: the recipe on the left, what is going on in the middle, the figures of the run on the right. */

import { html } from "lit";
import { isGoing } from "../live_run.js";
import { NARROW } from "../widths.js";
import { AssayElement } from "../elements/assay_element.js";
import "../elements/assay_claim_banner.js";
import "../elements/assay_cost_table.js";
import "../elements/assay_figures.js";
import "../elements/assay_file_asked.js";
import "../elements/assay_interrupted.js";
import "../elements/assay_last_runs.js";
import "../elements/assay_progress.js";
import "../elements/assay_queue.js";
import "../elements/assay_recipe_form.js";
import "../elements/assay_run_bar.js";
import "../elements/assay_this_run.js";
import "../elements/assay_verdict.js";
import "./play_panel.js";

/** @import { StateKey } from "../store.js" */

export class AssayExperimentView extends AssayElement {
  static properties = { playing: { state: true } };

  /** @type {StateKey[]} */
  static follows = ["draft", "run", "shown", "runsLoaded"];

  constructor() {
    super();
    /** Whether the play panel is unfolded. */
    this.playing = false;
  }

  render() {
    const { draft, run, shown, runsLoaded } = this.state;
    const idle = !run && !shown;
    return html`
      <h1 class="visually-hidden">Experiment</h1>
      <assay-claim-banner></assay-claim-banner>
      <assay-file-asked></assay-file-asked>
      <assay-verdict></assay-verdict>
      <assay-interrupted></assay-interrupted>
      <div class="columns">
        <section class="recipe-column stack" aria-label="Recipe">
          <assay-recipe-form></assay-recipe-form>
          <assay-run-bar></assay-run-bar>
          <assay-queue></assay-queue>
        </section>
        <section class="live-column stack" aria-label="Live">
          <assay-progress></assay-progress>
          ${idle && runsLoaded ? this.teaching() : ""}
          <assay-figures></assay-figures>
          <assay-cost-table .cost=${draft?.cost ?? null} ?open=${idle && !NARROW.matches}></assay-cost-table>
          ${!isGoing(run) && shown?.record.predictions ? this.play(shown.digest, shown.record.recipe.data.set === "digits") : ""}
          <assay-last-runs></assay-last-runs>
        </section>
        <section class="figures-column stack" aria-label="Figures of the run">
          <assay-this-run></assay-this-run>
        </section>
      </div>
    `;
  }

  /** @param {string} digest @param {boolean} drawable */
  play(digest, drawable) {
    return html`<details class="panel play-details" @toggle=${this.onPlay}>
      <summary><h2>Try the model</h2><span class="soft">${drawable ? "Pick test images, see the images behind each mistake, or draw a digit." : "Pick rows of the test, or see the rows behind each mistake."}</span></summary>
      ${this.playing ? html`<assay-play-panel .digest=${digest}></assay-play-panel>` : ""}
    </details>`;
  }

  /** Its images are asked for only once it is unfolded. @param {Event} event */
  onPlay(event) {
    this.playing = /** @type {HTMLDetailsElement} */ (event.target).open;
  }

  teaching() {
    return html`<div class="empty">
      <p>
        Press <strong>Run</strong>: a small network learns handwritten digits here, on this machine. You will see its loss fall, then its accuracy and
        latency, and can copy a link that lets anyone check the result.
      </p>
    </div>`;
  }
}

customElements.define("assay-experiment-view", AssayExperimentView);
