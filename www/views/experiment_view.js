// @ts-check
/** @file The Experiment view. */

import { html } from "lit";
import { AssayElement } from "../elements/assay_element.js";

/** @import { StateKey } from "../store.js" */

export class AssayExperimentView extends AssayElement {
  /** @type {StateKey[]} */
  static follows = ["route"];

  render() {
    return html`<h1>Experiment</h1>`;
  }
}

customElements.define("assay-experiment-view", AssayExperimentView);
