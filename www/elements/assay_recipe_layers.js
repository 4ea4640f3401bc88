// @ts-check
/** @file Layers with a scheme of their own, below the recipe's quantization: which they are, and taking them back. Adding one is the Microscope's and the search's part. */

import { html } from "lit";
import { app } from "../app.js";
import { AssayElement } from "./assay_element.js";

export class AssayRecipeLayers extends AssayElement {
  static properties = { layers: { attribute: false }, dropped: { attribute: false } };

  constructor() {
    super();
    /** Scheme by layer. @type {Record<string, string>} */
    this.layers = {};
    /** Layers whose schemes the last change took along. @type {string[]} */
    this.dropped = [];
  }

  render() {
    const layers = Object.entries(this.layers);
    return html`<div class="recipe-layers small">
      ${layers.length > 0
        ? html`<div class="recipe-layers-head"><span id="recipe-layers">Layers with schemes of their own</span>
              <button type="button" class="link" @click=${() => this.set({})}>Clear</button></div>
            <ul aria-labelledby="recipe-layers">${layers.map(([layer, scheme]) => html`<li><code>${layer}</code> <span>${scheme}</span>
              <button type="button" class="link" aria-label=${`Give ${layer} the scheme of the others`} title="Give it the scheme of the others" @click=${() => this.takeBack(layer)}>Remove</button></li>`)}</ul>`
        : ""}
      <p class="soft" role="status" ?hidden=${this.dropped.length === 0}>${droppedWords(this.dropped)}</p>
    </div>`;
  }

  /** @param {string} layer */
  takeBack(layer) {
    const { [layer]: _, ...others } = this.layers;
    this.set(others);
  }

  /** @param {Record<string, string>} layers */
  set(layers) {
    app.drafts.setField("quantization.layers", layers);
  }
}

/** @param {string[]} layers */
export function droppedWords(layers) {
  if (layers.length === 0) return "";
  return `${layers.join(", ")} no longer ${layers.length === 1 ? "has a scheme of its own" : "have schemes of their own"}: the new family has other layers.`;
}

customElements.define("assay-recipe-layers", AssayRecipeLayers);
