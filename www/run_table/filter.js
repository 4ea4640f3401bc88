// @ts-check
/** @file The filter language of the run table: words, `field:word` and `field>number`. Pure; says what it does not understand. */

/** @import { RunRow } from "./rows.js" */
/** @typedef {(row: RunRow) => boolean} Test */

/**
 * @typedef {object} Filter
 * @property {Test[]} tests all of which a row must pass
 * @property {string[]} problems what was not understood, each a sentence; such terms are left out
 * @property {boolean} asksDeleted whether a term asks for deleted runs
 */

/**
 * A field that a term may name.
 * @typedef {object} FilterField
 * @property {"number" | "text"} kind
 * @property {(row: RunRow) => number | string | null | undefined} value
 * @property {Readonly<Record<string, number>>} [units] factor by suffix, lower case
 * @property {boolean} [share] whether a bare number above 1 is meant in percent
 */

const SHARE = { "%": 0.01 };
const MILLIS = { ms: 1, µs: 0.001, us: 0.001, s: 1000 };
const BYTES = { b: 1, kb: 1e3, mb: 1e6, kib: 1024, mib: 1024 ** 2 };
const COUNT = { k: 1e3, m: 1e6 };
const SECS = { s: 1, min: 60, h: 3600 };

/** @type {Readonly<Record<string, FilterField>>} */
export const FIELDS = {
  name: { kind: "text", value: (row) => row.title },
  note: { kind: "text", value: (row) => row.note },
  status: { kind: "text", value: (row) => row.status },
  digest: { kind: "text", value: (row) => row.digest },
  weights: { kind: "text", value: (row) => row.summary.weightsDigest },
  started: { kind: "text", value: (row) => row.summary.started },
  engine: { kind: "text", value: (row) => row.summary.engine },
  browser: { kind: "text", value: (row) => row.summary.browser },
  flag: { kind: "text", value: (row) => (row.summary.flags ?? []).join("\n") },
  accuracy: { kind: "number", value: (row) => row.summary.accuracy, units: SHARE, share: true },
  p50: { kind: "number", value: (row) => row.summary.p50Millis, units: MILLIS },
  throughput: { kind: "number", value: (row) => row.summary.samplesPerSec, units: COUNT },
  size: { kind: "number", value: (row) => row.summary.weightBytes, units: BYTES },
  parameters: { kind: "number", value: (row) => row.summary.parameters, units: COUNT },
  macs: { kind: "number", value: (row) => row.summary.macs, units: COUNT },
  duration: { kind: "number", value: (row) => row.summary.durationSecs, units: SECS },
  kept: { kind: "number", value: (row) => row.summary.keptEpoch },
};

/** @type {Readonly<Record<string, Test>>} */
const STATES = {
  pinned: (row) => row.pinned,
  deleted: (row) => row.deleted,
  altered: (row) => row.status === "altered",
  named: (row) => row.name !== "",
  noted: (row) => row.note !== "",
  check: (row) => Boolean(row.summary.checkedClaim),
  resumed: (row) => Boolean(row.summary.resumedFrom),
  mixed: (row) => row.summary.engine === "mixed",
  disagrees: (row) => row.summary.agrees === false,
};

const TERM = /(-?)([A-Za-z_][\w.]*)(:|>=|<=|!=|>|<|=)("[^"]*"?|\S*)|(-?)("[^"]*"?|\S+)/gu;

/**
 * @param {string} text
 * @param {readonly string[]} [recipePaths] dotted paths that recipes have, such as `training.epochs`
 * @returns {Filter}
 */
export function parseFilter(text, recipePaths = []) {
  /** @type {Filter} */
  const filter = { tests: [], problems: [], asksDeleted: false };
  for (const [, minus, name, operator, value, plainMinus, plain] of text.matchAll(TERM)) {
    if (name === undefined) {
      const word = unquoted(plain ?? "").toLowerCase();
      if (word === "" || (plain === "-" && !plainMinus)) continue;
      filter.tests.push(negated(plainMinus === "-", (row) => row.text.includes(word)));
      continue;
    }
    const wanted = unquoted(value ?? "");
    if (wanted === "") continue;
    if (name.toLowerCase() === "is" && operator === ":") {
      const test = own(STATES, wanted.toLowerCase());
      if (!test) {
        filter.problems.push(`“is:${wanted}” is not known. Known are: ${Object.keys(STATES).map((state) => `is:${state}`).join(", ")}.`);
        continue;
      }
      if (wanted.toLowerCase() === "deleted") filter.asksDeleted = true;
      filter.tests.push(negated(minus === "-", test));
      continue;
    }
    const test = fieldTest(name.toLowerCase(), operator ?? ":", wanted, recipePaths);
    if (typeof test === "string") filter.problems.push(test);
    else filter.tests.push(negated(minus === "-", test));
  }
  return filter;
}

/**
 * @param {readonly RunRow[]} rows
 * @param {Filter} filter
 * @returns {RunRow[]}
 */
export function filtered(rows, filter) {
  return rows.filter((row) => filter.tests.every((test) => test(row)));
}

/**
 * @param {string} name
 * @param {string} operator
 * @param {string} wanted
 * @param {readonly string[]} recipePaths
 * @returns {Test | string} a test, or a sentence on what is wrong
 */
function fieldTest(name, operator, wanted, recipePaths) {
  const field = own(FIELDS, name) ?? recipeField(name, recipePaths);
  if (!field) {
    const known = [...Object.keys(FIELDS), "is"].join(", ");
    return `“${name}” is not a field. Fields are ${known}, and every field of a recipe, such as epochs or learning_rate.`;
  }
  const bare = numberOf(wanted, field.units);
  const number = bare !== null && bare > 1 && field.share ? bare / 100 : bare;
  if (field.kind === "number" && number === null) {
    const units = field.units ? `, optionally with ${Object.keys(field.units).join(", ")}` : "";
    return `“${name}” needs a number${units}, not “${wanted}”.`;
  }
  const words = wanted.toLowerCase();
  return (row) => {
    const value = field.value(row);
    if (value === null || value === undefined) return false;
    const has = typeof value === "number" ? value : numberOf(value);
    if (number !== null && has !== null) return compared(has, operator, number);
    const held = String(value).toLowerCase();
    if (operator === ":") return held.includes(words);
    if (operator === "=") return held === words;
    if (operator === "!=") return held !== words;
    return compared(held, operator, words);
  };
}

/**
 * @param {string} name last part or all of a path
 * @param {readonly string[]} recipePaths
 * @returns {FilterField | undefined}
 */
function recipeField(name, recipePaths) {
  const paths = recipePaths.filter((path) => path === name || path.endsWith(`.${name}`));
  if (paths.length === 0) return undefined;
  return {
    kind: "text",
    value: (row) => {
      for (const path of paths) {
        const value = row.summary.recipe[path];
        if (value !== undefined) return value;
      }
      return undefined;
    },
  };
}

/**
 * @template {number | string} T
 * @param {T} has
 * @param {string} operator
 * @param {T} wanted
 */
function compared(has, operator, wanted) {
  switch (operator) {
    case ">": return has > wanted;
    case "<": return has < wanted;
    case ">=": return has >= wanted;
    case "<=": return has <= wanted;
    case "!=": return has !== wanted;
    default: return has === wanted;
  }
}

/**
 * @param {string} text
 * @param {Readonly<Record<string, number>>} [units]
 * @returns {number | null}
 */
function numberOf(text, units) {
  const parts = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*([a-zµ%]*)$/iu.exec(text);
  if (!parts) return null;
  const unit = (parts[2] ?? "").toLowerCase();
  if (unit === "") return Number(parts[1]);
  const factor = units && own(units, unit);
  return factor === undefined ? null : Number(parts[1]) * factor;
}

/**
 * Looks up a name that a person typed: `constructor` is not in a table that does not list it.
 * @template T
 * @param {Readonly<Record<string, T>>} table
 * @param {string} name
 * @returns {T | undefined}
 */
function own(table, name) {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

/** @param {string} text */
function unquoted(text) {
  return text.replace(/^"|"$/gu, "");
}

/**
 * @param {boolean} negative
 * @param {Test} test
 * @returns {Test}
 */
function negated(negative, test) {
  return negative ? (row) => !test(row) : test;
}
