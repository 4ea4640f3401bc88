// @ts-check
/** @file What one can do with runs of the log: delete and restore, export, share, save weights, take up the recipe, resume. */

import { announce } from "./announcer.js";
import { app } from "./app.js";
import { bytes } from "./figures.js";
import { sameAnswersWords } from "./gpu_words.js";
import { errorFrom } from "./page_wasm.js";
import { saveFile, today } from "./save_file.js";
import { storedAgain } from "./storing.js";
import { weightsToStore } from "./stored_weights.js";

/** @import { Checkpoint, Recipe, RunRecord, RunSummary } from "./types.js" */

/** Records read and written at once. */
const PART = 50;

/** @param {number} number */
const runs = (number) => (number === 1 ? "1 run" : `${number.toLocaleString("en")} runs`);

/**
 * Marks runs as deleted and offers to undo it.
 * @param {readonly string[]} digests
 */
export async function deleteRuns(digests) {
  await annotateAll(digests, "deleted", true);
  app.store.notify("info", `Deleted ${runs(digests.length)} from the table. They stay in the log; “Show deleted” brings them back.`, {
    label: "Undo",
    run: () => void restoreRuns(digests),
  });
}

/** @param {readonly string[]} digests */
export async function restoreRuns(digests) {
  await annotateAll(digests, "deleted", false);
  announce(`Restored ${runs(digests.length)}.`, true);
}

/**
 * @param {readonly string[]} digests
 * @param {"name"|"note"|"pin"|"deleted"} field
 * @param {string|boolean} value
 */
async function annotateAll(digests, field, value) {
  await app.log.appendAnnotationTexts(digests.map((digest) => app.wasm.annotate(digest, field, value)));
}

/**
 * @param {readonly string[]} digests
 * @returns {Promise<void>}
 */
export async function saveJsonLines(digests) {
  /** @type {Blob[]} */
  const parts = [];
  for await (const texts of recordTexts(digests)) parts.push(new Blob(texts.map((text) => `${text}\n`)));
  const file = new Blob([...parts, ...annotationsOf(digests).map((text) => `${text}\n`)]);
  saveFile(`assay-runs-${today()}.jsonl`, [file], "application/jsonl");
  announce(`Exported ${runs(digests.length)} as JSON Lines, ${bytes(file.size)}.`, true);
}

/** @param {readonly string[]} digests @returns {string[]} what was added to these runs */
function annotationsOf(digests) {
  const wanted = new Set(digests);
  return app.log.annotationTexts.filter((text) => wanted.has(JSON.parse(text).record));
}

/**
 * @param {readonly string[]} digests
 * @returns {Promise<void>}
 */
export async function saveCsv(digests) {
  /** @type {string[]} */
  const parts = [];
  let head = "";
  const annotations = annotationsOf(digests);
  for await (const texts of recordTexts(digests)) {
    const csv = app.wasm.csv(texts, annotations);
    const end = csv.indexOf("\n") + 1;
    head ||= csv.slice(0, end);
    // The columns are the same for every record, so the parts fit under one heading.
    const body = csv.slice(end);
    parts.push(body === "" || body.endsWith("\n") ? body : `${body}\n`);
  }
  saveFile(`assay-runs-${today()}.csv`, [head, ...parts], "text/csv");
  announce(`Exported ${runs(digests.length)} as CSV.`, true);
}

/**
 * Texts of records, a few at a time, with a turn of the event loop in between.
 * @param {readonly string[]} digests
 */
async function* recordTexts(digests) {
  for (let start = 0; start < digests.length; start += PART) {
    const texts = await Promise.all(digests.slice(start, start + PART).map((digest) => app.log.recordText(digest)));
    yield texts.filter((text) => text !== null);
    await new Promise((resolve) => setTimeout(resolve));
  }
}

/**
 * @param {RunSummary} summary
 * @returns {Promise<void>}
 */
export async function saveWeights(summary) {
  const weights = summary.weightsDigest ? await app.log.weights(summary.weightsDigest) : null;
  if (!weights) {
    app.store.notify("warn", "The weights of this run are not stored in this browser. Run its recipe again: the same digest means the same weights.");
    return;
  }
  saveFile(`assay-${summary.family}-${summary.weightsDigest?.slice(0, 8)}.safetensors`, [/** @type {BlobPart} */ (weights)], "application/octet-stream");
}

/**
 * Saves a run's weights as they are stored. The lab reads its own file back and hands out only one that gives the same answers.
 * @param {RunRecord} record
 * @param {"safetensors"|"gguf"} format
 * @param {Recipe} [recipe] With another quantization than the record's.
 */
export async function exportStored(record, format, recipe = record.recipe) {
  await attempt(async () => {
    const busy = app.variants.whyNot();
    if (busy) throw new Error(busy);
    const isOwn = recipe === record.recipe;
    const weights = await weightsToStore(app.log, record, isOwn);
    if (!weights) throw new Error("The weights of this run are not stored in this browser. Run its recipe again: the same recipe gives the same weights");
    const file = await storedAgain("for the file", { type: "export", recipe, format, ...weights.fields }, weights.bytes);
    const scheme = recipe.quantization?.scheme ?? "f32";
    saveFile(`assay-${recipe.architecture.family}-${scheme}-${record.digests.weights.slice(0, 8)}.${format}`, [file.bytes], "application/octet-stream");
    const same = isOwn ? sameAnswersWords(file.predictions, record, app.wasm.version().arithmetic, weights.isAnew) : "";
    app.store.notify("info", `Exported ${bytes(file.bytes.length)}. Read back, the file gave the same answers on all ${file.rows} test images${same}.`);
  });
}

/**
 * Puts a run's recipe into the form.
 * @param {string} recordText
 */
export function takeUpRecipe(recordText) {
  const { record } = app.wasm.readRecord(recordText);
  app.drafts.setText(JSON.stringify(record.recipe));
  app.router.go("experiment");
}

/**
 * @param {string} digest of a record
 * @returns {Checkpoint|undefined} from which it can go on
 */
export function checkpointOf(digest) {
  return app.store.state.interrupted.find(({ interruptedDigest, epoch }) => interruptedDigest === digest && epoch > 0);
}

/**
 * Runs an action; what goes wrong is said with the next step.
 * @param {() => Promise<unknown>|unknown} action
 */
export async function attempt(action) {
  try {
    await action();
  } catch (error) {
    const { kind, message } = errorFrom(error);
    if (kind === "stopped") return;
    app.store.notify("error", /[.!?]$/u.test(message) ? message : `${message}.`);
  }
}
