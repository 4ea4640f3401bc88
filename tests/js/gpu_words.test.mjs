// @ts-check
/** @file What the page says of engines: the choice, the loss of the GPU, what trained which epochs, which runs count. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { scientific } from "../../www/figures.js";
import { anewWords, choiceWords, decidedWords, engineAsked, engineNote, fineTuningWords, liveEngineWords, lossWords, partWords, sameAnswersWords, whyNoBaseline } from "../../www/gpu_words.js";
import { RunLog } from "../../www/run_log.js";
import { Store } from "../../www/store.js";

const NONE = { adapter: "", adapterSlow: false, adapterMissing: "no adapter found", gpuMissing: "", gpuAdvice: "" };

/** @param {string} engine @param {object} gpu */
const note = (engine, gpu) => engineNote(engine, /** @type {any} */ (gpu));

test("says beside the choice of an engine whether there is a GPU, and what follows", () => {
  assert.deepEqual(note("cpu", NONE), { tone: "", words: "Exact. No GPU here: no adapter found.", why: true });
  assert.deepEqual(note("gpu", NONE), { tone: "warn", words: "No GPU here: no adapter found. The CPU will do it.", why: true });
  assert.deepEqual(note("auto", { ...NONE, adapterMissing: "asking" }), { tone: "", words: "Asking for a GPU …", why: false });
  const there = { ...NONE, adapter: "Iris Xe", adapterMissing: "" };
  assert.equal(note("cpu", there).words, "Exact. There is a GPU: Iris Xe.");
  assert.equal(note("gpu", there).words, "On Iris Xe; checked against the CPU.");
  assert.match(note("auto", there).words, /Times the CPU and the GPU \(Iris Xe\)/);
  assert.deepEqual(["cpu", "gpu", "auto"].map((engine) => note(engine, { ...there, adapterSlow: true }).tone), ["", "warn", "warn"]);
});

test("a recipe that says nothing asks for the CPU", () => {
  assert.deepEqual([engineAsked({}), engineAsked({ execution: {} }), engineAsked({ execution: { engine: "auto" } })], ["cpu", "cpu", "auto"]);
});

test("says what a run is on, and why", () => {
  assert.deepEqual(liveEngineWords({ engine: "gpu", adapter: "Iris Xe", batchSize: 64, reason: "asked for" }), { engine: "GPU", rest: "Iris Xe, batch 64", reason: "Asked for." });
  assert.deepEqual(liveEngineWords({ engine: "cpu", adapter: "", batchSize: 0, reason: "" }), { engine: "CPU", rest: "", reason: "" });
});

test("says what happened to the GPU, what was kept and how to go on", () => {
  const loss = { reason: "the GPU ran out of memory", epoch: 3, smallerBatch: 128 };
  const on = { engine: "gpu", reason: "", adapter: "", batchSize: 256 };
  assert.equal(`${lossWords(loss, on)} ${choiceWords(loss)}`, "The GPU ran out of memory at batch 256. Kept epoch 3. Continue on the CPU or retry at 128.");
  assert.equal(lossWords({ ...loss, reason: "the GPU ran out of memory at batch 256" }, on), "The GPU ran out of memory at batch 256. Kept epoch 3.");
  assert.match(lossWords({ ...loss, reason: "the GPU has not enough memory; a smaller batch needs less" }, on), /^The GPU has not enough memory; a smaller batch needs less \(batch 256\)\. /);
  const gone = { reason: "the GPU was lost while training", epoch: 0, smallerBatch: null };
  assert.equal(`${lossWords(gone, on)} ${choiceWords(gone)}`, "The GPU was lost while training. No epoch had ended, so training begins again. Continue on the CPU, or stop.");
  assert.equal(decidedWords("smaller batch", loss), "The run goes on at batch 128, as its recipe says.");
  assert.equal(decidedWords("cpu", loss, false), "The run goes on on the CPU, as nobody is asked while runs go side by side.");
});

test("tells the parts of a mixed run by their epochs", () => {
  const record = (/** @type {any[]} */ parts, /** @type {number} */ epochs) => /** @type {any} */ ({ results: { execution: { parts }, training: { curve: Array.from({ length: epochs }) } } });
  const gpu = { engine: "gpu", batch_size: 256, first_epoch: 1 };
  assert.deepEqual(partWords(record([gpu], 12)), []);
  assert.deepEqual(partWords(record([gpu, { engine: "gpu", batch_size: 128, first_epoch: 4, reason: "the GPU ran out of memory" }, { engine: "cpu", batch_size: 128, first_epoch: 5, reason: "the GPU was lost" }], 12)), [
    "GPU, batch 256: epochs 1 to 3",
    "GPU, batch 128: epoch 4; the GPU ran out of memory",
    "CPU, batch 128: epochs 5 to 12; the GPU was lost",
  ]);
  assert.deepEqual(partWords(record([gpu, { engine: "cpu", batch_size: 256, first_epoch: 1, reason: "the GPU was lost" }], 0))[0], "GPU, batch 256: no whole epoch (from 1 on)");
  // The GPU was lost before an epoch had ended: all is the CPU's, and why is told.
  assert.deepEqual(partWords(record([{ engine: "cpu", batch_size: 64, first_epoch: 1, reason: "the GPU was lost" }], 2)), ["CPU, batch 64: epochs 1 to 2; the GPU was lost"]);
  assert.deepEqual(partWords(/** @type {any} */ ({ results: {} })), []);
});

test("tells what fine-tuned a model, and of a file that has another one's weights", () => {
  const record = (/** @type {any} */ execution) => /** @type {any} */ ({ results: { execution }, digests: { predictions: "a" }, environment: { engine: "gpu", arithmetic: "gpu-1" } });
  const on = (/** @type {string} */ engine, /** @type {string|undefined} */ reason) => record({ parts: [], fine_tuning: { engine, batch_size: 32, first_epoch: 1, reason } });
  assert.equal(fineTuningWords(on("gpu", undefined)), "on the GPU");
  assert.equal(fineTuningWords(on("cpu", "the GPU was lost")), "on the CPU; the GPU was lost");
  assert.deepEqual([fineTuningWords(record({ parts: [] })), fineTuningWords(/** @type {any} */ ({ results: {} }))], ["", ""]);
  assert.match(sameAnswersWords("b", on("gpu", undefined), "cpu-2", true), /; the record has others: the weights that a GPU fine-tuned for this run are not stored/u);
  assert.match(sameAnswersWords("a", on("gpu", undefined), "cpu-2", true), /^, as the record says; the weights that a GPU fine-tuned/u);
  // Kept weights are those that were measured, and a CPU makes the same ones again.
  assert.match(sameAnswersWords("b", on("gpu", undefined), "cpu-2"), /a GPU had a part in its run/u);
  assert.doesNotMatch(sameAnswersWords("b", on("cpu", undefined), "cpu-2", true), /fine-tuned/u);
  assert.deepEqual([anewWords(on("gpu", undefined), false), anewWords(on("cpu", undefined), true)], ["", ""]);
  assert.equal(sameAnswersWords("a", on("gpu", undefined), "cpu-2"), ", as the record says");
});

test("small errors keep two digits and a power of ten", () => {
  assert.deepEqual([0, 3.4e-6, 0.052, 1.5, 8.2e-5, 1e12, null, Number.NaN].map(scientific), ["0", "3.4·10⁻⁶", "0.052", "1.5", "8.2·10⁻⁵", "1.0·10¹²", "–", "–"]);
});

/** @param {Record<string, boolean|null>} agrees By digest. */
function logOf(agrees) {
  const store = new Store();
  /** @type {string[]} */
  const appended = [];
  const db = Object.assign(new EventTarget(), { appendAnnotations: async (/** @type {{ text: string }[]} */ texts) => void appended.push(...texts.map(({ text }) => text)) });
  const wasm = {
    annotate: (/** @type {string} */ digest, /** @type {string} */ field, /** @type {unknown} */ value) => JSON.stringify({ digest: `of ${digest}`, [field]: value }),
    annotationState: () => ({ wrong: { pin: true }, right: { pin: true } }),
  };
  const log = new RunLog({ store, wasm: /** @type {any} */ (wasm), db: /** @type {any} */ (db) });
  for (const [digest, each] of Object.entries(agrees)) log.summaries.set(digest, /** @type {any} */ ({ digest, agrees: each, started: "2026" }));
  return { log, store, appended };
}

test("a run whose engine disagrees cannot be pinned, and says why", async () => {
  const { log, store, appended } = logOf({ wrong: false, right: true, exact: null });
  await log.pinBaseline("wrong");
  assert.deepEqual(appended, []);
  assert.equal(store.state.notices[0]?.text, whyNoBaseline({ agrees: false }));
  for (const digest of ["right", "exact"]) await log.pinBaseline(digest);
  assert.deepEqual(appended.map((text) => JSON.parse(text).digest), ["of right", "of exact"]);
  assert.deepEqual([whyNoBaseline({ agrees: true }), whyNoBaseline({ agrees: null }), whyNoBaseline(undefined)], ["", "", ""]);
});

test("a pin that came with a log does not make such a run the baseline", () => {
  const { log, store } = logOf({ wrong: false });
  log.show();
  assert.equal(store.state.baseline, null);
  log.summaries.set("right", /** @type {any} */ ({ digest: "right", agrees: true, started: "2025" }));
  log.show();
  assert.equal(store.state.baseline, "right");
});

test("says of a file's answers only what is known where a record has others", () => {
  /** @param {string} engine @param {string} arithmetic */
  const words = (engine, arithmetic, predictions = "b") => sameAnswersWords("a", /** @type {any} */ ({ digests: { predictions }, environment: { engine, arithmetic } }), "cpu-2");
  assert.equal(words("gpu", "gpu-1", "a"), ", as the record says");
  for (const engine of ["gpu", "mixed"]) assert.match(words(engine, "gpu-1"), /^; the record has others: a GPU had a part/);
  assert.equal(words("cpu", "cpu-1"), "; the record has others: its run had the arithmetic cpu-1, and this version has cpu-2");
  assert.match(words("cpu", "cpu-2"), /the same arithmetic on a CPU: please report it$/);
  for (const arithmetic of ["cpu-1", "cpu-2"]) assert.doesNotMatch(words("cpu", arithmetic), /GPU/);
});
