// @ts-check
/** @file What the run table shows of a record: its summary and what people added, as one flat row. Knows no DOM and no database. */

import { DISAGREES } from "../gpu_words.js";
import { variantName } from "../quantization_words.js";

/** @import { AnnotationState, RunSummary } from "../types.js" */

/**
 * One row of the run table.
 * @typedef {object} RunRow
 * @property {string} digest
 * @property {RunSummary} summary
 * @property {string} name given by a person, or empty
 * @property {string} title the name, or what the run is in a few words
 * @property {string} note
 * @property {boolean} pinned
 * @property {boolean} deleted
 * @property {string} status the record's, or `altered` where its digest does not match its content
 * @property {string} text everything a plain word of the filter is looked for in, lower case
 */

/**
 * @param {RunSummary} summary
 * @returns {string} what the run is in a few words
 */
export function titleOf(summary) {
  const what = summary.architecture || summary.family || "run";
  const stored = summary.scheme ? variantName(summary) : "f32";
  return stored === "f32" ? what : `${what} · ${stored}`;
}

/**
 * @param {RunSummary} summary
 * @param {AnnotationState} [added]
 * @returns {RunRow}
 */
export function rowOf(summary, added = {}) {
  const name = added.name ?? "";
  const note = added.note ?? "";
  const title = name || titleOf(summary);
  const status = summary.altered ? "altered" : summary.status;
  /** @type {string|undefined} */
  let text;
  return {
    digest: summary.digest,
    summary,
    name,
    title,
    note,
    pinned: Boolean(added.pin),
    deleted: Boolean(added.deleted),
    status,
    // Made when it is first looked for, so that a long log opens sooner.
    get text() {
      text ??= wordsOf(this, summary).join("\n").toLowerCase();
      return text;
    },
  };
}

/**
 * @param {RunRow} row
 * @param {RunSummary} summary
 */
function wordsOf({ title, note, status }, summary) {
  return [title, titleOf(summary), note, status, summary.started, summary.engine, summary.arithmetic, summary.browser,
    summary.digest, summary.recipeDigest, summary.weightsDigest ?? "", ...(summary.agrees === false ? [DISAGREES] : []), ...summary.flags, ...Object.values(summary.recipe)];
}

/**
 * Keeps the row of a record that did not change, so that what was computed for it stays good.
 * @param {readonly RunSummary[]} summaries
 * @param {Readonly<Record<string, AnnotationState>>} annotations by record digest
 * @param {ReadonlyMap<string, RunRow>} [known] rows made before, by digest
 * @returns {RunRow[]}
 */
export function rowsOf(summaries, annotations, known = new Map()) {
  return summaries.map((summary) => {
    const added = annotations[summary.digest] ?? {};
    const old = known.get(summary.digest);
    const same = old && old.summary === summary && old.name === (added.name ?? "") && old.note === (added.note ?? "")
      && old.pinned === Boolean(added.pin) && old.deleted === Boolean(added.deleted);
    return same ? old : rowOf(summary, added);
  });
}
