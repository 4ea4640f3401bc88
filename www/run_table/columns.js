// @ts-check
/** @file The columns of the run table: which there are, which recipe fields differ, and rows in the order of a column. Pure. */

import { isLayerPath, layersWords } from "../quantization_words.js";

/** @import { RunRow } from "./rows.js" */

/**
 * @typedef {object} Column
 * @property {string} key
 * @property {string} label
 * @property {string} [help] one sentence for the header
 * @property {"number" | "text"} kind how it is sorted and aligned
 * @property {(row: RunRow) => number | string | null | undefined} value
 * @property {boolean} [recipe] whether it is a field of the recipe
 * @property {number} width pixels
 * @property {boolean} [descendingFirst] whether the first press of its header sorts from high to low
 */

/**
 * @typedef {object} Order
 * @property {string} key
 * @property {boolean} descending
 */

/** @type {readonly Column[]} */
export const FIXED = [
  { key: "started", label: "Run", kind: "text", width: 300, descendingFirst: true, value: (row) => row.summary.started,
    help: "Name and start; sorted by start." },
  { key: "status", label: "Status", kind: "text", width: 152, value: (row) => row.status },
  { key: "accuracy", label: "Accuracy", kind: "number", width: 140, descendingFirst: true, value: (row) => row.summary.accuracy,
    help: "Share of right answers on the test rows, with half the width of its interval." },
  { key: "p50", label: "p50 latency", kind: "number", width: 128, value: (row) => row.summary.p50Millis,
    help: "Median time of a call with one row." },
  { key: "size", label: "Size", kind: "number", width: 92, value: (row) => row.summary.weightBytes,
    help: "Bytes of the stored weights." },
  { key: "parameters", label: "Parameters", kind: "number", width: 116, value: (row) => row.summary.parameters,
    help: "Trainable numbers." },
];

/** Shown where it tells rows apart: most logs were made on the CPU alone. @type {Column} */
export const ENGINE = { key: "engine", label: "Ran on", kind: "text", width: 84, value: (row) => row.summary.engine,
  help: "The engine that a run was executed on, whatever its recipe asks for; mixed where the GPU was lost on the way." };

/** One column for the schemes of all single layers: each model's layers have other names. @type {Column} */
export const LAYERS = { key: "quantization.layers", label: "Layers", kind: "text", recipe: true, width: 176, value: (row) => layersWords(row.summary.recipe) || undefined,
  help: "Layers whose weights have a scheme of their own." };

/** @type {readonly Column[]} */
export const LAST = [
  { key: "weights", label: "Weights", kind: "text", width: 100, value: (row) => row.summary.weightsDigest,
    help: "Start of the SHA-256 of the trained weights; equal digests are equal bit for bit." },
];

/**
 * Paths of the recipe whose values are not the same in all rows; a value that only some rows have differs.
 * @param {readonly RunRow[]} rows
 * @returns {Set<string>}
 */
export function differingPaths(rows) {
  /** @type {Set<string>} */
  const differing = new Set();
  const first = rows[0];
  if (!first) return differing;
  const base = first.summary.recipe;
  const paths = Object.keys(base);
  for (const row of rows) {
    const recipe = row.summary.recipe;
    if (recipe === base) continue;
    let shared = 0;
    for (const path of paths) {
      const value = recipe[path];
      if (value !== undefined) shared += 1;
      if (value !== base[path]) differing.add(path);
    }
    if (Object.keys(recipe).length === shared) continue;
    for (const path of Object.keys(recipe)) {
      if (base[path] === undefined) differing.add(path);
    }
  }
  return differing;
}

/**
 * Every path that some row's recipe has, the known ones first in their order.
 * @param {readonly RunRow[]} rows
 * @param {readonly string[]} known
 * @returns {string[]}
 */
export function recipePaths(rows, known) {
  const all = new Set(known);
  for (const row of rows) {
    for (const path in row.summary.recipe) all.add(path);
  }
  return [...all];
}

/**
 * @param {readonly RunRow[]} rows the rows shown
 * @param {readonly { path: string, label: string, help?: string, kind?: { type: string } }[]} fields of a recipe, in reading order
 * @param {boolean} every all fields that the rows have, instead of only those that differ
 * @returns {Column[]}
 */
export function columnsOf(rows, fields, every) {
  const differing = differingPaths(rows);
  const labels = new Map(fields.map((field) => [field.path, field]));
  const paths = recipePaths(rows, fields.map((field) => field.path));
  const present = every ? presentPaths(rows) : differing;
  /** @type {Column[]} */
  const recipe = paths.filter((path) => present.has(path) && !isLayerPath(path)).map((path) => {
    const field = labels.get(path);
    const value = (/** @type {RunRow} */ row) => row.summary.recipe[path];
    const label = field?.label ?? path;
    return {
      key: path,
      label,
      help: field?.help,
      kind: (field?.kind ? field.kind.type !== "choice" : isNumeric(rows, path)) ? "number" : "text",
      recipe: true,
      width: Math.min(176, Math.max(76, label.length * 8 + 34)),
      value,
    };
  });
  const engine = rows[0]?.summary.engine;
  const engines = every ? rows.some(({ summary }) => summary.engine !== "cpu") : rows.some(({ summary }) => summary.engine !== engine);
  const layers = [...present].some(isLayerPath) ? [LAYERS] : [];
  return [...FIXED, ...(engines ? [ENGINE] : []), ...recipe, ...layers, ...LAST];
}

/** @param {readonly RunRow[]} rows */
function presentPaths(rows) {
  /** @type {Set<string>} */
  const present = new Set();
  for (const row of rows) {
    for (const path in row.summary.recipe) present.add(path);
  }
  return present;
}

/**
 * @param {readonly RunRow[]} rows
 * @param {string} path
 */
function isNumeric(rows, path) {
  return rows.every((row) => {
    const value = row.summary.recipe[path];
    return value === undefined || (value !== "" && Number.isFinite(Number(value)));
  });
}

const COLLATOR = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

/**
 * Sort keys of a column, made once for a set of rows: numbers as they are, texts as their rank, NaN where there is none.
 * @param {readonly RunRow[]} rows
 * @param {Column} column
 * @returns {Float64Array}
 */
export function sortKeys(rows, column) {
  const keys = new Float64Array(rows.length);
  if (column.kind === "number") {
    rows.forEach((row, index) => {
      const value = column.value(row);
      keys[index] = value === null || value === undefined || value === "" ? Number.NaN : Number(value);
    });
    return keys;
  }
  const values = rows.map((row) => String(column.value(row) ?? ""));
  const distinct = [...new Set(values)];
  const iso = distinct.every((value) => /^\d{4}-/u.test(value));
  distinct.sort(iso ? undefined : COLLATOR.compare);
  const rank = new Map(distinct.map((value, index) => [value, index]));
  values.forEach((value, index) => {
    keys[index] = value === "" ? Number.NaN : (rank.get(value) ?? 0);
  });
  return keys;
}

/**
 * Rows in the order of a column. What has no value stands last either way; equal values stand newest first.
 * @param {readonly RunRow[]} rows
 * @param {Column} column
 * @param {boolean} descending
 * @returns {RunRow[]}
 */
export function sorted(rows, column, descending) {
  const keys = sortKeys(rows, column);
  const times = rows.map((row) => row.summary.started);
  const order = Uint32Array.from(rows.keys());
  const sign = descending ? -1 : 1;
  order.sort((a, b) => {
    const x = keys[a] ?? Number.NaN;
    const y = keys[b] ?? Number.NaN;
    if (x !== y) {
      if (Number.isNaN(x)) {
        if (!Number.isNaN(y)) return 1;
      } else if (Number.isNaN(y)) {
        return -1;
      } else {
        return x < y ? -sign : sign;
      }
    }
    const s = times[a] ?? "";
    const t = times[b] ?? "";
    if (s !== t) return s > t ? -1 : 1;
    return a - b;
  });
  return Array.from(order, (index) => /** @type {RunRow} */ (rows[index]));
}
