// @ts-check
/** @file What one can do with runs of the log: delete and restore, export, share, save weights, take up the recipe, resume. */

import { announce } from "./announcer.js";
import { app } from "./app.js";
import { bytes } from "./figures.js";
import { errorFrom } from "./page_wasm.js";
import { saveFile, today } from "./save_file.js";

/** @import { Checkpoint, RunSummary } from "./types.js" */

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
  const text = await app.log.exportText([...digests]);
  saveFile(`assay-runs-${today()}.jsonl`, [text], "application/jsonl");
  announce(`Exported ${runs(digests.length)} as JSON Lines, ${bytes(text.length)}.`, true);
}

/**
 * @param {readonly string[]} digests
 * @returns {Promise<void>}
 */
export async function saveCsv(digests) {
  const texts = [];
  for (const digest of digests) {
    const text = await app.log.recordText(digest);
    if (text !== null) texts.push(text);
  }
  saveFile(`assay-runs-${today()}.csv`, [app.wasm.csv(texts)], "text/csv");
  announce(`Exported ${runs(texts.length)} as CSV.`, true);
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
    const { message } = errorFrom(error);
    app.store.notify("error", /[.!?]$/u.test(message) ? message : `${message}.`);
  }
}
