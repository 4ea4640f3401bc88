// @ts-check
/** @file What stands in the cells of the run table, and in a compact row; templates only. */

import { html } from "lit";
import { bytes, count, millis, NONE, percent, plusMinus, points, relative, shortDigest, when } from "../figures.js";
import { DISAGREES, engineName } from "../gpu_words.js";
import { icon, statusSign, verdictIcon } from "../icons.js";
import { unlessStruck } from "./engine_facts.js";

/** @import { TemplateResult } from "lit" */
/** @import { Column } from "./columns.js" */
/** @import { Delta } from "./deltas.js" */
/** @import { RunRow } from "./rows.js" */

/**
 * What a cell may look at.
 * @typedef {Object} Context
 * @property {RunRow|undefined} baseline
 * @property {(row: RunRow) => Delta|undefined} deltaOf
 */

/**
 * @param {Column} column
 * @param {RunRow} row
 * @param {Context} context
 * @returns {TemplateResult|string}
 */
export function cell(column, row, context) {
  const { summary } = row;
  switch (column.key) {
    case "status":
      return html`${statusSign(row.status)}${flags(row)}`;
    case "accuracy":
      return twoLines(accuracy(row), accuracyDelta(row, context));
    case "p50":
      return twoLines(millis(summary.p50Millis), latencyDelta(row, context));
    case "size":
      return twoLines(bytes(summary.weightBytes), countedDelta(summary.weightBytes, context.baseline?.summary.weightBytes, row, context));
    case "parameters":
      return twoLines(count(summary.parameters), countedDelta(summary.parameters, context.baseline?.summary.parameters, row, context));
    case "engine":
      return html`<span title=${ENGINE_HELP[summary.engine] ?? ""}>${engineName(summary.engine)}</span>`;
    case "weights":
      return summary.weightsDigest ? html`<span class="digest" title=${summary.weightsDigest}>${shortDigest(summary.weightsDigest)}</span>` : NONE;
    default:
      return String(column.value(row) ?? NONE);
  }
}

/**
 * The second line of a compact row.
 * @param {RunRow} row
 * @param {Context} context
 */
export function compactLine(row, context) {
  const { summary } = row;
  return html`${accuracy(row)} ${accuracyDelta(row, context)}<span class="soft">${millis(summary.p50Millis)}</span
    ><span class="soft">${bytes(summary.weightBytes)}</span>`;
}

/** @param {RunRow} row */
export function startLine(row) {
  return html`<time datetime=${row.summary.started}>${when(row.summary.started)}</time>`;
}

/** @param {RunRow} row */
function accuracy({ summary }) {
  if (summary.accuracy == null) return html`<span class="soft">${NONE}</span>`;
  const range = `${percent(summary.accuracyLow)} to ${percent(summary.accuracyHigh)}; ${summary.correct} of ${summary.total} right`;
  const figure = html`<span title=${range}>${percent(summary.accuracy)} <span class="soft">${plusMinus(summary.accuracyLow, summary.accuracyHigh)}</span></span>`;
  return unlessStruck(figure, summary.agrees);
}

/**
 * @param {RunRow} row
 * @param {Context} context
 */
function accuracyDelta(row, { baseline, deltaOf }) {
  if (!baseline || baseline === row || row.summary.accuracy == null || baseline.summary.accuracy == null) return "";
  const delta = deltaOf(row);
  const difference = row.summary.accuracy - baseline.summary.accuracy;
  return verdictSign(points(difference), delta && (delta.accuracy ?? NOT_COMPARED));
}

/**
 * @param {RunRow} row
 * @param {Context} context
 */
function latencyDelta(row, { baseline, deltaOf }) {
  if (!baseline || baseline === row || row.summary.p50Millis == null || baseline.summary.p50Millis == null) return "";
  const delta = deltaOf(row);
  return verdictSign(relative(row.summary.p50Millis, baseline.summary.p50Millis), delta && (delta.latency ?? NOT_COMPARED));
}

/** @type {Record<string, string>} */
const ENGINE_HELP = {
  cpu: "The exact engine: the same recipe gives the same weights, bit for bit",
  gpu: "WebGPU, checked against the CPU",
  mixed: "Part on the GPU and part on the CPU, or with another batch, after the GPU was lost",
};

const NOT_COMPARED = { verdict: "can't tell", reason: "the two records do not have what a comparison needs" };

/**
 * A difference with what can be said of it.
 * @param {string} text
 * @param {{ verdict: string, reason: string }|undefined} judged undefined while the records are being compared
 */
export function verdictSign(text, judged) {
  if (!judged) return html`<span class="delta soft" title="Comparing on the same rows …">${text} …</span>`;
  const { verdict, reason } = judged;
  const sign = verdict === "better" || verdict === "worse" ? html`<span>${verdict}</span>` : html`${icon(verdictIcon(verdict))}<span class="visually-hidden">${verdict}</span>`;
  return html`<span class="delta" data-verdict=${verdict} title=${`${verdict}: ${reason}`}>${text} ${sign}</span>`;
}

/**
 * @param {number|null|undefined} value
 * @param {number|null|undefined} base
 * @param {RunRow} row
 * @param {Context} context
 */
function countedDelta(value, base, row, { baseline }) {
  if (value == null || base == null || baseline === row || value === base) return "";
  return html`<span class="delta soft">${relative(value, base)}</span>`;
}

/** @param {RunRow} row */
function flags({ summary }) {
  // A flag names what is doubtful and why: `latency: no steady state`.
  const doubtful = [...new Set(summary.flags.map((flag) => flag.split(":")[0] ?? flag))];
  const words = doubtful.length > 0 ? [`doubtful ${doubtful.length === 1 ? doubtful[0] : "timing"}`] : [];
  if (summary.checkedClaim) words.unshift("check of a link");
  if (summary.resumedFrom) words.unshift("resumed");
  const disagrees = summary.agrees === false;
  if (words.length === 0 && !disagrees) return "";
  const title = [...(disagrees ? [DISAGREES] : []), ...words, ...summary.flags].join("; ");
  return html`<span class="second small soft" title=${title}>${disagrees ? html`<span class="status" data-tone="bad">${icon("altered")} ${DISAGREES}</span>${words.length > 0 ? ", " : ""}` : ""}${words.join(", ")}</span>`;
}

/**
 * @param {TemplateResult|string} first
 * @param {TemplateResult|string} second
 */
function twoLines(first, second) {
  return html`<span class="first">${first}</span>${second === "" ? "" : html`<span class="second small">${second}</span>`}`;
}
