// @ts-check
/** @file From the log to the rows and columns shown, each step again only when what it is made of changed. */

import { columnsOf, FIXED, recipePaths, sorted } from "./columns.js";
import { filtered, parseFilter } from "./filter.js";
import { rowsOf } from "./rows.js";

/** @import { AnnotationState, Field, RunSummary } from "../types.js" */
/** @import { Column, Order } from "./columns.js" */
/** @import { Filter } from "./filter.js" */
/** @import { RunRow } from "./rows.js" */

/**
 * What decides the table.
 * @typedef {Object} Wanted
 * @property {ReadonlyMap<string, RunSummary>} summaries every run, deleted ones too
 * @property {unknown} version another value after every change of `summaries`
 * @property {Readonly<Record<string, AnnotationState>>} annotations
 * @property {string|null} baseline digest of the pinned run
 * @property {readonly Field[]} fields
 * @property {string} filter
 * @property {boolean} deleted whether deleted runs are shown
 * @property {boolean} every whether all recipe columns are shown
 * @property {Order} order
 */

/**
 * @typedef {Object} Shown
 * @property {RunRow[]} all
 * @property {RunRow|undefined} baseline
 * @property {Filter} filter
 * @property {Column[]} columns
 * @property {RunRow[]} rows filtered and in order
 */

/** @returns {(wanted: Wanted) => Shown} */
export function pipeline() {
  /** @type {Map<string, RunRow>} */
  let known = new Map();
  const makeAll = remembered((/** @type {Wanted["summaries"]} */ summaries, /** @type {Wanted["annotations"]} */ annotations, /** @type {unknown} */ _version) => {
    const all = rowsOf([...summaries.values()], annotations, known);
    known = new Map(all.map((row) => [row.digest, row]));
    return all;
  });
  const makeBaseline = remembered((/** @type {RunRow[]} */ all, /** @type {string|null} */ digest) => all.find((row) => row.digest === digest));
  const makeFilter = remembered((/** @type {string} */ text, /** @type {RunRow[]} */ all, /** @type {readonly Field[]} */ fields) =>
    parseFilter(text, recipePaths(all, fields.map(({ path }) => path))));
  const makeFound = remembered((/** @type {RunRow[]} */ all, /** @type {Filter} */ filter, /** @type {boolean} */ deleted) =>
    filtered(deleted || filter.asksDeleted ? all : all.filter((row) => !row.deleted), filter));
  const makeColumns = remembered(columnsOf);
  const makeSorted = remembered((/** @type {RunRow[]} */ found, /** @type {Column} */ column, /** @type {boolean} */ descending) => sorted(found, column, descending));

  return ({ summaries, version, annotations, baseline, fields, filter: text, deleted, every, order }) => {
    const all = makeAll(summaries, annotations, version);
    const filter = makeFilter(text, all, fields);
    const found = makeFound(all, filter, deleted);
    const columns = makeColumns(found, fields, every);
    const column = columns.find(({ key }) => key === order.key) ?? /** @type {Column} */ (FIXED[0]);
    return { all, baseline: makeBaseline(all, baseline), filter, columns, rows: makeSorted(found, column, order.descending) };
  };
}

/**
 * @template {readonly unknown[]} A
 * @template R
 * @param {(...parts: A) => R} make
 * @returns {(...parts: A) => R} the last result again while it is made of the same parts
 */
function remembered(make) {
  /** @type {A|undefined} */
  let last;
  /** @type {R} */
  let result;
  return (...parts) => {
    if (!last || parts.some((part, index) => !Object.is(part, last?.[index]))) {
      result = make(...parts);
      last = parts;
    }
    return result;
  };
}
