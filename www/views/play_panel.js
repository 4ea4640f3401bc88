// @ts-check
/** @file The play panel: scores of single images by the model of the run that is shown. */

import { html } from "lit";
import { AssayElement } from "../elements/assay_element.js";

/** @import { StateKey } from "../store.js" */

export class AssayPlayPanel extends AssayElement {
  /** @type {StateKey[]} */
  static follows = ["shown", "run"];

  render() {
    return html``;
  }
}

customElements.define("assay-play-panel", AssayPlayPanel);
