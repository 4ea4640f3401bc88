// @ts-check
/** @file Weights of a run and what fine-tuning left of them: stored together, given to the lab together, deleted together. */

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { LogDb } from "../../www/log_db.js";
import { RunLog } from "../../www/run_log.js";
import { modelKey } from "../../www/runs.js";
import { Store } from "../../www/store.js";
import { deleteWeightsExcept, storedWeights, weightsToStore } from "../../www/stored_weights.js";

const TRAINED = new Uint8Array([1, 2, 3]);
const TUNED = new Uint8Array([4, 5]);

/** @type {LogDb[]} */
const opened = [];
afterEach(() => opened.splice(0).forEach((db) => db.close()));

/** A log in memory; a record's text is its summary. */
function emptyLog() {
  const db = new LogDb(null, "memory");
  opened.push(db);
  const wasm = /** @type {any} */ ({ summarize: JSON.parse, annotationState: () => ({}) });
  return { db, log: new RunLog({ store: new Store(), wasm, db }) };
}

/** @param {object} [digests] @param {object} [quantization] @returns {any} */
const record = (digests = { fine_tuned: "t" }, quantization = { scheme: "int4", fine_tune_epochs: 1 }) => ({ digests: { weights: "w", ...digests }, recipe: { quantization } });

async function filledLog() {
  const { db, log } = emptyLog();
  await log.append(JSON.stringify({ digest: "r", started: "", weightsDigest: "w", fineTunedDigest: "t" }), TRAINED, TUNED);
  return { db, log };
}

test("a record's weights and what fine-tuning left are stored by their digests, each where it came", async () => {
  const { db } = await filledLog();
  assert.deepEqual([await db.weights("w"), await db.weights("t")], [TRAINED, TUNED]);
  const { db: other, log } = emptyLog();
  await log.append(JSON.stringify({ digest: "variant", started: "", weightsDigest: "w", fineTunedDigest: "t" }), undefined, TUNED);
  await log.append(JSON.stringify({ digest: "plain", started: "", weightsDigest: "v" }), TRAINED);
  assert.deepEqual([...(await storedWeights(other))].sort(), ["t", "v"]);
});

test("the run's own quantization gets both, any other the trained ones alone", async () => {
  const { log } = await filledLog();
  assert.deepEqual(await weightsToStore(log, record(), true), {
    bytes: new Uint8Array([1, 2, 3, 4, 5]),
    fields: { weights: "w", fineTuned: { digest: "t", from: 3 } },
    isAnew: false,
  });
  const alone = { bytes: TRAINED, fields: { weights: "w" }, isAnew: false };
  assert.deepEqual(await weightsToStore(log, record(), false), alone);
  assert.deepEqual(await weightsToStore(log, record({}, { scheme: "int4" }), true), alone);
  const given = await weightsToStore(log, record(), false);
  given?.bytes.fill(0);
  assert.deepEqual(await log.weights("w"), TRAINED, "what is moved to the worker is a copy");
});

test("where what fine-tuning left is gone, or was never kept, a model is fine-tuned anew", async () => {
  const { log } = await filledLog();
  const anew = { bytes: TRAINED, fields: { weights: "w" }, isAnew: true };
  assert.deepEqual(await weightsToStore(log, record({ fine_tuned: "gone" }), true), anew);
  assert.deepEqual(await weightsToStore(log, record({}), true), anew, "a record of a build that did not keep it");
  assert.equal(await weightsToStore(log, record({ weights: "gone", fine_tuned: "t" }), true), null);
});

test("deleting weights deletes what fine-tuning left of them, but for what is pinned", async () => {
  const { db } = await filledLog();
  assert.equal(await deleteWeightsExcept(db, new Set(["w", "t"])), 0);
  assert.equal(await deleteWeightsExcept(db, new Set()), 2);
  assert.deepEqual([await db.weights("w"), await db.weights("t")], [null, null]);
});

test("models to play with are told apart by what fine-tuning left of them", () => {
  const keys = [modelKey("w", "q"), modelKey("w", "q", "t"), modelKey("w", "q", "u"), modelKey("w", "q", "anew"), modelKey("v", "q")];
  assert.equal(new Set(keys).size, keys.length);
});
