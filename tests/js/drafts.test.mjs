// @ts-check
/** @file The recipe being edited, the link that is open, and what of them survives a reload. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Drafts } from "../../www/drafts.js";
import { Links } from "../../www/links.js";
import { Store } from "../../www/store.js";

/** A module whose recipes are `{"epochs": n}`, digest and link included. */
const wasm = /** @type {any} */ ({
  fields: () => [],
  defaultRecipe: () => '{"epochs":12}',
  changeRecipe: (/** @type {string} */ text, /** @type {string} */ path, /** @type {unknown} */ value) => JSON.stringify({ ...JSON.parse(text), [path]: value }),
  checkRecipe(/** @type {string} */ text) {
    let recipe;
    try {
      recipe = JSON.parse(text);
    } catch {
      throw { kind: "recipe", message: "this is not JSON", problems: [{ path: "", message: "this is not JSON" }] };
    }
    if (!(recipe.epochs > 0)) throw { kind: "recipe", message: "bad", problems: [{ path: "epochs", message: `expected 1 or more, got ${recipe.epochs}` }] };
    if (recipe.epochs > 1000) throw { kind: "too-large", message: "work would be too large" };
    return { recipe, text, digest: `d${recipe.epochs}`, cost: { layers: [] } };
  },
  packRecipe: (/** @type {string} */ text) => ({ fragment: `r1.${JSON.parse(text).epochs}`, bytes: 5, carries: [] }),
  openLink(/** @type {string} */ fragment) {
    const [, kind, epochs] = /^#?([rc])1\.(\d+)$/.exec(fragment) ?? [];
    if (!epochs) throw { kind: "link", message: "the link cannot be read: it is cut off" };
    return { kind: kind === "c" ? "claim" : "recipe", recipeText: `{"epochs":${epochs}}`, recipeDigest: `d${epochs}`, ...(kind === "c" ? { claimText: "{}" } : {}) };
  },
});

/** @param {{ hash?: string, session?: Map<string, string> }} [options] */
function page({ hash = "", session = new Map() } = {}) {
  const store = new Store();
  const address = { hash };
  const storage = { getItem: (/** @type {string} */ key) => session.get(key) ?? null, setItem: (/** @type {string} */ key, /** @type {string} */ value) => void session.set(key, value) };
  const router = { replace: (/** @type {string} */ to) => void (address.hash = to) };
  const drafts = new Drafts({ store, wasm, router, storage });
  const links = new Links({ store, wasm, drafts, log: { recordText: async () => null } });
  links.openFirst(hash.startsWith("#/") || hash === "" ? { route: store.state.route } : { link: hash });
  return { store, drafts, links, address, session };
}

test("starts with the default recipe and a plain address", () => {
  const { store, address } = page();
  assert.equal(store.state.draft?.digest, "d12");
  assert.equal(address.hash, "#/experiment");
});

test("a change is checked at once and becomes the address", () => {
  const { store, drafts, address } = page();
  drafts.setField("epochs", 3);
  drafts.updateAddress();
  assert.equal(store.state.draft?.digest, "d3");
  assert.equal(address.hash, "#r1.3");
  assert.equal(store.state.experimentHash, "#r1.3");
});

test("a recipe with problems is kept with them, and does not become an address", () => {
  const { store, drafts, address } = page();
  drafts.setField("epochs", -1);
  drafts.updateAddress();
  assert.deepEqual(store.state.draft?.problems, [{ path: "epochs", message: "expected 1 or more, got -1" }]);
  assert.equal(store.state.draft?.digest, "");
  assert.equal(store.state.draft?.recipe.epochs, -1);
  assert.equal(address.hash, "#/experiment");
});

test("too much work is told as a whole", () => {
  const { store, drafts } = page();
  drafts.setField("epochs", 5000);
  assert.equal(store.state.draft?.message, "work would be too large");
});

test("a text that is no JSON leaves the last readable recipe in place", () => {
  const { store, drafts } = page();
  drafts.setText("{");
  assert.equal(store.state.draft?.recipe.epochs, 12);
  assert.equal(store.state.draft?.message, "this is not JSON");
});

test("an open link stays in the address, is marked when modified, and can be gone back to", () => {
  const { store, drafts, address } = page({ hash: "#c1.5" });
  assert.equal(store.state.link?.modified, false);
  drafts.setField("epochs", 6);
  drafts.updateAddress();
  assert.equal(store.state.link?.modified, true);
  assert.equal(address.hash, "#c1.5");
  drafts.resetToLink();
  assert.deepEqual([store.state.link?.modified, store.state.draft?.digest], [false, "d5"]);
});

test("closing a link keeps its recipe as a copy", () => {
  const { store, links, address } = page({ hash: "#c1.5" });
  links.close();
  assert.deepEqual([store.state.link, store.state.draft?.digest, address.hash], [null, "d5", "#r1.5"]);
});

test("a broken link is told in words; the page has a recipe and can go on", () => {
  const { store, links, address } = page({ hash: "#c1.zz" });
  assert.match(store.state.linkProblem?.message ?? "", /cut off/);
  assert.equal(store.state.draft?.digest, "d12");
  links.close();
  assert.deepEqual([store.state.linkProblem, address.hash], [null, "#/experiment"]);
});

test("a reload brings back the draft, without taking the page's own address for somebody's link", () => {
  const { drafts, session, address } = page();
  drafts.setField("epochs", 3);
  drafts.updateAddress();
  const again = page({ hash: address.hash, session });
  assert.deepEqual([again.store.state.link, again.store.state.draft?.digest], [null, "d3"]);
});

test("a reload brings back an open link with its modification", () => {
  const { drafts, session } = page({ hash: "#c1.5" });
  drafts.setField("epochs", 6);
  drafts.updateAddress();
  const again = page({ hash: "#c1.5", session });
  assert.deepEqual([again.store.state.link?.modified, again.store.state.draft?.digest], [true, "d6"]);
});

test("another link in the same tab is opened afresh", () => {
  const { drafts, session } = page({ hash: "#c1.5" });
  drafts.setField("epochs", 6);
  drafts.updateAddress();
  const again = page({ hash: "#r1.8", session });
  assert.deepEqual([again.store.state.link?.fragment, again.store.state.link?.modified, again.store.state.draft?.digest], ["#r1.8", false, "d8"]);
});

test("going back to an address that the page made itself shows no banner", () => {
  const { store, drafts, links } = page();
  drafts.setField("epochs", 3);
  drafts.updateAddress();
  drafts.setField("epochs", 4);
  drafts.updateAddress();
  links.open("#r1.3");
  assert.deepEqual([store.state.link, store.state.draft?.digest], [null, "d3"]);
});

test("makes whole addresses from fragments with and without the sign", () => {
  const { links } = page();
  assert.equal(links.addressOf("r1.x", "http://localhost/lab/?test#/runs"), "http://localhost/lab/?test#r1.x");
  assert.equal(links.addressOf("#r1.x", "http://localhost/"), "http://localhost/#r1.x");
});
