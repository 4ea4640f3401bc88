// @ts-check
/** @file Damage is read where it has its form, and refused where a log from elsewhere says something else; histograms have their table. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { damageFrom, histogramChart } from "../../www/damage.js";

const histograms = { low: -1, high: 3, before: [1, 4, 9, 0], after: [0, 14, 0, 0] };

function damage() {
  return {
    layers: [{ layer: "conv1", arithmetic: "f32", reason: "", scheme: "int4", bytes: 10, f32Bytes: 80, sqnrDecibels: 12.5, cosine: 0.9, timeShare: 0.5, weights: histograms, activations: histograms }],
    flips: [{ row: 3, label: 1, before: 1, after: 2, marginBefore: 0.5, marginAfter: 0.25 }],
    classes: [{ class: "1", rows: 3, rightBefore: 3, rightAfter: 2, lost: 1, low: 0.1, high: 0.8 }],
    paired: { rows: 3, onlyFirst: 1, onlySecond: 0, pValue: 1, verdict: "can't tell", reason: "" },
    warnings: ["4 rows are few"],
  };
}

test("damage of the right form is read as it is", () => {
  const value = damage();
  assert.equal(damageFrom(value), value);
  const exact = damage();
  delete (/** @type {any} */ (exact.layers[0]).sqnrDecibels);
  delete (/** @type {any} */ (exact.layers[0]).weights);
  assert.equal(damageFrom(exact), exact);
});

test("whatever else stands in a record is none", () => {
  for (const value of [undefined, null, 3, "x", [], {}, { layers: 1 }]) assert.equal(damageFrom(value), null);
  /** @type {((it: any) => void)[]} */
  const breaks = [
    (it) => (it.layers[0].layer = 3),
    (it) => (it.layers[0].cosine = "1"),
    (it) => (it.layers[0].activations.after = [1]),
    (it) => (it.layers[0].activations = { low: 0, high: 1, before: Array(300).fill(0), after: Array(300).fill(0) }),
    (it) => (it.layers[0].weights = null),
    (it) => (it.flips[0].row = null),
    (it) => (it.classes[0].low = "0"),
    (it) => (it.paired = null),
    (it) => (it.paired.reason = {}),
    (it) => (it.warnings = [1]),
    (it) => (it.layers = [null]),
  ];
  for (const change of breaks) {
    const value = structuredClone(damage());
    change(value);
    assert.equal(damageFrom(value), null, String(change));
  }
});

test("a histogram says in its table what it draws", () => {
  const chart = histogramChart(histograms, "weights", 400);
  assert.deepEqual(chart.columns, ["from", "to", "before", "after"]);
  assert.deepEqual(chart.rows[1], ["0", "1.00", "4", "14"]);
  assert.match(chart.summary, /before fill 3 of 4 bars, those after 1/);
  assert.match(chart.svg, /viewBox="0 0 400 132"/);
  assert.doesNotMatch(chart.svg, /NaN|Infinity/);
  // One number only, and none at all.
  assert.doesNotMatch(histogramChart({ low: 2, high: 2, before: [0, 0], after: [0, 0] }, "values", 300).svg, /NaN|Infinity/);
});
