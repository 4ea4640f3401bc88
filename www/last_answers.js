// @ts-check
/** @file Finds what the last run on a set answered, in the log; it runs nothing. */

import { rowsKey } from "./pictures.js";

/** @import { Recipe, RunRecord, RunSummary } from "./types.js" */

/** Records that are read in search of it. */
const MOST_READ = 10;

/**
 * The answers of the newest run on rows that are those of this recipe, whatever was edited since.
 * @param {{ log: { recordText: (digest: string) => Promise<string|null> }, wasm: { readRecord: (text: string) => { record: RunRecord } } }} parts
 * @param {readonly RunSummary[]} runs Newest first.
 * @param {Recipe} recipe
 * @returns {Promise<RunRecord["predictions"]>}
 */
export async function lastAnswers({ log, wasm }, runs, recipe) {
  const key = rowsKey(recipe);
  const candidates = runs.filter(({ set, predictionsDigest }) => predictionsDigest && set === recipe.data?.set);
  for (const { digest } of candidates.slice(0, MOST_READ)) {
    const text = await log.recordText(digest);
    const record = text === null ? null : wasm.readRecord(text).record;
    if (record?.predictions && rowsKey(record.recipe) === key) return record.predictions;
  }
  return undefined;
}
