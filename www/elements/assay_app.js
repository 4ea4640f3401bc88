// @ts-check
/** @file The shell: header, messages and the view that the address names. */

import { html } from "lit";
import { AssayElement } from "./assay_element.js";
import "./assay_gpu_lost.js";
import "./assay_header.js";
import "./assay_help.js";
import "./assay_notices.js";
import "./assay_recipe_json.js";
import "./assay_share.js";
import "../views/experiment_view.js";
import "../views/runs_view.js";
import "../views/compare_view.js";
import "../views/data_view.js";
import "../views/microscope_view.js";
import "../views/variants_view.js";

/** @import { StateKey } from "../store.js" */

export class AssayApp extends AssayElement {
  /** @type {StateKey[]} */
  static follows = ["route"];

  render() {
    const { view } = this.state.route;
    return html`
      <a class="skip" href="#main" @click=${this.skip}>Skip to the view</a>
      <assay-header></assay-header>
      <assay-notices></assay-notices>
      <assay-gpu-lost></assay-gpu-lost>
      <main id="main" tabindex="-1">
        <assay-experiment-view ?hidden=${view !== "experiment"}></assay-experiment-view>
        ${view === "runs" ? html`<assay-runs-view></assay-runs-view>` : ""}
        ${view === "compare" ? html`<assay-compare-view></assay-compare-view>` : ""}
        ${view === "variants" ? html`<assay-variants-view></assay-variants-view>` : ""}
        ${view === "microscope" ? html`<assay-microscope-view></assay-microscope-view>` : ""}
        ${view === "data" ? html`<assay-data-view></assay-data-view>` : ""}
      </main>
      <assay-help></assay-help>
      <assay-share></assay-share>
      <assay-recipe-json></assay-recipe-json>
    `;
  }

  /** The fragment belongs to views and links, so the focus is moved by hand. @param {Event} event */
  skip(event) {
    event.preventDefault();
    this.querySelector("main")?.focus();
  }
}

customElements.define("assay-app", AssayApp);
