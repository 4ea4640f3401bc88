// @ts-check
/** @file The buttons that run the recipe, and on a narrow screen what the run is doing; always in reach. */

import { html } from "lit";
import { app } from "../app.js";
import { icon } from "../icons.js";
import { isGoing, waitsForDecision } from "../live_run.js";
import { AssayElement } from "./assay_element.js";

/** @import { StateKey } from "../store.js" */

export class AssayRunBar extends AssayElement {
  /** @type {StateKey[]} */
  static follows = ["draft", "lab", "link", "run"];

  render() {
    const { draft, lab, link, run } = this.state;
    const going = isGoing(run);
    const valid = Boolean(draft?.digest);
    const checks = link !== null && !link.modified && link.opened.kind === "claim";
    const enqueue = html`<button type="button" ?disabled=${!valid} @click=${() => app.runs.enqueueDraft()}>Add to queue</button>`;
    if (going) {
      return html`<div class="run-bar" data-going>
        <progress class="narrow-only" max="1" .value=${run?.fraction ?? 0} aria-label="The run's stage"></progress>
        <span class="narrow-only small">${waitsForDecision(run) ? "waits for you" : run?.stage}</span>
        <button type="button" class="narrow-only" @click=${() => app.runs.stop()}>${icon("stopped")} Stop</button>
        ${enqueue}
      </div>`;
    }
    const why = lab === "unavailable" ? "The lab is not running; reload the page." : lab === "starting" ? "The lab is starting." : valid ? "" : "Mend the marked fields first.";
    return html`<div class="run-bar">
      <button type="button" class="primary run" ?disabled=${why !== ""} title=${why || "Ctrl+Enter"} @click=${() => app.runs.runDraft()}>
        ${icon("play")} ${checks ? "Run and check" : "Run"}
      </button>
      ${enqueue}
      ${why && lab !== "starting" ? html`<span class="small why" data-tone="warn">${why}</span>` : ""}
    </div>`;
  }
}

customElements.define("assay-run-bar", AssayRunBar);
