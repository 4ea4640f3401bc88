// @ts-check
/** @file A run in progress, event by event. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { afterEvent, isGoing, newRun, recipeWords, stagesOf, waitsForDecision } from "../../www/live_run.js";

/** @import { LabEvent } from "../../www/types.js" */

const RECIPE = { seed: 1, architecture: { family: "lenet", channels: 16 }, training: { optimizer: "adamw", epochs: 2 }, quantization: { scheme: "f32" } };

/** @param {number} epoch */
const point = (epoch) => ({ epoch, train_loss: 1 / epoch, train_accuracy: 0.5, validation_loss: 1, validation_accuracy: 0.5, learning_rate: 0.1, secs: 1 });

/** @param {Partial<LabEvent>[]} events */
function after(...events) {
  let run = newRun({ runId: "x", recipeText: "{}", recipeDigest: "d", recipe: RECIPE });
  for (const event of events) run = afterEvent(run, /** @type {LabEvent} */ ({ id: 1, ...event }));
  return run;
}

test("counts steps of the whole training once it is planned", () => {
  const run = after({ type: "planned", stepsPerEpoch: 34 });
  assert.equal(run.stage, "training");
  assert.equal(run.steps, 68);
});

test("shows the share of steps done, the speed and the time left", () => {
  const run = after({ type: "progress", epoch: 1, epochs: 2, step: 17, steps: 68, loss: 1, accuracy: 0.5, samplesPerSec: 4000 });
  assert.deepEqual([run.fraction, run.samplesPerSec, run.etaSecs], [0.25, 4000, null]);
});

test("keeps one point per epoch, also when a resumed run tells of one again", () => {
  const run = after({ type: "epoch", point: point(1) }, { type: "epoch", point: point(2) }, { type: "epoch", point: point(2) });
  assert.deepEqual(run.curve.map(({ epoch }) => epoch), [1, 2]);
});

test("collects latency samples by batch, without touching what was shown before", () => {
  const first = after({ type: "samples", batch: 1, millis: [1, 2] });
  const second = afterEvent(first, /** @type {any} */ ({ id: 1, type: "samples", batch: 1, millis: [3] }));
  const third = afterEvent(second, /** @type {any} */ ({ id: 1, type: "samples", batch: 64, millis: [9] }));
  assert.deepEqual(first.samples, [{ batch: 1, millis: [1, 2] }]);
  assert.deepEqual(third.samples, [{ batch: 1, millis: [1, 2, 3] }, { batch: 64, millis: [9] }]);
});

test("ends with the status of the record", () => {
  const run = after({ type: "nonFinite", step: 7 }, { type: "recorded", digest: "r", record: JSON.stringify({ status: "non-finite" }) });
  assert.deepEqual([run.status, run.nonFiniteStep, run.recordDigest, isGoing(run)], ["non-finite", 7, "r", false]);
});

test("ignores events that it does not know", () => {
  const run = after();
  assert.equal(afterEvent(run, /** @type {any} */ ({ id: 1, type: "from a later version" })), run);
});

const ENGINE = { type: "engine", engine: "gpu", reason: "asked for", adapter: "an adapter", batchSize: 256 };
const LOST = { type: "gpuLost", reason: "the GPU ran out of memory", epoch: 3, smallerBatch: 128, decided: null };

test("says what it runs on, and again where that changes", () => {
  const run = after(ENGINE, { ...ENGINE, engine: "cpu", reason: "the GPU was lost", adapter: "" });
  assert.deepEqual(run.engine, { engine: "cpu", reason: "the GPU was lost", adapter: "", batchSize: 256 });
});

test("waits for a decision when the GPU is lost, with what was kept", () => {
  const run = after(ENGINE, { type: "epoch", point: point(1) }, LOST);
  assert.deepEqual(run.gpuLost, { reason: "the GPU ran out of memory", epoch: 3, smallerBatch: 128 });
  assert.equal(waitsForDecision(run), true);
  assert.equal(isGoing(run), true);
  assert.deepEqual(run.curve.map(({ epoch }) => epoch), [1]);
  assert.equal(waitsForDecision({ ...run, status: "stopping" }), false);
  assert.equal(waitsForDecision({ ...run, status: "interrupted" }), false);
});

test("waits for nobody where the recipe has decided", () => {
  assert.equal(waitsForDecision(after(ENGINE, { ...LOST, decided: "cpu" })), false);
});

test("no longer waits once it goes on, whatever it does first", () => {
  const progress = { type: "progress", epoch: 4, epochs: 5, step: 17, steps: 68, loss: 1, accuracy: 0.5, samplesPerSec: 4000 };
  for (const next of [{ ...ENGINE, engine: "cpu" }, progress, { type: "stage", name: "opening the GPU", fraction: 0 }]) {
    assert.equal(waitsForDecision(after(ENGINE, LOST, next)), false, next.type);
  }
  assert.equal(waitsForDecision(after(ENGINE, LOST, { type: "checkpoint", epoch: 3 })), true);
});

test("names the stage that a run is in, and prepares only where a GPU may be used", () => {
  const names = (/** @type {any} */ run) => stagesOf(run).map(({ name, now }) => (now ? name.toUpperCase() : name)).join(" ");
  assert.equal(names(after()), "TRAIN quantize score time");
  const onGpu = { ...after({ type: "stage", name: "compiling kernels", fraction: 0.5 }), recipe: { ...RECIPE, execution: { engine: "gpu" } } };
  assert.equal(names(onGpu), "PREPARE train quantize score time");
  assert.equal(names({ ...onGpu, stage: "checking the GPU" }), "PREPARE train quantize score time");
  assert.equal(names({ ...onGpu, stage: "checking the GPU", curve: [point(1)] }), "prepare train quantize SCORE time");
  for (const stage of ["quantizing", "fine-tuning", "looking for damage"]) assert.equal(names({ ...after(), stage }), "train QUANTIZE score time");
  assert.equal(names({ ...onGpu, stage: "timing both engines" }), "prepare train quantize score TIME");
});

test("says a recipe in a few words", () => {
  assert.equal(recipeWords({ ...RECIPE, execution: { engine: "auto" } }), "lenet 16 ch · adamw 2 ep · f32 · seed 1 · auto");
  assert.equal(recipeWords(RECIPE), "lenet 16 ch · adamw 2 ep · f32 · seed 1");
});
