// @ts-check
/** @file The header: the views, where the page runs, sharing, help and the theme. */

import { html } from "lit";
import { app } from "../app.js";
import { icon } from "../icons.js";
import { hashFromRoute } from "../router.js";
import { toggleTheme } from "../theme.js";
import { AssayElement } from "./assay_element.js";
import "./assay_surroundings.js";

/** @import { StateKey } from "../store.js" */
/** @import { ViewName } from "../router.js" */

/** @type {[ViewName, string][]} */
const VIEWS = [
  ["experiment", "Experiment"],
  ["runs", "Runs"],
  ["data", "Data"],
];

export class AssayHeader extends AssayElement {
  /** @type {StateKey[]} */
  static follows = ["route", "theme", "experimentHash"];

  render() {
    const { route, theme, experimentHash } = this.state;
    const other = theme === "dark" ? "light" : "dark";
    return html`
      <header class="app-header">
        <span class="brand"><img src="icon.svg" alt="" width="16" height="16">Assay</span>
        <nav aria-label="Views">
          ${VIEWS.map(([view, label]) => {
            const here = route.view === view || (view === "runs" && ["compare", "variants", "microscope"].includes(route.view));
            return html`<a href=${view === "experiment" ? experimentHash : hashFromRoute(view)} aria-current=${here ? "page" : "false"}>${label}</a>`;
          })}
        </nav>
        <assay-surroundings></assay-surroundings>
        <div class="app-tools">
          <button type="button" class="quiet" aria-haspopup="dialog" @click=${() => app.store.update({ dialog: "share" })}>${icon("share")} Share</button>
          <button type="button" class="quiet square" aria-label=${`Switch to the ${other} theme`} title=${`Switch to the ${other} theme`} @click=${() => toggleTheme(app.store)}>${icon(theme === "dark" ? "sun" : "moon")}</button>
          <button type="button" class="quiet square" aria-haspopup="dialog" aria-label="Help and keys" title="Help and keys (?)" @click=${() => app.store.update({ dialog: "help" })}>?</button>
        </div>
      </header>
    `;
  }
}

customElements.define("assay-header", AssayHeader);
