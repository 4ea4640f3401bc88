// @ts-check
/** @file Variants: each record is logged as it comes, a stop and a failure keep what was recorded, a search goes on after a reload. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Store } from "../../www/store.js";
import { quantizationWords, variantName } from "../../www/quantization_words.js";
import { quantizationKey, quantizationKeyOf, Variants, variantsOf } from "../../www/variants.js";

/** @param {Partial<import("../../www/types.js").RunSummary>} [more] @returns {any} */
const summary = (more = {}) => ({ digest: "d", weightsDigest: "w", status: "complete", altered: false, accuracy: 0.9, started: "1", scheme: "f32", weightBytes: 100, recipe: { "quantization.scheme": more.scheme ?? "f32", seed: "1" }, ...more });

/**
 * @param {(body: any, onEvent: (event: any) => void) => Promise<any>} work of the lab
 * @param {Map<string, string>} [kept] storage that outlives a page
 */
function page(work, kept = new Map()) {
  const store = new Store();
  store.update({ lab: "ready" });
  /** @type {string[]} */
  const logged = [];
  /** Weights that came with a record. @type {Map<string, any[]>} */
  const came = new Map();
  /** @type {any[]} */
  const commands = [];
  const models = { told: 0 };
  const variants = new Variants({
    store,
    onModel: () => (models.told += 1),
    lab: /** @type {any} */ ({
      command: (/** @type {any} */ body, /** @type {any} */ { onEvent } = {}) => {
        commands.push(body);
        return { id: commands.length, done: body.type === "stop" ? Promise.resolve({}) : work(body, onEvent) };
      },
    }),
    log: /** @type {any} */ ({
      append: async (/** @type {string} */ text, /** @type {any[]} */ ...weights) => {
        logged.push(text);
        if (weights.some(Boolean)) came.set(text, weights);
      },
      recordText: async () => "a record",
      weights: async (/** @type {string} */ digest) => (digest === "w" ? new Uint8Array(3) : null),
      summaries: new Map([["d", summary()], ["without", summary({ weightsDigest: "gone" })]]),
    }),
    storage: { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => void kept.set(key, value), removeItem: (key) => void kept.delete(key) },
  });
  return { store, variants, logged, came, commands, kept, models };
}

test("every variant is logged as it comes, and the store says which one it is", async () => {
  /** @type {any[]} */
  const seen = [];
  const { store, variants, logged, came, commands, models } = page(async (body, onEvent) => {
    for (const [index, it] of body.quantizations.entries()) {
      onEvent({ type: "variant", index, count: 2 });
      onEvent({ type: "stage", name: "scoring", fraction: 0.5 });
      seen.push({ ...store.state.variants });
      onEvent({ type: "recorded", record: it.scheme, ...(index === 1 ? { fineTuned: new Uint8Array([7]) } : {}) });
    }
    return { digests: ["x", "y"] };
  });
  assert.deepEqual(await variants.start("d", [{ scheme: "int4" }, { scheme: "int8" }]), ["x", "y"]);
  assert.deepEqual(logged, ["int4", "int8"]);
  assert.deepEqual([...came], [["int8", [undefined, new Uint8Array([7])]]], "the trained weights are there already");
  assert.equal(models.told, 2, "the lab holds another model to play with after each");
  assert.equal(commands[0].record, "a record");
  assert.deepEqual([seen[1].index, seen[1].count, seen[1].stage], [1, 2, "scoring"]);
  assert.equal(store.state.variants, null);
});

test("what cannot begin says why, and what fails keeps what was recorded", async () => {
  const { store, variants, logged } = page(async (_, onEvent) => {
    onEvent({ type: "recorded", record: "one" });
    throw Object.assign(new Error("it broke"), { kind: "engine" });
  });
  assert.deepEqual(await variants.start("without", [{ scheme: "int4" }]), []);
  assert.match(store.state.notices.at(-1)?.text ?? "", /weights of this run are not stored/);
  assert.deepEqual(await variants.start("d", [{ scheme: "int4" }]), []);
  assert.match(store.state.notices.at(-1)?.text ?? "", /it broke\. One variant was recorded before that/);
  assert.deepEqual(logged, ["one"]);
  assert.equal(store.state.variants, null);
  store.update({ lab: "starting" });
  await variants.start("d", [{ scheme: "int4" }]);
  assert.match(store.state.notices.at(-1)?.text ?? "", /still starting/);
});

test("a stop reaches the lab, and only while something is going on", async () => {
  let end = (/** @type {any} */ _) => {};
  const { store, variants, commands } = page(() => new Promise((resolve) => (end = resolve)));
  variants.stop();
  assert.equal(commands.length, 0);
  const going = variants.start("d", [{ scheme: "int4" }, { scheme: "int8" }]);
  await new Promise((resolve) => setTimeout(resolve));
  variants.stop();
  assert.deepEqual(commands.at(-1), { type: "stop", target: 1 });
  assert.equal(store.state.variants?.stopping, true);
  await variants.start("d", [{ scheme: "f16" }]);
  assert.match(store.state.notices.at(-1)?.text ?? "", /running already/);
  end({ digests: ["x"] });
  assert.deepEqual(await going, ["x"]);
});

test("a search goes on from what was measured before the reload, for the same budget only", async () => {
  const kept = new Map();
  const point = (/** @type {number} */ bytes) => ({ layers: {}, correct: 1, rows: 2, bytes });
  const first = page(async (_, onEvent) => {
    onEvent({ type: "searched", point: point(1), fraction: 0.1 });
    onEvent({ type: "searched", point: point(2), fraction: 0.2 });
    throw new Error("the page went away");
  }, kept);
  await first.variants.search("d", { points: 1 });
  assert.equal(first.variants.keptSearch("d")?.points.length, 2);
  const second = page(async () => ({ path: [], words: "found", digest: "x" }), kept);
  await second.variants.search("d", { points: 2 });
  assert.deepEqual(second.commands[0].known, []);
  kept.set("assay-search-d", JSON.stringify({ budget: { points: 1 }, points: [point(1), point(2)] }));
  await second.variants.search("d", { points: 1 });
  assert.equal(second.commands[1].known.length, 2);
  assert.equal(second.variants.keptSearch("d"), null);
  assert.equal(second.store.state.searched?.found, "x");
  kept.set("assay-search-d", "not JSON");
  assert.equal(second.variants.keptSearch("d"), null);
});

test("a stopped search keeps its points and says that it goes on", async () => {
  const { store, variants } = page(async (_, onEvent) => {
    onEvent({ type: "searched", point: { layers: {} }, fraction: 0.1 });
    return { path: [], stopped: true };
  });
  await variants.search("d", { bytes: 10 });
  assert.equal(variants.keptSearch("d")?.points.length, 1);
  assert.match(store.state.searched?.words ?? "", /goes on from here/);
});

test("variants of a model are its complete runs, one for each quantization, f32 first", () => {
  const rows = variantsOf(
    [
      summary({ digest: "small", scheme: "int4", weightBytes: 10 }),
      summary({ digest: "old", started: "0" }),
      summary({ digest: "exact" }),
      summary({ digest: "other", weightsDigest: "v" }),
      summary({ digest: "stopped", scheme: "f16", status: "stopped" }),
      summary({ digest: "altered", scheme: "f16", altered: true }),
      summary({ digest: "large", scheme: "Q6_K", weightBytes: 200 }),
    ],
    "w",
  );
  assert.deepEqual(rows.map(({ digest }) => digest), ["exact", "large", "small"]);
  assert.deepEqual(variantsOf([summary()], null), []);
});

test("a quantization has one key, from a summary and from a recipe", () => {
  const quantization = { scheme: "int8", calibration: "entropy", layers: { conv1: "f32", dense: "int4" } };
  const recipe = { seed: "1", "quantization.calibration": "entropy", "quantization.layers.conv1": "f32", "quantization.layers.dense": "int4", "quantization.scheme": "int8" };
  assert.equal(quantizationKey(summary({ scheme: "int8", recipe })), quantizationKeyOf(quantization));
  assert.equal(variantName(summary({ scheme: "int8", recipe })), "int8 · entropy · 2 layers apart");
  assert.equal(quantizationWords(quantization), "int8 · entropy · 2 layers apart");
  const changed = { scheme: "f32", pruning: "channels", pruned_percent: 25, equalization: "on", fine_tune_epochs: 1, bias_correction: "off" };
  assert.equal(quantizationWords(changed), "f32 · 25 % of channels pruned · equalized · 1 epoch fine-tuned");
});
