// @ts-check
/** @file The Compare view. */

import { html } from "lit";
import { AssayElement } from "../elements/assay_element.js";

/** @import { StateKey } from "../store.js" */

export class AssayCompareView extends AssayElement {
  /** @type {StateKey[]} */
  static follows = ["route"];

  render() {
    return html`<h1>Compare</h1>`;
  }
}

customElements.define("assay-compare-view", AssayCompareView);
