// @ts-check
/** @file Sharing: a link to the recipe as it stands, or to a run with its results; each says what it carries. */

import { html } from "lit";
import { app } from "../app.js";
import { AssayDialog } from "./assay_dialog.js";
import "./assay_copy_link.js";

/** @import { StateKey } from "../store.js" */

export class AssayShare extends AssayDialog {
  static properties = { by: { state: true } };

  /** @type {StateKey[]} */
  static follows = ["dialog", "shown", "draft"];

  constructor() {
    super();
    /** A name that the person typed; never kept. */
    this.by = "";
  }

  get dialogName() {
    return /** @type {const} */ ("share");
  }

  get heading() {
    return "Share";
  }

  content() {
    const { draft, shown } = this.state;
    return html`<div class="stack">
      <section class="stack tight" aria-labelledby="share-run">
        <h3 id="share-run">This run</h3>
        ${shown ? this.runPart(shown) : html`<p class="soft">There is no run yet. Press Run first; its link then carries the results, and whoever opens it can check them.</p>`}
      </section>
      <section class="stack tight" aria-labelledby="share-recipe">
        <h3 id="share-recipe">The recipe</h3>
        <p class="soft">As it stands in the form, without results.</p>
        ${draft?.digest
          ? html`<assay-copy-link label="Copy link to the recipe" .pack=${() => app.links.packDraft()}></assay-copy-link>`
          : html`<p data-tone="bad">The recipe has problems. Mend the marked fields first.</p>`}
      </section>
    </div>`;
  }

  /** @param {import("../store.js").ShownRun} shown */
  runPart({ digest, record }) {
    return html`<p class="soft">Recipe, results with their intervals and tolerances, digests: enough to run it again and judge.</p>
      <label class="stack tight">
        <span>Your name, if you want it in the link <span class="soft">(optional)</span></span>
        <input type="text" maxlength="60" autocomplete="off" .value=${this.by} @input=${(/** @type {Event} */ event) => (this.by = /** @type {HTMLInputElement} */ (event.target).value)}>
      </label>
      <assay-copy-link label="Copy link to this run" .pack=${() => app.links.packRun(digest, this.by.trim())}></assay-copy-link>
      ${record.status === "complete" ? "" : html`<p class="small soft">This run did not finish, so only its recipe can be shared.</p>`}`;
  }
}

customElements.define("assay-share", AssayShare);
