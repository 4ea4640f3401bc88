// @ts-check
/** @file The recipe being edited: every change is checked at once by the module and mirrored into the store and the address. */

import { errorFrom } from "./page_wasm.js";

/** @import { Field } from "./types.js" */
/** @import { Draft, Store } from "./store.js" */
/** @import { PageWasm } from "./page_wasm.js" */

export const DEFAULT_SET = "digits";
export const DEFAULT_FAMILY = "lenet";

export class Drafts {
  /** @param {{ store: Store, wasm: PageWasm }} parts */
  constructor({ store, wasm }) {
    this.store = store;
    this.wasm = wasm;
    /** @type {Field[]} */
    this.fields = wasm.fields();
  }

  /** The default recipe. */
  setDefault() {
    this.setText(this.wasm.defaultRecipe(DEFAULT_SET, DEFAULT_FAMILY));
  }

  /**
   * Replaces the whole recipe. A text with problems is kept and its problems are shown.
   * @param {string} text
   */
  setText(text) {
    const draft = this.draftFrom(text);
    const { link } = this.store.state;
    const modified = link !== null && draft.digest !== link.opened.recipeDigest;
    this.store.update({ draft, link: link && link.modified !== modified ? { ...link, modified } : link });
  }

  /**
   * Sets one field; fields that come or go with it do so.
   * @param {string} path
   * @param {unknown} value
   */
  setField(path, value) {
    const { draft } = this.store.state;
    if (!draft) return;
    this.setText(this.wasm.changeRecipe(draft.text, path, value));
  }

  /** Goes back to the recipe of the open link. */
  resetToLink() {
    const { link } = this.store.state;
    if (link) this.setText(link.opened.recipeText);
  }

  /**
   * @param {string} text
   * @returns {Draft}
   */
  draftFrom(text) {
    try {
      const { recipe, text: pretty, digest, cost } = this.wasm.checkRecipe(text);
      return { text: pretty, recipe, digest, cost, problems: [], message: "" };
    } catch (error) {
      const { message, problems = [] } = errorFrom(error);
      /** @type {Record<string, any>} */
      let recipe = this.store.state.draft?.recipe ?? {};
      try {
        recipe = JSON.parse(text);
      } catch {
        // The last readable recipe stays; the message says what is wrong with the text.
      }
      return { text, recipe, digest: "", cost: null, problems, message };
    }
  }
}
