// @ts-check
/** @file How far fine-tuning is for a look or a file, with Stop; nothing while no model is fine-tuned so. */

import { html } from "lit";
import { percent } from "../figures.js";
import { icon } from "../icons.js";
import { stopStoring } from "../storing.js";
import { AssayElement } from "./assay_element.js";

/** @import { StateKey } from "../store.js" */

export class AssayStoring extends AssayElement {
  /** @type {StateKey[]} */
  static follows = ["storing"];

  render() {
    const { storing } = this.state;
    if (!storing || storing.fraction < 0) return "";
    const { purpose, fraction, stopping } = storing;
    const words = `Fine-tuning ${purpose}`;
    return html`<div class="notice storing" role="group" aria-label=${words}>
      <p>${stopping ? "Stopping …" : `${words}: ${percent(fraction)}`}</p>
      <progress max="1" .value=${fraction} aria-label=${words}></progress>
      <button type="button" ?disabled=${stopping} @click=${stopStoring}>${icon("stopped")} Stop</button>
    </div>`;
  }
}

customElements.define("assay-storing", AssayStoring);
