// @ts-check
/** @file The recipe being edited: every change is checked at once by the module and mirrored into the store and the address. */

import { errorFrom } from "./errors.js";
import { hashFromRoute } from "./router.js";
import { editWords } from "./set_edits.js";

/** @import { Field } from "./types.js" */
/** @import { Draft, Store } from "./store.js" */
/** @import { PageWasm } from "./page_wasm.js" */
/** @import { Router } from "./router.js" */

export const DEFAULT_SET = "digits";
export const DEFAULT_FAMILY = "lenet";

const KEY = "assay-draft";
/** Changes that follow one another faster change the address once. */
const ADDRESS_MILLIS = 250;

/**
 * What a tab keeps over a reload.
 * @typedef {Object} Saved
 * @property {string} text Of the draft.
 * @property {string|null} link Fragment of the open link.
 * @property {string} hash Address that this page made for the draft.
 */

export class Drafts {
  /** @param {{ store: Store, wasm: PageWasm, router: Pick<Router, "replace">, storage?: Pick<Storage, "getItem"|"setItem">|null }} parts */
  constructor({ store, wasm, router, storage = sessionStorageIfAllowed() }) {
    this.store = store;
    this.wasm = wasm;
    this.router = router;
    this.storage = storage;
    /** @type {Field[]} */
    this.fields = wasm.fields();
    /** Addresses that this page made itself, so that Back to one of them is no link from somebody. @type {Set<string>} */
    this.own = new Set();
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    this.timer = undefined;
    // A page that is reloaded right after a change keeps it.
    globalThis.addEventListener?.("pagehide", () => {
      if (this.timer !== undefined) this.updateAddress();
    });
    this.defaultText = wasm.defaultRecipe(DEFAULT_SET, DEFAULT_FAMILY);
    this.defaultDigest = this.draftFrom(this.defaultText).digest;
  }

  /** The default recipe, without a link. */
  setDefault() {
    this.store.update({ link: null, linkProblem: null });
    this.setText(this.defaultText);
  }

  /**
   * Replaces the whole recipe. A text with problems is kept and its problems are shown.
   * @param {string} text
   * @param {string[]} [dropped] layers whose own schemes the change takes along
   */
  setText(text, dropped = []) {
    const draft = { ...this.draftFrom(text), dropped };
    const { link } = this.store.state;
    const modified = link !== null && draft.digest !== link.opened.recipeDigest;
    this.store.update({ draft, link: link && link.modified !== modified ? { ...link, modified } : link });
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.updateAddress(), ADDRESS_MILLIS);
  }

  /**
   * Sets one field; fields that come or go with it do so.
   * @param {string} path
   * @param {unknown} value
   */
  setField(path, value) {
    const { draft } = this.store.state;
    if (!draft) return;
    const layers = Object.keys(draft.recipe.quantization?.layers ?? {});
    this.setText(this.wasm.changeRecipe(draft.text, path, value), path === "architecture.family" ? layers : []);
    const { edits } = draft.recipe.data ?? {};
    const now = this.store.state.draft;
    if (edits && path !== "data.edits" && !now?.recipe.data?.edits) {
      this.store.notify("info", `What was edited in the set (${editWords(edits)}) went with it, for its rows are others now.`, { label: "Undo", run: () => this.setText(draft.text) });
    }
  }

  /**
   * Learns from files of a person's own: the section `data` becomes what was read. Rows that are no images and that the family
   * cannot take get one that can.
   * @param {Record<string, any>} data
   */
  setOwnData(data) {
    const { draft } = this.store.state;
    if (!draft) return;
    const changed = JSON.parse(this.wasm.changeRecipe(draft.text, "data.set", "own"));
    const text = JSON.stringify({ ...changed, data });
    const fits = this.draftFrom(text).digest !== "";
    this.setText(fits || data.height !== 1 ? text : this.wasm.changeRecipe(text, "architecture.family", "mlp"));
    // At once: whoever goes to the experiment now takes its address, which has to be the recipe's.
    this.updateAddress();
  }

  /** Goes back to the recipe of the open link. */
  resetToLink() {
    const { link } = this.store.state;
    if (link) this.setText(link.opened.recipeText);
  }

  /** Makes the address say what the draft is: the open link stays, else the recipe itself is the link. */
  updateAddress() {
    clearTimeout(this.timer);
    this.timer = undefined;
    const { draft, link, route, linkProblem } = this.store.state;
    if (!draft || linkProblem) return;
    let hash = link?.fragment ?? hashFromRoute("experiment");
    if (!link && draft.digest && draft.digest !== this.defaultDigest) {
      hash = withHash(this.wasm.packRecipe(draft.text).fragment);
      this.own.add(hash);
    }
    this.store.update({ experimentHash: hash });
    if (route.view === "experiment") this.router.replace(hash);
    this.save({ text: draft.text, link: link?.fragment ?? null, hash });
  }

  /** @param {Saved} saved */
  save(saved) {
    try {
      this.storage?.setItem(KEY, JSON.stringify(saved));
    } catch {
      // Full or forbidden: a reload then starts from the address alone.
    }
  }

  /** @returns {Saved|null} What this tab had before it was reloaded. */
  saved() {
    try {
      const saved = JSON.parse(this.storage?.getItem(KEY) ?? "null");
      return typeof saved?.text === "string" && typeof saved.hash === "string" ? saved : null;
    } catch {
      return null;
    }
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

/** @param {string} fragment */
export function withHash(fragment) {
  return fragment.startsWith("#") ? fragment : `#${fragment}`;
}

function sessionStorageIfAllowed() {
  try {
    return sessionStorage;
  } catch {
    return null;
  }
}
