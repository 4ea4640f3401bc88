// @ts-check
/** @file The Data view. */

import { html } from "lit";
import { AssayElement } from "../elements/assay_element.js";

/** @import { StateKey } from "../store.js" */

export class AssayDataView extends AssayElement {
  /** @type {StateKey[]} */
  static follows = ["route"];

  render() {
    return html`<h1>Data</h1>`;
  }
}

customElements.define("assay-data-view", AssayDataView);
