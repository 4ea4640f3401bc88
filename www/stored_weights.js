// @ts-check
/** @file Which weights are still stored in this browser, those of a run for a command that stores them again, and freeing the space of some; records are never touched. */

/** @import { LogDb } from "./log_db.js" */
/** @import { RunRecord } from "./types.js" */

/**
 * @typedef {Object} WeightsToStore
 * @property {Uint8Array} bytes A copy: they are moved to the worker.
 * @property {{ weights: string, fineTuned?: { digest: string, from: number } }} fields Of the command.
 * @property {boolean} isAnew Whether the run's model has to be fine-tuned again for it, on the CPU.
 */

/**
 * @param {LogDb} db
 * @returns {Promise<Set<string>>} digests of stored weights
 */
export async function storedWeights(db) {
  const keys = (await (db.db ?? db.full)?.getAllKeys("weights").catch(() => [])) ?? [];
  return new Set([...keys.map(String), ...db.memory.weights.keys()]);
}

/**
 * @param {LogDb} db
 * @param {ReadonlySet<string>} keep digests of weights
 * @returns {Promise<number>} how many were deleted
 */
export async function deleteWeightsExcept(db, keep) {
  const digests = [...(await storedWeights(db))].filter((digest) => !keep.has(digest));
  for (const digest of digests) db.memory.weights.delete(digest);
  if (digests.length > 0) {
    await db.write(["weights"], async (stores) => {
      for (const digest of digests) stores.weights?.delete(digest);
    });
  }
  return digests.length;
}

/**
 * The weights of a run for a command that stores them again: the trained ones and, behind them, what fine-tuning left, where
 * the run's own quantization is asked for and that is still here.
 * @param {{ weights(digest: string): Promise<Uint8Array|null> }} log
 * @param {RunRecord} record
 * @param {boolean} isOwn Whether the run's own quantization is asked for.
 * @returns {Promise<WeightsToStore|null>} Null where the trained ones are gone.
 */
export async function weightsToStore(log, { digests, recipe }, isOwn) {
  const trained = await log.weights(digests.weights);
  if (!trained) return null;
  const isTuned = isOwn && (recipe.quantization?.fine_tune_epochs ?? 0) > 0;
  const digest = (isTuned && digests.fine_tuned) || "";
  const fineTuned = digest ? await log.weights(digest) : null;
  const bytes = new Uint8Array(trained.length + (fineTuned?.length ?? 0));
  bytes.set(trained);
  if (!fineTuned) return { bytes, fields: { weights: digests.weights }, isAnew: isTuned };
  bytes.set(fineTuned, trained.length);
  return { bytes, fields: { weights: digests.weights, fineTuned: { digest, from: trained.length } }, isAnew: false };
}
