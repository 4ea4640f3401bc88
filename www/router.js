// @ts-check
/** @file Reads the address: `#/…` names a view, `#r1.…` and `#c1.…` are links; it opens nothing itself. */

/** @typedef {"experiment"|"runs"|"compare"|"variants"|"microscope"|"data"} ViewName */

/**
 * @typedef {Object} Route
 * @property {ViewName} view
 * @property {string[]} digests Records that the view is about: of `compare` two, of `variants` and `microscope` one, of `runs` one or none.
 */

/** @typedef {{ route: Route } | { link: string }} Address */

const VIEWS = new Set(["experiment", "runs", "compare", "variants", "microscope", "data"]);

/**
 * @param {string} hash As in `location.hash`.
 * @returns {Address} An unknown view is the experiment view; anything that is not a view is taken for a link.
 */
export function addressFromHash(hash) {
  const body = hash.replace(/^#/, "");
  if (body === "" || body.startsWith("/")) {
    const [name = "", ...digests] = body.slice(1).split("/").filter(Boolean);
    const view = /** @type {ViewName} */ (VIEWS.has(name) ? name : "experiment");
    return { route: { view, digests: digests.filter((digest) => /^[0-9a-f]{64}$/.test(digest)) } };
  }
  return { link: `#${body}` };
}

/**
 * @param {ViewName} view
 * @param {string[]} [digests]
 * @returns {string} With the leading `#`.
 */
export function hashFromRoute(view, digests = []) {
  return ["#", view, ...digests].join("/");
}

/** Listens to the address and says what it means. */
export class Router {
  /**
   * @param {(address: Address) => void} onAddress
   * @param {Window} [view]
   */
  constructor(onAddress, view = window) {
    this.window = view;
    this.onAddress = onAddress;
    /** The address as it was read or replaced last; null before that. @type {string|null} */
    this.known = null;
  }

  start() {
    this.window.addEventListener("hashchange", () => this.read());
    this.read();
  }

  read() {
    this.known = this.window.location.hash;
    this.onAddress(addressFromHash(this.window.location.hash));
  }

  /**
   * Goes to a view, leaving an entry in the history.
   * @param {ViewName} view
   * @param {string[]} [digests]
   */
  go(view, digests = []) {
    this.window.location.hash = hashFromRoute(view, digests);
  }

  /**
   * Changes the address without leaving an entry and without being told. One that somebody has just gone to and that is not
   * read yet stays.
   * @param {string} hash With the leading `#`.
   */
  replace(hash) {
    const { hash: now } = this.window.location;
    if (this.known !== null && now !== this.known) return;
    if (now !== hash) this.window.history.replaceState(null, "", hash);
    this.known = hash;
  }
}
