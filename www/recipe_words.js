// @ts-check
/** @file How the form groups a recipe's fields, and each group in a few words for when it is folded. Pure. */

import { quantizationWords } from "./quantization_words.js";

/** @import { Field, Recipe } from "./types.js" */

/** @typedef {{ title: string, fields: Field[] }} Section */

/** First part of a path to the heading that it stands under. @type {Record<string, string>} */
const HEADINGS = {
  data: "Data",
  split: "Data",
  preprocessing: "Data",
  architecture: "Architecture",
  training: "Training",
  quantization: "Quantization",
  evaluation: "Evaluation",
  execution: "Execution",
  seed: "Seed",
};

/** Sections whose fields always stand open: what is chosen first decides whether there is a second. */
export const OPEN_SECTIONS = new Set(["Execution"]);

/**
 * @param {Field[]} fields In reading order.
 * @param {Recipe} recipe Decides which of them are there.
 * @returns {Section[]}
 */
export function sectionsOf(fields, recipe) {
  /** @type {Map<string, Field[]>} */
  const sections = new Map();
  for (const field of fields) {
    if (!applies(field, recipe, fields) || isRead(field, recipe)) continue;
    const [first = ""] = field.path.split(".");
    const title = HEADINGS[first] ?? `${first.charAt(0).toUpperCase()}${first.slice(1).replaceAll("_", " ")}`;
    sections.set(title, [...(sections.get(title) ?? []), field]);
  }
  return [...sections].map(([title, members]) => ({ title, fields: members }));
}

/** What the Data page shows and changes: faults, edits, and of an own set what was read from its file. @param {Field} field @param {Recipe} recipe */
function isRead({ path, onlyWhen }, recipe) {
  return path === "data.faults" || path === "data.edits" || recipe.data?.set === "own" && onlyWhen?.[0] === "data.set" && path !== "data.set";
}

/**
 * @param {Field} field
 * @param {Recipe} recipe
 * @param {Field[]} fields All of them: what decides may be absent, and then means its default.
 * @returns {boolean}
 */
export function applies({ path, onlyWhen }, recipe, fields) {
  if (!onlyWhen) return true;
  const [by, words] = onlyWhen;
  // A layer's own scheme counts as the scheme does, but it is always padded.
  const layers = by === "quantization.scheme" && path !== "quantization.rows" ? Object.values(recipe.quantization?.layers ?? {}) : [];
  const decides = valueAt(recipe, by) ?? fields.find((field) => field.path === by && applies(field, recipe, fields))?.default;
  return [decides, ...layers].some((value) => words.includes(String(value)));
}

/**
 * What a field holds, or what it means that it is not there.
 * @param {Field} field
 * @param {Recipe} recipe
 * @returns {unknown}
 */
export function valueOf(field, recipe) {
  return valueAt(recipe, field.path) ?? field.default ?? null;
}

/**
 * @param {Recipe} recipe
 * @param {string} path Dotted.
 * @returns {unknown}
 */
export function valueAt(recipe, path) {
  return path.split(".").reduce((/** @type {any} */ value, key) => value?.[key], recipe);
}

/**
 * A section in a few words.
 * @param {string} title
 * @param {Recipe} recipe
 * @returns {string}
 */
export function sectionWords(title, recipe) {
  const { data, split, architecture, training, quantization, evaluation, reading, seed } = recipe;
  switch (title) {
    case "Data":
      return `${data?.set}${data?.faults ? " with faults" : ""}${data?.edits ? ", edited" : ""} · ${share(1 - split?.validation - split?.test)}/${share(split?.validation)}/${share(split?.test)}`;
    case "Architecture":
      return [architecture?.family, architectureSizes(architecture), architecture?.kernel ? `${architecture.kernel}×${architecture.kernel}` : ""].filter(Boolean).join(" · ");
    case "Training":
      return `${training?.optimizer} · ${training?.epochs} ep · ${training?.learning_rate}`;
    case "Quantization":
      return quantizationWords(quantization ?? {});
    case "Evaluation":
      return `${share(evaluation?.confidence)} % · ${evaluation?.latency_secs} s`;
    case "Reading":
      return reading?.rule === "legal" ? `legal · ${reading.kept ?? 8} kept` : "off";
    case "Seed":
      return String(seed);
    default:
      return "";
  }
}

/**
 * How large a model is, in its family's own numbers.
 * @param {Record<string, any>|undefined} architecture
 * @returns {string}
 */
export function architectureSizes({ depth, width, channels, graph } = {}) {
  if (channels !== undefined) return `${channels} ch`;
  if (depth !== undefined) return `${depth} × ${width}`;
  return graph?.layers ? `${graph.layers.length} layers` : "";
}

/** @param {number} value */
function share(value) {
  return Number.isFinite(value) ? String(Math.round(value * 1000) / 10) : "?";
}

/**
 * What a field may hold, as its help says it.
 * @param {Field} field
 */
export function rangeWords({ kind, unit }) {
  if (kind.type === "choice" || kind.type === "object") return "";
  if (kind.type === "text") return `At most ${kind.max} characters.`;
  const range = `${kind.min} to ${kind.max}${unit ? ` ${unit}` : ""}`;
  return kind.type === "integer" && (kind.step ?? 1) > 1 ? `${range}, in steps of ${kind.step}` : range;
}
