// @ts-check
/** @file What storing did to a model, read from a record or from the lab: its form is checked, so that a log from elsewhere breaks no view; and histograms as charts. */

/** @import { Chart } from "./types.js" */

/** @typedef {{ low: number, high: number, before: number[], after: number[] }} Histograms */

/**
 * `result::LayerDamage`.
 * @typedef {Object} LayerDamage
 * @property {string} layer
 * @property {string} arithmetic
 * @property {string} reason
 * @property {string} scheme
 * @property {number} bytes
 * @property {number} f32Bytes
 * @property {number} [sqnrDecibels]
 * @property {number} cosine
 * @property {number} timeShare
 * @property {Histograms} [weights]
 * @property {Histograms} activations
 */

/** @typedef {{ row: number, label: number, before: number, after: number, marginBefore: number, marginAfter: number }} Flip */

/** @typedef {{ class: string, rows: number, rightBefore: number, rightAfter: number, lost: number, low: number, high: number }} ClassDamage */

/**
 * `result::Damage`.
 * @typedef {Object} Damage
 * @property {LayerDamage[]} layers The most damaged first.
 * @property {Flip[]} flips
 * @property {ClassDamage[]} classes
 * @property {{ rows: number, onlyFirst: number, onlySecond: number, pValue: number, verdict: string, reason: string }} paired
 * @property {string[]} warnings
 */

/** @param {unknown} value */
const isNumber = (value) => typeof value === "number" && Number.isFinite(value);
/** @param {any} value @param {string[]} names @param {(value: unknown) => boolean} check */
const all = (value, names, check) => value !== null && typeof value === "object" && names.every((name) => check(value[name]));
/** @param {unknown} value */
const isText = (value) => typeof value === "string";

/** @param {any} it */
function isHistograms(it) {
  return all(it, ["low", "high"], isNumber) && [it.before, it.after].every((counts) => Array.isArray(counts) && counts.length > 0 && counts.length <= 256 && counts.every(isNumber)) && it.before.length === it.after.length;
}

/**
 * @param {any} value Of `results.damage` of a record, or of the lab's answer.
 * @returns {Damage|null} Null where it is none.
 */
export function damageFrom(value) {
  const lists = all(value, ["layers", "flips", "classes", "warnings"], Array.isArray);
  const sound =
    lists &&
    value.warnings.every(isText) &&
    all(value.paired, ["rows", "onlyFirst", "onlySecond", "pValue"], isNumber) &&
    all(value.paired, ["verdict", "reason"], isText) &&
    value.layers.every((/** @type {any} */ it) => all(it, ["layer", "arithmetic", "reason", "scheme"], isText) && all(it, ["bytes", "f32Bytes", "cosine", "timeShare"], isNumber) && isHistograms(it.activations) && (it.weights === undefined || isHistograms(it.weights)) && (it.sqnrDecibels === undefined || isNumber(it.sqnrDecibels))) &&
    value.flips.every((/** @type {any} */ it) => all(it, ["row", "label", "before", "after"], isNumber)) &&
    value.classes.every((/** @type {any} */ it) => isText(it.class) && all(it, ["rows", "rightBefore", "rightAfter", "lost", "low", "high"], isNumber));
  return sound ? value : null;
}

const HEIGHT = 132;
const EDGE = { left: 8, right: 8, top: 8, bottom: 22 };

/**
 * Two histograms over each other: before as an area, after as a line.
 * @param {Histograms} histograms
 * @param {string} what `weights` or `values`
 * @param {number} width
 * @returns {Chart} Colours are the page's, by `currentColor` and the classes of its stylesheet.
 */
export function histogramChart({ low, high, before, after }, what, width) {
  const parts = before.length;
  const most = Math.max(1, ...before, ...after);
  const [inner, tall] = [width - EDGE.left - EDGE.right, HEIGHT - EDGE.top - EDGE.bottom];
  const x = (/** @type {number} */ part) => (EDGE.left + (part / parts) * inner).toFixed(1);
  // Most numbers lie near zero: the root shows the tails as well.
  const y = (/** @type {number} */ count) => (EDGE.top + tall * (1 - Math.sqrt(count / most))).toFixed(1);
  const floor = (EDGE.top + tall).toFixed(1);
  const steps = (/** @type {number[]} */ counts) => counts.map((count, part) => `L${x(part)} ${y(count)}L${x(part + 1)} ${y(count)}`).join("");
  const middle = low < 0 && high > 0 ? EDGE.left + (-low / (high - low)) * inner : null;
  const shown = (/** @type {number} */ value) => (value === 0 ? "0" : value.toPrecision(3).replace("-", "−"));
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${HEIGHT}" viewBox="0 0 ${width} ${HEIGHT}" font-size="11">
<path class="histogram-before" d="M${x(0)} ${floor}${steps(before)}L${x(parts)} ${floor}Z" fill="currentColor" fill-opacity="0.22"/>
<path class="histogram-after" d="M${x(0)} ${floor}${steps(after)}L${x(parts)} ${floor}" fill="none" stroke="currentColor" stroke-width="1.5"/>
<path d="M${EDGE.left} ${floor}H${width - EDGE.right}" stroke="currentColor" stroke-opacity="0.5"/>
${middle === null ? "" : `<path d="M${middle.toFixed(1)} ${EDGE.top}V${floor}" stroke="currentColor" stroke-opacity="0.35" stroke-dasharray="2 3"/>`}
<text x="${EDGE.left}" y="${HEIGHT - 6}" fill="currentColor">${shown(low)}</text>
<text x="${width - EDGE.right}" y="${HEIGHT - 6}" text-anchor="end" fill="currentColor">${shown(high)}</text>
</svg>`;
  const edge = (/** @type {number} */ part) => shown(low + ((high - low) * part) / parts);
  const used = (/** @type {number[]} */ counts) => counts.filter((count) => count > 0).length;
  return {
    svg,
    summary: `Area: before, line: after; heights are square roots of counts. The ${what} before fill ${used(before)} of ${parts} bars, those after ${used(after)}.`,
    columns: ["from", "to", "before", "after"],
    rows: before.map((count, part) => [edge(part), edge(part + 1), String(count), String(after[part])]),
  };
}
