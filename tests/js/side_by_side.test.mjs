// @ts-check
/** @file Runs side by side, against labs that do what the test says: one is timed at a time, and nothing else works meanwhile. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { SideBySide } from "../../www/side_by_side.js";

/** A lab whose run goes on when the test says so; it is `busy` while it computes. */
class FakeLab {
  constructor() {
    this.lastId = 0;
    this.busy = false;
    this.steered = "";
    /** @type {any} */
    this.recipe = null;
    /** @type {(event: any) => void} */
    this.onEvent = () => {};
    /** @type {(value?: any) => void} */
    this.resolve = () => {};
    /** @type {(error: Error) => void} */
    this.reject = () => {};
  }

  /** @param {any} body @param {any} [options] */
  command(body, { onEvent = () => {} } = {}) {
    const id = ++this.lastId;
    if (body.type !== "run") {
      this.steered += `${body.type} `;
      this.busy = body.type === "continue";
      return { id, done: Promise.resolve({}) };
    }
    assert.equal(body.holdTiming, true);
    this.recipe = body.recipe;
    this.busy = true;
    this.onEvent = onEvent;
    const done = new Promise((resolve, reject) => Object.assign(this, { resolve, reject }));
    return { id, done };
  }

  waitToBeTimed() {
    this.busy = false;
    this.onEvent({ type: "stage", name: "waiting to be timed" });
  }

  end() {
    this.busy = false;
    this.onEvent({ type: "recorded", record: `record of ${this.recipe}` });
    this.resolve({});
  }
}

/** Lets everything that can happen happen. */
const settle = () => new Promise((resolve) => setTimeout(resolve));

/** @param {number} count @param {string[]} recipes */
function begun(count, recipes) {
  const labs = Array.from({ length: count }, () => new FakeLab());
  /** @type {string[]} */
  const heard = [];
  const left = [...recipes];
  const side = new SideBySide(/** @type {any} */ (labs));
  const all = side.run({
    take: () => {
      const next = left.shift();
      return next === undefined ? null : { item: next, recipe: /** @type {any} */ (next) };
    },
    onRecord: async ({ record }, item) => void heard.push(`${item}: ${record}`),
    onGpuLost: ({ reason, decided }, item) => void heard.push(`${item}: ${reason}, ${decided ?? "nobody decided"}`),
    onEnd: (item, error) => void heard.push(error ? `${item} failed: ${error.message}` : `${item} ended`),
  });
  return { labs, heard, left, side, all, working: () => labs.map(({ busy }) => Number(busy)).join("") };
}

test("each lab takes the next recipe when it is free", async () => {
  const { labs, heard, left, all } = begun(2, ["a", "b", "c"]);
  await settle();
  assert.deepEqual([labs.map(({ recipe }) => recipe), left], [["a", "b"], ["c"]]);
  labs[1].end();
  await settle();
  assert.equal(labs[1].recipe, "c");
  labs[0].end();
  labs[1].end();
  await all;
  assert.deepEqual(heard.filter((each) => each.endsWith("ended")), ["b ended", "a ended", "c ended"]);
  assert.ok(heard.includes("c: record of c"));
});

test("while one is timed the others hold, and none begins", async () => {
  const { labs, working, left, all } = begun(3, ["a", "b", "c", "d"]);
  await settle();
  labs[2].end();
  await settle();
  assert.deepEqual([working(), left], ["111", []]);
  labs[0].waitToBeTimed();
  await settle();
  assert.equal(working(), "100");
  assert.deepEqual(labs.map(({ steered }) => steered), ["continue ", "pause ", "pause "]);
  labs[0].end();
  await settle();
  assert.equal(working(), "011");
  labs[1].end();
  labs[2].end();
  await all;
});

test("those that wait are timed one after the other before the rest goes on", async () => {
  const { labs, working, left, all } = begun(3, ["a", "b", "c", "d"]);
  await settle();
  labs[0].waitToBeTimed();
  labs[1].waitToBeTimed();
  await settle();
  assert.equal(working(), "100");
  labs[0].end();
  await settle();
  assert.deepEqual([working(), left], ["010", ["d"]]);
  labs[1].end();
  await settle();
  assert.deepEqual([working(), left], ["101", []]);
  labs[0].end();
  labs[2].end();
  await all;
});

test("a lab that dies frees the others and ends only its own run", async () => {
  const { labs, working, heard, all } = begun(2, ["a", "b"]);
  await settle();
  labs[0].waitToBeTimed();
  await settle();
  labs[0].busy = false;
  labs[0].reject(new Error("crashed"));
  await settle();
  assert.equal(working(), "01");
  labs[1].end();
  await all;
  assert.deepEqual(heard, ["a failed: crashed", "b: record of b", "b ended"]);
});

test("a stop ends what is going on, held runs too, and takes nothing more", async () => {
  const { labs, left, side, all } = begun(2, ["a", "b", "c"]);
  await settle();
  labs[0].waitToBeTimed();
  await settle();
  side.stop();
  assert.deepEqual(labs.map(({ steered }) => steered.trim().split(" ").at(-1)), ["stop", "stop"]);
  labs[0].end();
  labs[1].end();
  await all;
  assert.deepEqual(left, ["c"]);
});

test("a run whose GPU is lost goes on on the CPU without asking, unless its recipe decides", async () => {
  const { labs, heard, all } = begun(2, ["a", "b"]);
  await settle();
  labs[0]?.onEvent({ type: "gpuLost", reason: "gone", epoch: 1, decided: null });
  labs[1]?.onEvent({ type: "gpuLost", reason: "gone", epoch: 1, decided: "smaller batch" });
  await settle();
  assert.deepEqual(labs.map(({ steered }) => steered), ["decide ", ""]);
  for (const lab of labs) lab.end();
  await all;
  assert.deepEqual(heard, ["a: gone, nobody decided", "b: gone, smaller batch", "a: record of a", "b: record of b", "a ended", "b ended"]);
});
