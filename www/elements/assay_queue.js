// @ts-check
/** @file The recipes that wait, in order; moved and cancelled with buttons. */

import { html } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { app } from "../app.js";
import { icon } from "../icons.js";
import { isGoing } from "../live_run.js";
import { AssayElement } from "./assay_element.js";

/** @import { QueueItem, StateKey, Sweep } from "../store.js" */

export class AssayQueue extends AssayElement {
  /** @type {StateKey[]} */
  static follows = ["queue", "run", "lab", "sweep"];

  render() {
    const { queue, sweep } = this.state;
    if (queue.length === 0 && !sweep) return "";
    return html`<section class="panel queue stack tight" aria-labelledby="queue-heading">
      <div class="row spread">
        <h2 id="queue-heading">Queue <span class="soft">${queue.length}</span></h2>
        ${this.start()}
      </div>
      ${sweep ? html`<p class="small soft" role="status">${progressWords(sweep)}</p>` : ""}
      <ol>
        ${repeat(queue, ({ id }) => id, (item, index) => this.item(item, index, queue.length))}
      </ol>
    </section>`;
  }

  start() {
    const { queue, run, lab, sweep } = this.state;
    if (sweep) return html`<button type="button" ?disabled=${sweep.stopping} @click=${() => app.sweeps.stop()}>${icon("stopped")} Stop all</button>`;
    if (isGoing(run)) return html`<span class="small soft">starts after this run</span>`;
    const labs = app.sweeps.labsFor(queue.length);
    return html`<span class="row tight">
      ${labs > 1 ? html`<button type="button" ?disabled=${lab !== "ready"} title="Each in a Worker of its own. While one is timed the others hold. What is unfinished when the tab closes is lost." @click=${() => app.sweeps.start()}>${icon("play")} ${labs} at a time</button>` : ""}
      <button type="button" ?disabled=${lab !== "ready"} @click=${() => app.runs.startQueue()}>${icon("play")} Start</button>
    </span>`;
  }

  /**
   * @param {QueueItem} item
   * @param {number} index
   * @param {number} length
   */
  item({ id, label }, index, length) {
    return html`<li>
      <span class="words">${label}</span>
      <button type="button" class="quiet square" aria-label=${`Move up: ${label}`} ?disabled=${index === 0} @click=${(/** @type {Event} */ event) => this.move(event, id, -1)}>${icon("up")}</button>
      <button type="button" class="quiet square" aria-label=${`Move down: ${label}`} ?disabled=${index === length - 1} @click=${(/** @type {Event} */ event) => this.move(event, id, 1)}>${icon("down")}</button>
      <button type="button" class="quiet square" aria-label=${`Cancel: ${label}`} @click=${() => app.runs.cancelQueued(id)}>${icon("close")}</button>
    </li>`;
  }

  /**
   * The focus stays with the row that moved.
   * @param {Event} event
   * @param {number} id
   * @param {-1|1} by
   */
  async move(event, id, by) {
    const button = /** @type {HTMLButtonElement} */ (event.currentTarget);
    app.runs.moveQueued(id, by);
    await this.updateComplete;
    if (!button.disabled) return button.focus();
    /** @type {HTMLButtonElement|null|undefined} */ (button.closest("li")?.querySelector("button:not(:disabled)"))?.focus();
  }
}

/** @param {Sweep} sweep */
function progressWords({ going, done, labs, stopping }) {
  if (stopping) return "Stopping at the next step; what was measured is kept.";
  return `${going} of ${labs} at work, ${done} done.`;
}

customElements.define("assay-queue", AssayQueue);
