// @ts-check
/** @file A pool of real threads: what it computes is what one model computes, whatever the number of workers. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { Worker } from "node:worker_threads";
import { AssayError, Model, initSync } from "../../www/pkg/assay.js";
import { WorkerPool, shards } from "../../www/worker_pool.js";

/** @import { PoolWorker, SweepJob } from "../../www/worker_pool.js" */

const GRAPH = JSON.stringify({
  assay: "graph",
  version: 1,
  input: [1, 4, 4],
  layers: [
    { name: "conv", type: "convolution", channels: 4, kernel: [3, 3], padding: [1, 1, 1, 1] },
    { name: "relu", type: "activation", function: "relu" },
    { name: "flatten", type: "flatten" },
    { name: "classes", type: "linear", units: 3 },
  ],
});
const ROWS = 53;
const input = Float32Array.from({ length: ROWS * 16 }, (_, at) => Math.sin(at * at));
const labels = Uint16Array.from({ length: ROWS }, (_, row) => row % 3);
const learn = { input, labels };

/** @type {WebAssembly.Module} */
let module;
/** @type {WorkerPool[]} */
const opened = [];
before(async () => {
  module = await WebAssembly.compile(new Uint8Array(await readFile(new URL("../../www/pkg/assay_bg.wasm", import.meta.url))));
  initSync({ module });
});
after(() => {
  for (const pool of opened) pool.close();
});

/** A thread of Node with the face of a Worker. @returns {PoolWorker} */
function makeWorker() {
  const thread = new Worker(new URL("./pool_worker_in_node.mjs", import.meta.url));
  /** @type {any} */
  const worker = { postMessage: (/** @type {any} */ message) => thread.postMessage(message), terminate: () => void thread.terminate() };
  thread.on("message", (data) => worker.onmessage?.({ data }));
  thread.on("error", (error) => worker.onerror?.({ message: error.message }));
  return worker;
}

/** @param {number} workers */
function pool(workers) {
  const made = new WorkerPool({ workers, module, makeWorker });
  opened.push(made);
  return made;
}

test("shards follow one another, hold all rows, and none is empty", () => {
  assert.deepEqual(shards(10, 3), [[0, 3], [3, 6], [6, 10]]);
  assert.deepEqual(shards(2, 5), [[0, 1], [1, 2]]);
  for (const [rows, workers] of [[1, 1], [53, 7], [64, 64], [1000, 3]]) {
    const parts = shards(rows, workers);
    assert.deepEqual([parts[0][0], parts.at(-1)?.[1], parts.length], [0, rows, Math.min(rows, workers)]);
    for (const [index, [first, end]] of parts.entries()) assert.ok(end > first && (index === 0 || parts[index - 1][1] === first));
  }
});

test("answers and scores are those of one model, for 1, 2 and 3 workers", async () => {
  const model = Model.create(GRAPH, 5);
  const [logits, evaluation] = [model.predict(input, ROWS), model.evaluate(input, labels)];
  for (const workers of [1, 2, 3]) {
    const several = pool(workers);
    assert.deepEqual(await several.create(GRAPH, 5), model.info());
    assert.deepEqual(await several.predict(input, ROWS), logits, `${workers} workers`);
    assert.deepEqual(await several.evaluate(input, labels), evaluation, `${workers} workers`);
    assert.deepEqual(await several.load(GRAPH, model.exportWeights()), model.info());
    assert.deepEqual(await several.predict(input.subarray(0, 16), 1), logits.slice(0, 3));
  }
});

test("a sweep's trainings are those of one model each, in the order of the jobs", async () => {
  /** @type {SweepJob[]} */
  const jobs = [1, 2, 3, 4, 5].map((seed) => ({ graph: GRAPH, weights: seed, training: { steps: 3 * seed, batchSize: 16, learningRate: 0.01, seed } }));
  const alone = jobs.map(({ graph, weights, training }) => {
    const model = Model.create(graph, Number(weights));
    const trained = model.train(input, labels, training);
    return { trained, evaluation: model.evaluate(input, labels), weightsDigest: model.weightsDigest(), weights: model.exportWeights() };
  });
  for (const workers of [1, 3]) {
    /** @type {number[]} */
    const progress = [];
    assert.deepEqual(await pool(workers).sweep(learn, learn, jobs, (done) => progress.push(done)), alone, `${workers} workers`);
    assert.deepEqual(progress, [1, 2, 3, 4, 5]);
  }
});

test("what is wrong is told as the model tells it, and the pool goes on", async () => {
  const several = pool(2);
  await several.create(GRAPH, 5);
  const refused = (/** @type {RegExp} */ message) => (/** @type {unknown} */ error) => error instanceof AssayError && error.kind === "bad-input" && message.test(error.message);
  await assert.rejects(several.predict(input, 3), refused(/3 rows of 1×4×4 = 16 numbers, got 848/));
  await assert.rejects(several.evaluate(input, Uint16Array.from(labels, (label, row) => (row === 40 ? 3 : label))), refused(/label of row 40/));
  const job = { graph: GRAPH, training: { steps: 1, batchSize: 0, learningRate: 0.1 } };
  await assert.rejects(several.sweep(learn, learn, [job, job, job]), refused(/batchSize/));
  assert.equal((await several.predict(input, ROWS)).length, ROWS * 3);
  assert.throws(() => new WorkerPool({ workers: 0, module, makeWorker }), refused(/workers/));
});

test("a closed pool fails what is under way and what comes after, in words", async () => {
  const several = pool(2);
  await several.create(GRAPH, 5);
  const late = several.predict(input, ROWS);
  several.close();
  for (const attempt of [late, several.predict(input, ROWS)]) {
    await assert.rejects(attempt, (error) => error instanceof AssayError && error.kind === "closed");
  }
});
