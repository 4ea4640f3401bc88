// @ts-check
/** @file The public API as a Node program uses it: the documented example, and what it throws. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { before, test } from "node:test";
import { AssayError, GpuModel, Model, initSync, score } from "../../www/pkg/assay.js";

/** @param {string} path from the root of the repository */
const file = (path) => readFile(new URL(`../../${path}`, import.meta.url));

const LAYERS = [
  { name: "flatten", type: "flatten" },
  { name: "classes", type: "linear", units: 3 },
];
/** @param {object[]} layers */
const graphOf = (layers) => JSON.stringify({ assay: "graph", version: 1, input: [1, 2, 2], layers });
const GRAPH = graphOf(LAYERS);
const TRAINING = { steps: 1, batchSize: 2, learningRate: 0.1 };
const ROWS = new Float32Array(8).fill(0.5);

before(async () => {
  initSync({ module: await file("www/pkg/assay_bg.wasm") });
});

test("the documented example runs in Node and comes to the committed digests", async () => {
  const place = { textContent: "" };
  Object.assign(globalThis, { document: { querySelector: () => place } });
  await import("../../docs/api-example/example.js");
  const result = JSON.parse(place.textContent);
  const golden = JSON.parse(String(await file("tests/golden/api-example.json")));
  assert.deepEqual(
    { arithmetic: result.info.arithmetic, predictions: result.predictionsDigest, weights: result.weights },
    golden,
  );
  assert.equal(result.trained.nonFinite, null);
  assert.ok(result.accuracy > 0.98 && result.low < result.accuracy && result.accuracy <= result.high);
  assert.ok(result.answer === 0 || result.answer === 1);
});

test("says what a model is and costs", () => {
  const model = Model.create(GRAPH, 7, { batch: 8 });
  const { arithmetic, ...info } = model.info();
  assert.match(arithmetic, /^cpu-\d+$/);
  assert.deepEqual(info, {
    inputShape: [1, 2, 2],
    rowLength: 4,
    classes: 3,
    parameters: 15,
    macs: 12,
    weightBytes: 60,
    scheme: "f32",
    engine: "cpu",
    batch: 8,
    steps: 0,
  });
  assert.match(model.weightsDigest(), /^[0-9a-f]{64}$/);
});

test("answers, scores and trains with typed arrays", () => {
  const model = Model.create(GRAPH, 7);
  const logits = model.predict(ROWS, 2);
  assert.ok(logits instanceof Float32Array);
  assert.equal(logits.length, 6);
  assert.deepEqual(logits.slice(0, 3), logits.slice(3));
  const labels = new Uint16Array([0, 1]);
  assert.deepEqual(score(logits, labels, 3, { confidence: 0.9 }), model.evaluate(ROWS, labels, { confidence: 0.9 }));
  const before = model.weightsDigest();
  const trained = model.train(ROWS, labels, { ...TRAINING, steps: 3, optimizer: "sgd", momentum: 0, shuffle: false });
  assert.deepEqual([trained.steps, trained.rows, trained.nonFinite], [3, 6, null]);
  assert.notEqual(model.weightsDigest(), before);
  assert.equal(ROWS.length, 8, "the caller keeps its array");
  const copy = Model.load(GRAPH, model.exportWeights());
  assert.equal(copy.weightsDigest(), model.weightsDigest());
});

test("a loss that is not finite is told as a number, not as null", () => {
  const model = Model.create(GRAPH, 7);
  const trained = model.train(new Float32Array(4).fill(3e38), new Uint16Array([0]), { ...TRAINING, batchSize: 1 });
  assert.deepEqual(trained, { loss: NaN, accuracy: NaN, steps: 0, rows: 0, nonFinite: 1 });
});

/**
 * @param {Uint8Array} weights a safetensors file
 * @param {(header: any) => void} change
 */
function withHeader(weights, change) {
  const length = Number(new DataView(weights.buffer, weights.byteOffset).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(weights.subarray(8, 8 + length)));
  change(header);
  const text = new TextEncoder().encode(JSON.stringify(header));
  const changed = new Uint8Array(8 + text.length + weights.length - 8 - length);
  new DataView(changed.buffer).setBigUint64(0, BigInt(text.length), true);
  changed.set(text, 8);
  changed.set(weights.subarray(8 + length), 8 + text.length);
  return changed;
}

test("what is wrong is thrown as an AssayError whose kind is stable and whose message names it", () => {
  const model = Model.create(GRAPH, 7);
  const good = model.exportWeights();
  const nan = good.slice();
  new DataView(nan.buffer).setFloat32(nan.length - 4, NaN, true);
  const labels = new Uint16Array([0, 3]);
  const freed = Model.create(GRAPH, 7);
  freed.free();
  const anything = /** @type {any} */ (Model);
  /** @type {[string, string, RegExp, () => unknown][]} */
  const cases = [
    ["a truncated file", "bad-input", /classes\.weight/, () => Model.load(GRAPH, good.subarray(0, -1))],
    ["no file", "bad-input", /truncated/, () => Model.load(GRAPH, new Uint8Array())],
    ["a missing tensor", "bad-input", /"classes\.bias"/, () => Model.load(GRAPH, withHeader(good, (it) => delete it["classes.bias"]))],
    ["another type", "bad-input", /type of tensor "classes\.weight".*F32.*BF16/, () => Model.load(GRAPH, withHeader(good, (it) => (it["classes.weight"].dtype = "BF16")))],
    ["weights that are not finite", "bad-input", /"classes\.weight".*NaN/, () => Model.load(GRAPH, nan)],
    ["a graph with a cycle", "bad-input", /"flatten".*"classes"/, () => Model.create(graphOf([{ ...LAYERS[0], inputs: ["classes"] }, LAYERS[1]]), 1)],
    ["no JSON", "bad-input", /graph/, () => Model.create("{", 1)],
    ["a graph too large", "too-large", /limit/, () => Model.create(graphOf([LAYERS[0], { ...LAYERS[1], units: 65535 }, { name: "more", type: "linear", units: 65535 }]), 1)],
    ["another engine", "unsupported", /"gpu"/, () => anything.create(GRAPH, 1, { engine: "gpu" })],
    ["another scheme", "unsupported", /"int3"/, () => anything.create(GRAPH, 1, { scheme: "int3" })],
    ["integers without rows", "bad-input", /calibration: expected 1 to 4096 rows/, () => anything.create(GRAPH, 1, { scheme: "int8" })],
    ["rows of another type", "bad-input", /calibration: expected a Float32Array/, () => anything.create(GRAPH, 1, { scheme: "int8", calibration: [1] })],
    ["an unknown option", "bad-input", /"sceme"/, () => anything.create(GRAPH, 1, { sceme: "f16" })],
    ["an option of another type", "bad-input", /batch.*string/, () => anything.create(GRAPH, 1, { batch: "8" })],
    ["a seed that is not whole", "bad-input", /seed.*1\.5/, () => Model.create(GRAPH, 1.5)],
    ["a wrong length", "bad-input", /2 rows of 1×2×2 = 4 numbers, got 7/, () => model.predict(ROWS.subarray(1), 2)],
    ["no rows", "bad-input", /at least one row/, () => model.predict(new Float32Array(), 0)],
    ["a batch below 0", "bad-input", /batch.*-1/, () => model.predict(ROWS, -1)],
    ["a label out of range", "bad-input", /label of row 1: expected a class below 3, got 3/, () => model.evaluate(ROWS, labels)],
    ["a label out of range in training", "bad-input", /label of row 1/, () => model.train(ROWS, labels, TRAINING)],
    ["an input that is not finite in training", "bad-input", /row 1 of input/, () => model.train(new Float32Array([0, 0, 0, 0, 0, NaN, 0, 0]), labels.fill(0), TRAINING)],
    ["no learning rate", "bad-input", /learningRate/, () => anything.create(GRAPH, 1).train(ROWS, new Uint16Array(2), { steps: 1, batchSize: 1 })],
    ["training rounded weights", "unsupported", /stored model/, () => Model.load(GRAPH, good, { scheme: "f16" }).train(ROWS, new Uint16Array(2), TRAINING)],
    ["use after free", "bad-input", /the model.*freed/, () => freed.predict(ROWS, 2)],
    ["information after free", "bad-input", /the model.*freed/, () => freed.info()],
  ];
  for (const [name, kind, message, attempt] of cases) {
    assert.throws(
      attempt,
      (error) => {
        assert.ok(error instanceof AssayError && error instanceof Error, `${name}: ${error}`);
        assert.deepEqual([error.name, error.kind], ["AssayError", kind], `${name}: ${error.message}`);
        assert.match(error.message, message, name);
        return true;
      },
      name,
    );
  }
  freed.free();
  assert.equal(model.predict(ROWS, 2).length, 6, "the model is as good as before");
});

test("where there is no WebGPU a model on the GPU is refused in words", async () => {
  await assert.rejects(GpuModel.create(GRAPH, 7), (error) => {
    assert.ok(error instanceof AssayError, String(error));
    assert.equal(error.kind, "unsupported");
    assert.match(error.message, /the GPU is not supported: there is no WebGPU here; .*Model computes on the CPU/);
    return true;
  });
  await assert.rejects(GpuModel.create(GRAPH, 7, /** @type {any} */ ({ engine: 1 })), /engine.*number/);
  assert.equal(Model.create(GRAPH, 7).predict(ROWS, 2).length, 6, "the module is as good as before");
});
