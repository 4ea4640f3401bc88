// @ts-check
/** @file The Runs view. */

import { html } from "lit";
import { AssayElement } from "../elements/assay_element.js";

/** @import { StateKey } from "../store.js" */

export class AssayRunsView extends AssayElement {
  /** @type {StateKey[]} */
  static follows = ["route"];

  render() {
    return html`<h1>Runs</h1>`;
  }
}

customElements.define("assay-runs-view", AssayRunsView);
