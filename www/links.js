// @ts-check
/** @file Opens links and packs them; a link does nothing by itself, it only fills the draft and the banner. */

import { errorFrom } from "./errors.js";
import { withHash } from "./drafts.js";

/** @import { PackedLink } from "./types.js" */
/** @import { Drafts } from "./drafts.js" */
/** @import { Address } from "./router.js" */
/** @import { RunLog } from "./run_log.js" */
/** @import { PageWasm } from "./page_wasm.js" */
/** @import { Store } from "./store.js" */

export class Links {
  /** @param {{ store: Store, wasm: PageWasm, drafts: Drafts, log: Pick<RunLog, "recordText"> }} parts */
  constructor({ store, wasm, drafts, log }) {
    this.store = store;
    this.wasm = wasm;
    this.drafts = drafts;
    this.log = log;
  }

  /**
   * The first address of the page: a reload finds the draft and the open link as they were.
   * @param {Address} address
   */
  openFirst(address) {
    const saved = this.drafts.saved();
    const sameLink = saved !== null && "link" in address && address.link === saved.link;
    const sameDraft = saved !== null && ("route" in address ? address.route.view !== "experiment" || saved.link === null : address.link === saved.hash);
    if (saved?.hash.startsWith("#r") && saved.link === null) this.drafts.own.add(saved.hash);
    if (saved && (sameLink || sameDraft)) {
      this.drafts.setDefault();
      if (saved.link) this.open(saved.link);
      this.drafts.setText(saved.text);
    } else {
      this.drafts.setDefault();
      if ("link" in address) this.open(address.link);
    }
    this.drafts.updateAddress();
  }

  /**
   * Opens a link, or says why it cannot be read; the page stays usable.
   * @param {string} fragment With the leading `#`.
   */
  open(fragment) {
    const { link } = this.store.state;
    if (link?.fragment === fragment) return this.store.update({ linkProblem: null });
    try {
      const opened = this.wasm.openLink(fragment);
      const own = this.drafts.own.has(fragment);
      this.store.update({ link: own ? null : { fragment, opened, modified: false }, linkProblem: null });
      this.drafts.setText(opened.recipeText);
      this.drafts.updateAddress();
    } catch (error) {
      this.store.update({ linkProblem: { message: errorFrom(error).message } });
    }
  }

  /** Closes the open link, or the message about a broken one; the recipe stays as a copy. */
  close() {
    this.store.update({ link: null, linkProblem: null });
    this.drafts.updateAddress();
  }

  /** @returns {PackedLink} Of the draft; throws an AssayError where it has problems. */
  packDraft() {
    return this.wasm.packRecipe(this.store.state.draft?.text ?? "");
  }

  /**
   * @param {string} digest Of a record.
   * @param {string} name Who says so; empty for nobody.
   * @returns {Promise<PackedLink>} Rejects with an AssayError where there is nothing to check.
   */
  async packRun(digest, name) {
    const text = await this.log.recordText(digest);
    if (text === null) throw { kind: "record", message: "This run is not in the log of this browser." };
    return this.wasm.packClaim(text, name);
  }

  /**
   * @param {string} fragment With or without the leading `#`.
   * @param {string} [page] Address of the page.
   * @returns {string} The whole address.
   */
  addressOf(fragment, page = location.href) {
    return `${page.replace(/#.*$/s, "")}${withHash(fragment)}`;
  }
}
