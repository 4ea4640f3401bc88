// @ts-check
/** @file What the run is doing: stage, step, speed and time left, with Pause and Stop; after it, how it ended. */

import { html } from "lit";
import { app } from "../app.js";
import { count, perSec, secs } from "../figures.js";
import { liveEngineWords } from "../gpu_words.js";
import { icon, statusSign } from "../icons.js";
import { isGoing, stagesOf, waitsForDecision } from "../live_run.js";
import { AssayElement } from "./assay_element.js";

/** @import { LiveRun, StateKey } from "../store.js" */

export class AssayProgress extends AssayElement {
  /** @type {StateKey[]} */
  static follows = ["run"];

  render() {
    const { run } = this.state;
    if (!run) return "";
    return isGoing(run) ? this.going(run) : this.ended(run);
  }

  /** @param {LiveRun} run */
  going(run) {
    const { status, fraction } = run;
    const waits = waitsForDecision(run);
    const paused = status === "paused" && !waits;
    return html`<section class="panel progress stack tight" aria-labelledby="progress-heading">
      <div class="row spread">
        <h2 id="progress-heading">${status === "stopping" ? "Stopping …" : waits ? "Waiting for you" : paused ? "Paused" : stageWords(run)}</h2>
        <div class="row">
          ${paused
            ? html`<button type="button" @click=${() => app.runs.continue()}>${icon("play")} Continue</button>`
            : html`<button type="button" ?disabled=${status === "stopping" || waits} @click=${() => app.runs.pause()}>${icon("pause")} Pause</button>`}
          <button type="button" ?disabled=${status === "stopping"} title="Keeps what was measured" @click=${() => app.runs.stop()}>${icon("stopped")} Stop</button>
        </div>
      </div>
      <progress max="1" .value=${fraction} aria-label=${stageWords(run)}></progress>
      <div class="row spread small">
        <ol class="stages" aria-hidden="true">${stagesOf(run).map(({ name, now }) => html`<li data-now=${now}>${name}</li>`)}</ol>
        <span class="soft">${figures(run)}</span>
      </div>
      ${this.engine(run)}
    </section>`;
  }

  /** @param {LiveRun} run */
  engine({ engine }) {
    if (!engine) return "";
    const { engine: name, rest, reason } = liveEngineWords(engine);
    return html`<p class="small live-engine"><strong>${name}</strong>${rest ? html` ${rest}.` : ""} <span class="soft">${reason}</span></p>`;
  }

  /** @param {LiveRun} run */
  ended(run) {
    const { status, error, nonFiniteStep, curve, epochs } = run;
    if (status === "complete") return "";
    const words =
      status === "non-finite"
        ? `The loss became NaN or infinite at step ${nonFiniteStep ?? "?"}. What was measured before is kept; try a smaller learning rate.`
        : status === "stopped"
          ? `Stopped after epoch ${curve.length} of ${epochs}. What was measured is kept.`
          : (error?.message ?? "");
    return html`<section class="panel progress stack tight" role="status">
      <div class="row">${status === "failed" ? html`<strong class="status" data-tone="bad">${icon("failed")} failed</strong>` : html`<strong data-tone=${status === "stopped" ? "" : "warn"}>${statusSign(status)}</strong>`}</div>
      <p>${words}</p>
    </section>`;
  }
}

/** @param {LiveRun} run */
export function stageWords({ stage, epoch, epochs }) {
  if (stage === "planning") return "Planning";
  if (stage === "training") return `Training, epoch ${Math.max(1, epoch)} of ${epochs}`;
  return stage.charAt(0).toUpperCase() + stage.slice(1);
}

/** @param {LiveRun} run */
function figures({ stage, step, steps, samplesPerSec, etaSecs, fraction }) {
  if (stage === "planning") return "";
  // A stage that has only begun says nothing of how far it is.
  if (stage !== "training") return fraction > 0 ? `${Math.round(fraction * 100)} % of this stage` : "";
  const eta = etaSecs === null ? "" : ` · ${secs(etaSecs)} left`;
  return `step ${count(step)} of ${count(steps)} · ${perSec(samplesPerSec)}${eta}`;
}

customElements.define("assay-progress", AssayProgress);
