// @ts-check
/** @file The peer bench's arithmetic over made-up measurements, its command line, and the loop that measures the peak. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { readOptions } from "../../benches/peers/options.mjs";
import { measurePeak, peakModule } from "../../benches/peers/page/peak.mjs";
import { timed } from "../../benches/peers/page/timing.mjs";
import { means, median, medians, ratios, remarks, tables } from "../../benches/peers/report.mjs";

/** @import { Result } from "../../benches/peers/report.mjs" */

/**
 * @param {number} round
 * @param {string} engine
 * @param {number} latency
 * @param {number} rate
 * @param {Partial<Result>} [more]
 * @returns {Result}
 */
const inference = (round, engine, latency, rate, more = {}) =>
  ({ round, engine, model: "m1", measure: "infer", latency, latency95: 2 * latency, rate, gflops: rate / 10, peak: 50, logitsError: 1e-6, calibration: 5, ...more });

/** @param {number} round @param {string} engine @param {number} rate @returns {Result} */
const training = (round, engine, rate) =>
  ({ round, engine, model: "m1", measure: "train", rate, step: 64_000 / rate, forward: 16_000 / rate, forwardKind: "training", lossError: 1e-7, calibration: 5 });

test("a median of an even number lies between the two in the middle", () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
});

test("ratios are taken within a round, and their median over the rounds", () => {
  const results = [
    inference(0, "assay", 1, 100), inference(0, "a", 2, 50), inference(0, "b", 4, 80),
    // The machine was half as fast: no ratio changes.
    inference(1, "assay", 2, 50), inference(1, "a", 4, 25), inference(1, "b", 8, 40),
    inference(2, "assay", 1, 100), inference(2, "a", 1, 50), inference(2, "b", 4, 80),
  ];
  assert.deepEqual(ratios(results), {
    m1: { latency: { best: 2, by: { a: 2, b: 4 } }, throughput: { best: 1.25, by: { a: 2, b: 1.25 } } },
  });
});

test("the best peer is chosen round by round, and training is compared among those that train", () => {
  const results = [
    inference(0, "assay", 1, 100), inference(0, "a", 2, 10), inference(0, "b", 3, 10),
    inference(1, "assay", 1, 100), inference(1, "a", 3, 10), inference(1, "b", 2, 10),
    training(0, "assay", 640), training(0, "a", 160),
  ];
  const found = ratios(results);
  assert.equal(found.m1.latency?.best, 2);
  assert.deepEqual(found.m1.training, { best: 4, by: { a: 4 } });
});

test("what failed or is wrong is in no ratio and no median, and is named", () => {
  const results = [
    inference(0, "assay", 1, 100), inference(0, "a", 2, 50), inference(0, "b", 0.1, 900, { logitsError: 0.2 }),
    { round: 0, engine: "c", model: "m1", measure: /** @type {const} */ ("infer"), error: "it broke" },
  ];
  assert.deepEqual(ratios(results).m1.latency, { best: 2, by: { a: 2 } });
  assert.equal(medians(results).b?.m1?.latency, undefined);
  assert.equal(medians(results).c, undefined);
  assert.deepEqual(remarks(results), [
    "c m1 infer: FAILED: it broke",
    "b m1: WRONG, left out: logits differ from the reference by 2.0e-1",
  ]);
});

test("disturbed measurements and other gradients are pointed out", () => {
  const results = [inference(0, "assay", 1, 100), inference(1, "assay", 1, 100, { calibration: 10 }), { ...training(0, "a", 64), lossError: 0.1 }];
  const [gradients, disturbed] = remarks(results);
  assert.match(gradients, /^a m1: its first losses differ from the reference by 1.0e-1/);
  assert.match(disturbed, /^1 of 3 measurements were disturbed: .* 2.00 times/);
});

test("engines on the GPU are compared with one another alone", () => {
  const results = [
    inference(0, "assay", 1, 100), inference(0, "a", 2, 50),
    inference(0, "assay-gpu", 10, 400), inference(0, "a-webgpu", 5, 100), inference(0, "b-webgpu", 20, 200),
  ];
  assert.deepEqual(ratios(results).m1.latency, { best: 2, by: { a: 2 } });
  assert.deepEqual(ratios(results, "assay-gpu").m1, {
    latency: { best: 0.5, by: { "a-webgpu": 0.5, "b-webgpu": 2 } }, throughput: { best: 2, by: { "a-webgpu": 4, "b-webgpu": 2 } },
  });
  const text = tables(results, ["m1"]);
  assert.match(text, /Assay is so many times as fast: latency/);
  assert.match(text, /Assay on the GPU is so many times as fast: latency/);
});

test("means are geometric, over the models", () => {
  const found = means({
    m1: { latency: { best: 2, by: { a: 2, b: 3 } } },
    m2: { latency: { best: 0.5, by: { a: 8 } } },
  });
  assert.ok(Math.abs((found.latency?.best ?? 0) - 1) < 1e-12);
  assert.ok(Math.abs((found.latency?.by.a ?? 0) - 4) < 1e-12);
  assert.equal(found.latency?.models, 2);
});

test("shares of the peak and steps per forward pass are medians of each round's own", () => {
  const results = [inference(0, "assay", 1, 100), inference(1, "assay", 1, 200, { peak: 100 }), training(0, "assay", 640)];
  const { shareOfPeak, stepPerForward, throughput } = medians(results).assay.m1;
  assert.deepEqual([shareOfPeak, stepPerForward, throughput], [0.2, 4, 150]);
});

test("the tables name every engine and leave out what nobody measured", () => {
  const text = tables([inference(0, "assay", 1, 100), inference(0, "a", 2, 50)], ["m1", "m2"]);
  assert.match(text, /assay +1 *\n/);
  assert.match(text, /Assay is so many times as fast: latency/);
  assert.match(text, /best peer +2 +2\n/);
  assert.doesNotMatch(text, /Training/);
});

test("the command line refuses what it does not know", () => {
  const known = { models: ["m1", "m2"], engines: ["assay", "a", "assay-int8", "assay-gpu", "a-webgpu"], gpu: ["assay-gpu", "a-webgpu"], int8: ["assay-int8"] };
  assert.deepEqual(readOptions(["--models=m2,m1", "--rounds", "2", "--json"], known), {
    rounds: 2, models: ["m1", "m2"], engines: ["assay", "a"], measures: ["infer", "train"], budget: 800, least: 3, steps: 2, adapter: "swiftshader", json: true,
  });
  assert.deepEqual(readOptions(["--gpu"], known).engines, known.gpu, "the GPU is measured only when it is asked for");
  assert.deepEqual(readOptions(["--int8"], known).engines, known.int8, "and so are integers");
  assert.deepEqual(readOptions(["--engines=assay,a-webgpu"], known).engines, ["assay", "a-webgpu"]);
  assert.throws(() => readOptions(["--adapter", "fast"], known), /there is no fast; there are swiftshader, default/);
  assert.throws(() => readOptions(["--models", "m9"], known), /there is no m9; there are m1, m2/);
  assert.throws(() => readOptions(["--rounds", "0"], known), /whole number from 1/);
  assert.throws(() => readOptions(["--rounds"], known), /needs a value/);
  assert.throws(() => readOptions(["--fast", "1"], known), /there is no option --fast/);
});

test("the peak's module multiplies and adds as often as it says", async () => {
  for (const chains of [1, 8, 14]) {
    const { instance } = await WebAssembly.instantiate(peakModule(chains));
    const run = /** @type {(loops: number, factor: number, term: number) => number} */ (instance.exports.run);
    // Chain c starts at c + 2; one loop takes it to 2c + 5; the sum over the chains is chains · (chains + 4).
    assert.equal(run(1, 2, 1), chains * (chains + 4), `${chains} chains`);
    assert.equal(run(60, 0.5, 1), 2 * chains, "it converges to term / (1 - factor)");
  }
  assert.ok((await measurePeak(8)) > 0);
});

test("quick calls are timed in groups, promises are waited for", async () => {
  const quick = await timed(() => 0, { warmUp: 2, budget: 5 });
  assert.ok(quick.group > 10 && quick.millis.length >= 3);
  const slow = await timed(() => new Promise((resolve) => setTimeout(resolve, 3)), { warmUp: 1, budget: 1 });
  assert.equal(slow.group, 1);
  assert.ok(slow.millis.every((millis) => millis > 1));
});

test("engines in integers are compared with one another alone, not among ours, and may be off by more", () => {
  const results = [
    inference(0, "assay", 1, 100), inference(0, "a", 2, 50), inference(0, "assay-int8", 1, 300, { logitsError: 0.09 }),
    inference(0, "assay-int8-dynamic", 1, 200, { logitsError: 0.02 }), inference(0, "a-int8-static", 3, 150, { logitsError: 0.04 }),
    inference(0, "b-int8-dynamic", 0.1, 900, { logitsError: 0.11 }),
  ];
  assert.deepEqual(ratios(results, "assay-int8").m1, { latency: { best: 3, by: { "a-int8-static": 3 } }, throughput: { best: 2, by: { "a-int8-static": 2 } } });
  assert.deepEqual(ratios(results).m1.throughput, { best: 2, by: { a: 2 } });
  assert.match(tables(results, ["m1"]), /Assay in dynamic integers is so many times as fast: throughput\n.*\nbest peer +1\.33 +1\.33/);
  assert.deepEqual(remarks(results), ["b-int8-dynamic m1: WRONG, left out: logits differ from the reference by 1.1e-1"]);
});
