// @ts-check
/** @file The recipes that wait, in order; moved and cancelled with buttons. */

import { html } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { app } from "../app.js";
import { icon } from "../icons.js";
import { isGoing } from "../live_run.js";
import { AssayElement } from "./assay_element.js";

/** @import { QueueItem, StateKey } from "../store.js" */

export class AssayQueue extends AssayElement {
  /** @type {StateKey[]} */
  static follows = ["queue", "run", "lab"];

  render() {
    const { queue, run, lab } = this.state;
    if (queue.length === 0) return "";
    return html`<section class="panel queue stack tight" aria-labelledby="queue-heading">
      <div class="row spread">
        <h2 id="queue-heading">Queue <span class="soft">${queue.length}</span></h2>
        ${isGoing(run) ? html`<span class="small soft">starts after this run</span>` : html`<button type="button" ?disabled=${lab !== "ready"} @click=${() => app.runs.startQueue()}>${icon("play")} Start</button>`}
      </div>
      <ol>
        ${repeat(queue, ({ id }) => id, (item, index) => this.item(item, index, queue.length))}
      </ol>
    </section>`;
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

customElements.define("assay-queue", AssayQueue);
