// @ts-check
/** @file How much room the log takes in this browser, whether it is kept for good, and freeing the room of weights. */

import { html } from "lit";
import { announce } from "../announcer.js";
import { app } from "../app.js";
import { bytes, count } from "../figures.js";
import { attempt } from "../run_actions.js";
import { deleteWeightsExcept, storedWeights } from "../stored_weights.js";
import { AssayElement } from "./assay_element.js";

/** @import { StateKey } from "../store.js" */

export class AssayLogStorage extends AssayElement {
  /** @type {StateKey[]} */
  static follows = ["storage", "annotations", "runs"];

  static properties = { answer: { state: true }, asking: { state: true }, weights: { state: true } };

  constructor() {
    super();
    this.answer = "";
    /** Whether deletion waits for a yes. */
    this.asking = false;
    /** Stored weights. @type {Set<string>} */
    this.weights = new Set();
  }

  connectedCallback() {
    super.connectedCallback();
    void this.look();
  }

  async look() {
    this.weights = await storedWeights(app.log.db);
  }

  /** Weights that nobody pinned. */
  get unpinned() {
    const pinned = this.pinned();
    return [...this.weights].filter((digest) => !pinned.has(digest)).length;
  }

  pinned() {
    const { annotations } = this.state;
    const kept = new Set();
    for (const { digest, weightsDigest, fineTunedDigest } of app.log.summaries.values()) {
      if (weightsDigest && annotations[digest]?.pin) kept.add(weightsDigest).add(fineTunedDigest);
    }
    return kept;
  }

  render() {
    const { storage } = this.state;
    const used = storage.usage === null ? "unknown" : bytes(storage.usage);
    const quota = storage.quota === null ? "" : ` of ${bytes(storage.quota)} that the browser allows`;
    return html`<section class="panel stack log-storage" aria-label="Storage">
      <h2>Storage</h2>
      ${storage.kind === "memory"
        ? html`<p data-tone="warn"><strong>In memory only.</strong> ${storage.message}</p>`
        : html`<p>
            The log is in this browser's database: ${count(app.log.summaries.size)} runs, ${used} used${quota}.
            ${storage.persisted
              ? html`<span class="soft">Kept permanently: the browser will not clear it to make room.</span>`
              : html`<span class="soft">The browser may clear it when space runs short.</span>`}
          </p>`}
      <div class="row">
        ${storage.kind === "database" && !storage.persisted
          ? html`<button type="button" @click=${() => attempt(() => this.persist())}>Keep permanently</button>`
          : ""}
        ${this.asking
          ? html`<span>Delete ${count(this.unpinned)} stored weights of runs that are not pinned? Their records stay.</span>
              <button type="button" @click=${() => attempt(() => this.deleteUnpinned())}>Delete weights</button>
              <button type="button" class="quiet" @click=${() => (this.asking = false)}>Keep them</button>`
          : html`<button type="button" ?disabled=${this.unpinned === 0} @click=${() => (this.asking = true)}>
              Delete weights of unpinned runs (${count(this.unpinned)})
            </button>`}
      </div>
      <p class="small" role="status">${this.answer}</p>
    </section>`;
  }

  async persist() {
    const agreed = await app.log.persist();
    this.answer = agreed
      ? "The browser will keep the log permanently."
      : "The browser declined for now; it decides by how often a page is used. Bookmark this page or export the log to be safe.";
  }

  async deleteUnpinned() {
    const deleted = await deleteWeightsExcept(app.log.db, this.pinned());
    this.asking = false;
    this.answer = `Deleted ${count(deleted)} stored weights. Running a recipe again on the CPU makes the same ones.`;
    announce(this.answer, true);
    await this.look();
    await app.log.refreshStorage();
  }
}

customElements.define("assay-log-storage", AssayLogStorage);
