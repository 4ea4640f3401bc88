// @ts-check
/** @file Messages that stay until they are dismissed, each with the next step where there is one. */

import { html } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { app } from "../app.js";
import { AssayElement } from "./assay_element.js";

/** @import { Notice, StateKey } from "../store.js" */

const WORDS = { info: "Note", warn: "Warning", error: "Error" };

export class AssayNotices extends AssayElement {
  /** @type {StateKey[]} */
  static follows = ["notices"];

  render() {
    return html`<div class="notices" role="log" aria-label="Messages">
      ${repeat(this.state.notices, ({ id }) => id, (notice) => this.notice(notice))}
    </div>`;
  }

  /** @param {Notice} notice */
  notice(notice) {
    const { id, level, text, action } = notice;
    const act = () => {
      app.store.dismiss(id);
      action?.run();
    };
    return html`<div class="notice" data-level=${level}>
      <p><strong>${WORDS[level]}:</strong> ${text}</p>
      ${action ? html`<button type="button" @click=${act}>${action.label}</button>` : ""}
      <button type="button" class="quiet" aria-label="Dismiss this message" @click=${() => app.store.dismiss(id)}>✕</button>
    </div>`;
  }
}

customElements.define("assay-notices", AssayNotices);
