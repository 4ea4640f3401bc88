// @ts-check
/** @file Addresses: views and links live side by side in the fragment. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { addressFromHash, hashFromRoute, Router } from "../../www/router.js";

const A = "a".repeat(64);
const B = "b".repeat(64);

test("reads views, and takes what it does not know for the experiment view", () => {
  /** @type {[string, object][]} */
  const cases = [
    ["", { view: "experiment", digests: [] }],
    ["#", { view: "experiment", digests: [] }],
    ["#/runs", { view: "runs", digests: [] }],
    ["#/runs/", { view: "runs", digests: [] }],
    [`#/compare/${A}/${B}`, { view: "compare", digests: [A, B] }],
    ["#/compare/short", { view: "compare", digests: [] }],
    ["#/nowhere", { view: "experiment", digests: [] }],
    ["#/<script>", { view: "experiment", digests: [] }],
  ];
  for (const [hash, route] of cases) assert.deepEqual(addressFromHash(hash), { route }, hash);
});

test("takes every other fragment for a link, broken ones too", () => {
  for (const hash of ["#r1.abc", "#c1.abc", "#c9.abc", "#garbage", "#%zz"]) assert.deepEqual(addressFromHash(hash), { link: hash });
});

test("writes what it reads", () => {
  assert.equal(hashFromRoute("runs"), "#/runs");
  assert.deepEqual(addressFromHash(hashFromRoute("compare", [A, B])), { route: { view: "compare", digests: [A, B] } });
});

test("an address that somebody has just gone to is not replaced before it is read", () => {
  /** @type {unknown[]} */
  const replaced = [];
  const location = { hash: "" };
  /** @type {() => void} */
  let changed = () => {};
  const view = /** @type {any} */ ({
    location,
    history: { replaceState: (/** @type {unknown[]} */ ...values) => replaced.push((location.hash = String(values[2]))) },
    addEventListener: (/** @type {string} */ _, /** @type {() => void} */ listener) => (changed = listener),
  });
  const router = new Router(() => {}, view);
  router.start();
  router.replace("#r1.x");
  router.go("runs");
  router.replace("#r1.y");
  assert.equal(location.hash, "#/runs");
  changed();
  router.replace("#r1.y");
  assert.deepEqual(replaced, ["#r1.x", "#r1.y"]);
});

test("replaces the address without being told of it", () => {
  /** @type {unknown[]} */
  const replaced = [];
  const view = /** @type {any} */ ({
    location: { hash: "#/experiment" },
    history: { replaceState: (/** @type {unknown[]} */ ...values) => replaced.push(values[2]) },
    addEventListener() {},
  });
  let told = 0;
  const router = new Router(() => (told += 1), view);
  router.start();
  router.replace("#/experiment");
  router.replace("#r1.x");
  assert.deepEqual(replaced, ["#r1.x"]);
  assert.equal(told, 1);
});
