// @ts-check
/** @file The header: the views, and where the page runs. */

import { html } from "lit";
import { app } from "../app.js";
import { hashFromRoute } from "../router.js";
import { toggleTheme } from "../theme.js";
import { AssayElement } from "./assay_element.js";

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
  static follows = ["route", "theme", "surroundings", "link"];

  render() {
    const { route, theme } = this.state;
    return html`
      <header class="app-header">
        <span class="brand">Assay</span>
        <nav aria-label="Views">
          ${VIEWS.map(
            ([view, label]) => html`<a href=${this.addressOf(view)} aria-current=${route.view === view ? "page" : "false"}>${label}</a>`,
          )}
        </nav>
        <button type="button" @click=${() => toggleTheme(app.store)}>${theme === "dark" ? "Light" : "Dark"}</button>
      </header>
    `;
  }

  /** The experiment view keeps the open link in the address. @param {ViewName} view */
  addressOf(view) {
    const { link } = this.state;
    return view === "experiment" && link ? link.fragment : hashFromRoute(view);
  }
}

customElements.define("assay-header", AssayHeader);
