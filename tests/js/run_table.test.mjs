// @ts-check
/** @file The filter language, the order of rows, the columns that differ and the selection, on made-up runs. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { columnsOf, differingPaths, FIXED, sorted } from "../../www/run_table/columns.js";
import { filtered, parseFilter } from "../../www/run_table/filter.js";
import { rowsOf } from "../../www/run_table/rows.js";
import { EMPTY, everything, extent, kept, ranged, toggled } from "../../www/run_table/selection.js";

/** @import { AnnotationState, RunSummary } from "../../www/types.js" */

/**
 * @param {number} index
 * @param {Partial<RunSummary>} [change]
 * @returns {RunSummary}
 */
function summary(index, change = {}) {
  return {
    digest: `digest-${index}`,
    started: new Date(Date.UTC(2026, 0, 1) + index * 60_000).toISOString().replace(".000", ""),
    status: "complete", set: "digits", family: "lenet", architecture: "lenet 16, kernel 3", scheme: "f32", seed: index, epochs: 12,
    keptEpoch: 11, accuracy: 0.95 + (index % 50) / 1000, accuracyLow: 0.93, accuracyHigh: 0.99, correct: 350, total: 360,
    p50Millis: 0.1 + (index % 7) / 10, weightBytes: 90_000 + (index % 11) * 1000, parameters: 20_000 + index, macs: 400_000,
    engine: "cpu", arithmetic: "wasm-1", browser: "Chromium 140", recipeDigest: `recipe-${index}`, weightsDigest: `weights-${index}`,
    predictionsDigest: `predictions-${index}`, durationSecs: 12, flags: [], altered: false,
    recipe: { "data.set": "digits", "training.learning_rate": String(0.001 * (1 + (index % 3))), "training.optimizer": "adamw", seed: String(index) },
    ...change,
  };
}

/** @param {string} text @param {RunSummary[]} summaries @param {Record<string, AnnotationState>} [annotations] */
function found(text, summaries, annotations = {}) {
  const rows = rowsOf(summaries, annotations);
  return filtered(rows, parseFilter(text, ["data.set", "training.learning_rate", "training.optimizer", "seed"])).map((row) => row.digest);
}

test("finds plain words in name, note and any recipe value", () => {
  const runs = [summary(0), summary(1), summary(2, { recipe: { "training.optimizer": "sgd" } })];
  const people = { "digest-0": { name: "Wide net" }, "digest-1": { note: "try a lower rate" } };
  assert.deepEqual(found("WIDE", runs, people), ["digest-0"]);
  assert.deepEqual(found('"lower rate"', runs, people), ["digest-1"]);
  assert.deepEqual(found("sgd", runs, people), ["digest-2"]);
  assert.deepEqual(found("-sgd -wide", runs, people), ["digest-1"]);
  assert.deepEqual(found("", runs, people).length, 3);
});

test("understands fields, units and comparisons", () => {
  const runs = [
    summary(0, { accuracy: 0.96, p50Millis: 0.2, weightBytes: 92_000 }),
    summary(1, { accuracy: 0.98, p50Millis: 2, weightBytes: 24_000 }),
    summary(2, { status: "stopped", accuracy: undefined, p50Millis: undefined, weightBytes: undefined }),
  ];
  /** @type {[string, string[]][]} */
  const cases = [
    ["status:stopped", ["digest-2"]],
    ["-status:stopped", ["digest-0", "digest-1"]],
    ["accuracy>0.97", ["digest-1"]],
    ["accuracy>97%", ["digest-1"]],
    ["accuracy>97", ["digest-1"]],
    ["accuracy<0.97", ["digest-0"]],
    ["p50<=200µs", ["digest-0"]],
    ["size<30kB", ["digest-1"]],
    ["optimizer:adamw seed>=1", ["digest-1", "digest-2"]],
    ["training.learning_rate=0.002", ["digest-1"]],
    ["accuracy>", ["digest-0", "digest-1", "digest-2"]],
    ["started>2026-01-01T00:01", ["digest-1", "digest-2"]],
  ];
  const wrong = cases.filter(([text, wanted]) => JSON.stringify(found(text, runs)) !== JSON.stringify(wanted))
    .map(([text]) => `${text} found ${found(text, runs)}`);
  assert.deepEqual(wrong, []);
});

test("says what it does not understand and leaves it out", () => {
  const filter = parseFilter("acuracy>0.9 accuracy>high is:good", []);
  assert.equal(filter.tests.length, 0);
  assert.equal(filter.problems.length, 3);
  assert.match(filter.problems[0] ?? "", /“acuracy” is not a field\. Fields are /u);
  assert.match(filter.problems[1] ?? "", /needs a number, optionally with %, not “high”/u);
  assert.match(filter.problems[2] ?? "", /Known are: is:pinned/u);
});

test("is: asks for what people did with a run", () => {
  const runs = [summary(0), summary(1, { altered: true }), summary(2)];
  const people = { "digest-0": { pin: true }, "digest-2": { deleted: true } };
  assert.deepEqual(found("is:pinned", runs, people), ["digest-0"]);
  assert.deepEqual(found("is:altered", runs, people), ["digest-1"]);
  assert.deepEqual(found("status:altered", runs, people), ["digest-1"]);
  assert.ok(parseFilter("is:deleted").asksDeleted);
});

test("any text whatever is read without an exception", () => {
  const odd = ['"', "-", "--", '-"', "a:b:c", ":::", ">=", "((((", "is:", "constructor:x", "__proto__>1", "is:constructor", "\\u0000", "é:ü", "a".repeat(10_000)];
  for (const text of odd) assert.doesNotThrow(() => found(text, [summary(0)]), text);
});

test("sorts numbers as numbers, missing ones last, equal ones newest first", () => {
  const rows = rowsOf([summary(0, { p50Millis: 2 }), summary(1, { p50Millis: undefined }), summary(2, { p50Millis: 0.5 }), summary(3, { p50Millis: 2 })], {});
  const column = FIXED.find((item) => item.key === "p50");
  assert.ok(column);
  assert.deepEqual(sorted(rows, column, false).map((row) => row.digest), ["digest-2", "digest-3", "digest-0", "digest-1"]);
  assert.deepEqual(sorted(rows, column, true).map((row) => row.digest), ["digest-3", "digest-0", "digest-2", "digest-1"]);
});

test("shows only recipe fields that differ, and all on demand", () => {
  const rows = rowsOf([summary(0), summary(1, { recipe: { ...summary(0).recipe, "training.optimizer": "sgd", "training.momentum": "0.9" } })], {});
  assert.deepEqual([...differingPaths(rows)].sort(), ["training.momentum", "training.optimizer"]);
  const fields = [{ path: "training.optimizer", label: "Optimizer" }, { path: "training.momentum", label: "Momentum" }, { path: "seed", label: "Seed" }];
  assert.deepEqual(columnsOf(rows, fields, false).filter((item) => item.recipe).map((item) => item.label), ["Optimizer", "Momentum"]);
  assert.equal(columnsOf(rows, fields, true).filter((item) => item.recipe).length, 5);
  assert.equal(columnsOf(rows.slice(0, 1), fields, false).some((item) => item.recipe), false);
});

test("shows the schemes of single layers in one column, whatever the layers are called", () => {
  const of = (/** @type {Record<string, string>} */ layers) =>
    ({ recipe: { ...summary(0).recipe, ...Object.fromEntries(Object.entries(layers).map(([layer, scheme]) => [`quantization.layers.${layer}`, scheme])) } });
  const rows = rowsOf([summary(0), summary(1, of({ dense: "int4", conv1: "f32", conv2: "int4" })), summary(2, of({ "blocks.0.qkv": "int8" }))], {});
  const columns = columnsOf(rows, [], false).filter((item) => item.recipe);
  assert.deepEqual(columns.map(({ key, label }) => [key, label]), [["quantization.layers", "Layers"]]);
  const words = Object.fromEntries(rows.map((row) => [row.digest, columns[0]?.value(row)]));
  assert.deepEqual(words, { "digest-0": undefined, "digest-1": "f32: conv1; int4: conv2, dense", "digest-2": "int8: blocks.0.qkv" });
  const plain = rowsOf([summary(0), summary(1, { recipe: { ...summary(0).recipe, seed: "9" } })], {});
  assert.deepEqual(columnsOf(plain, [], true).filter((item) => item.key === "quantization.layers"), []);
});

test("keeps the row of a record that did not change", () => {
  const runs = [summary(0), summary(1)];
  const first = rowsOf(runs, {});
  const again = rowsOf(runs, { "digest-1": { name: "new" } }, new Map(first.map((row) => [row.digest, row])));
  assert.equal(again[0], first[0]);
  assert.notEqual(again[1], first[1]);
  assert.equal(again[1]?.title, "new");
});

test("selects by toggle and by range, and never what is not shown", () => {
  const order = ["a", "b", "c", "d", "e"];
  const one = toggled(EMPTY, "b");
  const range = ranged(one, "d", order);
  assert.deepEqual([...range.digests], ["b", "c", "d"]);
  assert.deepEqual([...ranged(range, "a", order).digests].sort(), ["a", "b", "c", "d"]);
  const off = toggled(range, "c");
  assert.deepEqual([...ranged(off, "d", order).digests], ["b"], "a range from a run just unselected unselects");
  assert.deepEqual([...ranged(EMPTY, "c", order).digests], ["c"], "without an anchor a range is a toggle");
  assert.deepEqual([...kept(range, ["a", "c"]).digests], ["c"]);
  assert.equal(extent(range, order), "some");
  assert.equal(extent(everything(order), order), "all");
  assert.equal(extent(EMPTY, order), "none");
});

test("5,000 runs: open, sort and filter are fast", () => {
  const summaries = Array.from({ length: 5000 }, (_, index) => summary(index));
  /** @type {Record<string, number>} */
  const millis = {};
  /** @template T @param {string} name @param {() => T} work @returns {T} */
  const timed = (name, work) => {
    const start = performance.now();
    const value = work();
    millis[name] = performance.now() - start;
    return value;
  };
  const rows = timed("rows", () => rowsOf(summaries, {}));
  const columns = timed("columns", () => columnsOf(rows, [], false));
  for (const column of columns) timed(`sort by ${column.key}`, () => sorted(rows, column, true));
  timed("filter by word", () => filtered(rows, parseFilter("sgd")));
  timed("filter by fields", () => filtered(rows, parseFilter("accuracy>0.97 p50<0.5ms learning_rate:0.002", ["training.learning_rate"])));
  console.log(Object.entries(millis).map(([name, value]) => `${name} ${value.toFixed(1)} ms`).join(" · "));
  const slow = Object.entries(millis).filter(([, value]) => value > 200).map(([name, value]) => `${name}: ${value.toFixed(0)} ms`);
  assert.deepEqual(slow, []);
});

test("the engine is a column where it differs, and can be filtered by", () => {
  const runs = [summary(0), summary(1, { engine: "gpu", agrees: true }), summary(2, { engine: "mixed", agrees: true }), summary(3, { engine: "gpu", agrees: false })];
  const keys = (/** @type {RunSummary[]} */ shown, every = false) => columnsOf(rowsOf(shown, {}), [], every).map(({ key }) => key);
  assert.ok(keys(runs).includes("engine"));
  assert.ok(!keys(runs.slice(0, 1)).includes("engine") && !keys(runs.slice(0, 1), true).includes("engine"));
  assert.ok(!keys(runs.slice(1, 2)).includes("engine") && keys(runs.slice(1, 2), true).includes("engine"));
  assert.deepEqual(found("engine:gpu", runs), ["digest-1", "digest-3"]);
  assert.deepEqual(found("is:mixed", runs), ["digest-2"]);
  assert.deepEqual(found("is:disagrees", runs), ["digest-3"]);
  assert.deepEqual(found('"engine disagrees"', runs), ["digest-3"]);
});
