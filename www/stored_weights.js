// @ts-check
/** @file Which trained weights are still stored in this browser, and freeing the space of some; records are never touched. */

/** @import { LogDb } from "./log_db.js" */

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
