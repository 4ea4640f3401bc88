// @ts-check
/** @file Opens links and packs them; a link does nothing by itself, it only fills the draft and the banner. */

import { errorFrom } from "./page_wasm.js";

/** @import { PackedLink } from "./types.js" */
/** @import { Drafts } from "./drafts.js" */
/** @import { RunLog } from "./run_log.js" */
/** @import { PageWasm } from "./page_wasm.js" */
/** @import { Store } from "./store.js" */

export class Links {
  /** @param {{ store: Store, wasm: PageWasm, drafts: Drafts, log: RunLog }} parts */
  constructor({ store, wasm, drafts, log }) {
    this.store = store;
    this.wasm = wasm;
    this.drafts = drafts;
    this.log = log;
  }

  /**
   * Opens a link, or says why it cannot be read; the page stays usable.
   * @param {string} fragment With the leading `#`.
   */
  open(fragment) {
    if (this.store.state.link?.fragment === fragment) return;
    try {
      const opened = this.wasm.openLink(fragment);
      this.store.update({ link: { fragment, opened, modified: false }, linkProblem: null });
      this.drafts.setText(opened.recipeText);
    } catch (error) {
      this.store.update({ linkProblem: { message: errorFrom(error).message } });
    }
  }

  /** Closes the open link; the recipe stays as a copy. */
  close() {
    this.store.update({ link: null, linkProblem: null });
  }

  /** @returns {PackedLink} Of the draft. */
  packDraft() {
    return this.wasm.packRecipe(this.store.state.draft?.text ?? "");
  }

  /**
   * @param {string} digest Of a record.
   * @param {string} name Who says so; empty for nobody.
   * @returns {Promise<PackedLink>}
   */
  async packRun(digest, name) {
    const text = await this.log.recordText(digest);
    if (text === null) throw new Error("This run is not in the log of this browser.");
    return this.wasm.packClaim(text, name);
  }

  /**
   * @param {string} fragment With or without the leading `#`.
   * @returns {string} The whole address.
   */
  addressOf(fragment) {
    const address = new URL(location.href);
    address.hash = fragment;
    return address.href;
  }
}
