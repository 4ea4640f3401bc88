// @ts-check
/** @file The queue side by side: each run is logged once, the labs end with it, and what cannot be run is told. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Store } from "../../www/store.js";
import { Sweeps } from "../../www/sweeps.js";

/** Runs at once: a record for every recipe but a bad one. */
class InstantLab extends EventTarget {
  constructor() {
    super();
    this.started = false;
    this.closed = false;
  }

  start() {
    this.started = true;
    this.dispatchEvent(new Event("ready"));
  }

  close() {
    this.closed = true;
  }

  /** @param {any} body @param {any} [options] */
  command(body, { onEvent = () => {} } = {}) {
    const work = async () => {
      await new Promise((resolve) => setTimeout(resolve));
      if (body.recipe === "fails") throw new Error("it broke");
      onEvent({ type: "recorded", record: body.recipe, bytes: new Uint8Array(1), fineTuned: new Uint8Array(2) });
    };
    return { id: 1, done: body.type === "run" ? work() : Promise.resolve({}) };
  }
}

/** @param {string[]} recipes @param {number} cores */
function page(recipes, cores) {
  const store = new Store();
  store.update({ queue: recipes.map((text, id) => ({ id, recipeText: text, recipeDigest: "", label: `run ${text}` })) });
  /** @type {InstantLab[]} */
  const labs = [];
  /** @type {string[]} */
  const logged = [];
  /** Bytes of the weights that came with each record. @type {(number|undefined)[][]} */
  const came = [];
  const sweeps = new Sweeps({
    store,
    cores,
    wasm: {
      checkRecipe: (text) => {
        if (text === "bad") throw Object.assign(new Error("it cannot be used"), { kind: "recipe" });
        return /** @type {any} */ ({ recipe: text });
      },
    },
    log: {
      append: async (record, weights, fineTuned) => {
        logged.push(record);
        came.push([weights?.length, fineTuned?.length]);
        return /** @type {any} */ ({});
      },
    },
    makeLab: () => {
      const lab = new InstantLab();
      labs.push(lab);
      return /** @type {any} */ (lab);
    },
  });
  return { store, sweeps, labs, logged, came };
}

test("every recipe of the queue is run and logged, and the labs end", async () => {
  const { store, sweeps, labs, logged, came } = page(["a", "b", "c", "d", "e"], 3);
  const all = sweeps.start();
  assert.equal(store.state.sweep?.labs, 3);
  await all;
  assert.deepEqual(logged.sort(), ["a", "b", "c", "d", "e"]);
  assert.deepEqual(came, Array(5).fill([1, 2]));
  assert.deepEqual([store.state.queue, store.state.sweep, store.state.notices], [[], null, []]);
  assert.deepEqual(labs.map(({ started, closed }) => [started, closed]), [[true, true], [true, true], [true, true]]);
});

test("what cannot be run and what fails is told by name, and the others go on", async () => {
  const { store, sweeps, logged } = page(["bad", "a", "fails", "b"], 2);
  await sweeps.start();
  assert.deepEqual(logged.sort(), ["a", "b"]);
  assert.deepEqual(store.state.notices.map(({ text }) => text).sort(), ["run bad: it cannot be used", "run fails: it broke"]);
});

test("takes no more labs than recipes or cores, and none for an empty queue", async () => {
  const { sweeps, labs } = page([], 4);
  assert.deepEqual([0, 1, 3, 9].map((recipes) => sweeps.labsFor(recipes)), [0, 1, 3, 4]);
  await sweeps.start();
  assert.equal(labs.length, 0);
});

test("a stop leaves what has not begun in the queue", async () => {
  const { store, sweeps, logged } = page(["a", "b", "c", "d"], 2);
  const all = sweeps.start();
  sweeps.stop();
  assert.equal(store.state.sweep?.stopping, true);
  await all;
  assert.deepEqual([logged.sort(), store.state.queue.map(({ recipeText }) => recipeText)], [["a", "b"], ["c", "d"]]);
});
