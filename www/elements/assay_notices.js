// @ts-check
/** @file Messages that stay until they are dismissed, each with the next step where there is one. */

import { html } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { app } from "../app.js";
import { icon } from "../icons.js";
import { AssayElement } from "./assay_element.js";

/** @import { Notice, StateKey } from "../store.js" */
/** @import { IconName } from "../icons.js" */

/** @type {Record<Notice["level"], { word: string, icon: IconName, tone: string }>} */
const LEVELS = {
  info: { word: "Note", icon: "complete", tone: "" },
  warn: { word: "Warning", icon: "altered", tone: "warn" },
  error: { word: "Error", icon: "failed", tone: "bad" },
};

export class AssayNotices extends AssayElement {
  /** @type {StateKey[]} */
  static follows = ["notices"];

  render() {
    return html`<div class="notices" role="log" aria-label="Messages">
      ${repeat(this.state.notices, ({ id }) => id, (notice) => this.notice(notice))}
    </div>`;
  }

  /** @param {Notice} notice */
  notice({ id, level, text, action }) {
    const act = () => {
      app.store.dismiss(id);
      action?.run();
    };
    const { word, icon: name, tone } = LEVELS[level];
    return html`<div class="notice" data-level=${level}>
      <span class="status" data-tone=${tone}>${icon(name)} <strong>${word}</strong></span>
      <p>${text}</p>
      ${action ? html`<button type="button" @click=${act}>${action.label}</button>` : ""}
      <button type="button" class="quiet square" aria-label="Dismiss this message" @click=${() => app.store.dismiss(id)}>${icon("close")}</button>
    </div>`;
  }
}

customElements.define("assay-notices", AssayNotices);
