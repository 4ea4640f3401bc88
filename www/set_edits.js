// @ts-check
/** @file What a person edits in a set: changes of a recipe's `data.edits`, the list of them in words, and which rows there are to choose from. Pure. */

import { count } from "./figures.js";

/** @import { DatasetSummary, Findings } from "./types.js" */

/**
 * As `recipe::Edits`: what is empty is absent, rows ascend.
 * @typedef {Object} Edits
 * @property {Record<string, number>} [labels] Class by row.
 * @property {number[]} [dropped]
 * @property {Record<string, number[]>} [slices] Rows by name.
 */

/** One edit, to be shown and undone. @typedef {{ kind: "labels"|"dropped"|"slices", key: string, words: string }} Edit */

/** Rows that can be looked at. @typedef {{ id: string, group: string, label: string, rows: readonly number[], suggested?: readonly number[] }} Choice */

/** `recipe::MAX_EDITED_ROWS`, `MAX_SLICES` and `MAX_SLICE_NAME`. */
export const MAX_ROWS = 2000;
export const MAX_SLICES = 16;
export const MAX_NAME = 40;

/**
 * Gives rows another class; one that they had before any edit takes the edit away, and a dropped row is back.
 * @param {Edits} edits
 * @param {Iterable<number>} rows
 * @param {(row: number) => number} classOf
 * @param {(row: number) => number|undefined} before Its class in the set as it is made.
 */
export function relabel(edits, rows, classOf, before) {
  const labels = { ...edits.labels };
  const changed = new Set(rows);
  for (const row of changed) {
    if (classOf(row) === before(row)) delete labels[row];
    else labels[row] = classOf(row);
  }
  return tidied({ ...edits, labels, dropped: (edits.dropped ?? []).filter((row) => !changed.has(row)) });
}

/** Leaves rows out; the last edit of a row counts. @param {Edits} edits @param {Iterable<number>} rows */
export function drop(edits, rows) {
  const labels = { ...edits.labels };
  const gone = [...rows];
  for (const row of gone) delete labels[row];
  return tidied({ ...edits, labels, dropped: [...(edits.dropped ?? []), ...gone] });
}

/** Takes dropped rows back. @param {Edits} edits @param {Iterable<number>} rows */
export function takeBack(edits, rows) {
  const back = new Set(rows);
  return tidied({ ...edits, dropped: (edits.dropped ?? []).filter((row) => !back.has(row)) });
}

/** Adds rows to a slice. @param {Edits} edits @param {Iterable<number>} rows @param {string} name */
export function slice(edits, rows, name) {
  return tidied({ ...edits, slices: { ...edits.slices, [name]: [...(edits.slices?.[name] ?? []), ...rows] } });
}

/** @param {Edits} edits @param {Edit} edit */
export function undo(edits, { kind, key }) {
  if (kind === "dropped") return takeBack(edits, [Number(key)]);
  const { [key]: _, ...others } = /** @type {Record<string, any>} */ (edits[kind] ?? {});
  return tidied({ ...edits, [kind]: others });
}

/**
 * The one way to write edits down.
 * @param {Edits} edits
 * @returns {Edits}
 */
function tidied({ labels = {}, dropped = [], slices = {} }) {
  /** @type {Edits} */
  const edits = {};
  if (Object.keys(labels).length > 0) edits.labels = labels;
  if (dropped.length > 0) edits.dropped = ascending(dropped);
  const named = Object.entries(slices).filter(([, rows]) => rows.length > 0);
  if (named.length > 0) edits.slices = Object.fromEntries(named.map(([name, rows]) => [name, ascending(rows)]));
  return edits;
}

/** @param {number[]} rows */
const ascending = (rows) => [...new Set(rows)].sort((a, b) => a - b);

/** Why edits cannot be made, in words, or empty. @param {Edits} edits */
export function problemOf(edits) {
  const slices = Object.entries(edits.slices ?? {});
  const rows = [Object.keys(edits.labels ?? {}), edits.dropped ?? [], ...slices.map(([, members]) => members)].reduce((sum, { length }) => sum + length, 0);
  if (rows > MAX_ROWS) return `All edits together would name ${count(rows)} rows; the limit is ${count(MAX_ROWS)}. Select fewer, or correct the file that the set comes from.`;
  if (slices.length > MAX_SLICES) return `There would be ${slices.length} slices; the limit is ${MAX_SLICES}. Add to one that is there.`;
  if (slices.some(([name]) => name.trim() !== name || name === "" || [...name].length > MAX_NAME)) return `A slice needs a name of at most ${MAX_NAME} characters.`;
  return "";
}

/**
 * Every edit, in the order labels, dropped rows, slices.
 * @param {Edits} edits
 * @param {string[]} classes
 * @param {(row: number) => number|undefined} before As for {@link relabel}.
 * @returns {Edit[]}
 */
export function editList(edits, classes, before) {
  const name = (/** @type {number|undefined} */ index) => classes[index ?? -1] ?? "?";
  return [
    ...Object.entries(edits.labels ?? {}).map(([row, label]) => ({ kind: /** @type {const} */ ("labels"), key: row, words: `row ${row}: ${name(before(Number(row)))} becomes ${name(label)}` })),
    ...(edits.dropped ?? []).map((row) => ({ kind: /** @type {const} */ ("dropped"), key: String(row), words: `row ${row} is dropped` })),
    ...Object.entries(edits.slices ?? {}).map(([key, rows]) => ({ kind: /** @type {const} */ ("slices"), key, words: `slice ${key}: ${rowsWord(rows.length)}` })),
  ];
}

/** How much was edited: `2 labels, 1 row dropped, 1 slice`; empty for nothing. @param {Edits} edits */
export function editWords({ labels = {}, dropped = [], slices = {} }) {
  const [changed, named] = [Object.keys(labels).length, Object.keys(slices).length];
  return [
    changed > 0 && `${count(changed)} label${changed === 1 ? "" : "s"}`,
    dropped.length > 0 && `${rowsWord(dropped.length)} dropped`,
    named > 0 && `${named} slice${named === 1 ? "" : "s"}`,
  ]
    .filter(Boolean)
    .join(", ");
}

/** @param {number} length */
const rowsWord = (length) => `${count(length)} row${length === 1 ? "" : "s"}`;

/**
 * Which class rows had before any edit.
 * @param {Edits} edits That `summary` tells of.
 * @param {DatasetSummary} summary
 * @returns {(row: number) => number|undefined}
 */
export function labelsBefore(edits, { labels, before = [] }) {
  const edited = new Map(Object.keys(edits.labels ?? {}).map((row, index) => [Number(row), before[index]]));
  return (row) => (edited.has(row) ? edited.get(row) : labels[row]);
}

/**
 * The test rows that a run answered wrongly, by the labels of now.
 * @param {DatasetSummary} summary
 * @param {{ rows: number[], predicted: number[] }|undefined} answers
 */
export function wrongRows({ labels, test }, answers) {
  if (!answers) return [];
  const asked = new Set(test);
  return answers.rows.filter((row, index) => asked.has(row) && labels[row] !== answers.predicted[index]);
}

/**
 * What there is to look at: parts, rows that checks name, rows that a model got wrong, what was edited.
 * @param {DatasetSummary} summary
 * @param {Findings|null} findings
 * @param {{ rows: number[], predicted: number[] }|undefined} answers Of the last run on this set.
 * @param {Edits} edits
 * @returns {Choice[]}
 */
export function choices(summary, findings, answers, edits) {
  /** @type {Choice[]} */
  const all = /** @type {const} */ (["train", "validation", "test"]).map((id) => ({ id, group: "Part", label: id, rows: summary[id] }));
  for (const { check, unit, of, rows = [], suggested } of findings?.findings ?? []) {
    if (unit === "rows" && of > 0) all.push({ id: `check ${check}`, group: "Named by a check", label: check, rows, suggested });
  }
  if (answers) all.push({ id: "wrong", group: "Answered by a model", label: "wrong in the last run", rows: wrongRows(summary, answers) });
  const { labels, dropped, slices } = edits;
  if (labels) all.push({ id: "labels", group: "Edited", label: "another label", rows: Object.keys(labels).map(Number) });
  if (dropped) all.push({ id: "dropped", group: "Edited", label: "dropped", rows: dropped });
  for (const [name, rows] of Object.entries(slices ?? {})) all.push({ id: `slice ${name}`, group: "Edited", label: `slice ${name}`, rows });
  return all;
}
