// @ts-check
/** @file What a record says, as short lists: measured figures, digests, environment; templates only. */

import { html } from "lit";
import { damageFrom } from "../damage.js";
import { bytes, count, millis, NONE, percent, perSec, plusMinus, relative, secs, significant } from "../figures.js";
import "../elements/assay_digest.js";
import { icon } from "../icons.js";
import { unlessStruck } from "./engine_facts.js";

/** @import { TemplateResult } from "lit" */
/** @import { Latency, LayerCost, RunRecord } from "../types.js" */

/** @typedef {[string, TemplateResult|string]} Fact */

/**
 * @param {readonly Fact[]} facts
 * @returns {TemplateResult}
 */
export function factList(facts) {
  return html`<dl class="facts">
    ${facts.map(([term, value]) => html`<div><dt>${term}</dt><dd>${value}</dd></div>`)}
  </dl>`;
}

/**
 * @param {RunRecord} record
 * @returns {Fact[]}
 */
export function measured({ results, duration_secs: durationSecs }) {
  const { accuracy, agreement, cost, latency, throughput, training, test_loss: testLoss } = results;
  /** @type {Fact[]} */
  const facts = [];
  if (accuracy) {
    const share = accuracy.total > 0 ? accuracy.correct / accuracy.total : 0;
    facts.push([
      "Test accuracy",
      html`${unlessStruck(html`${percent(share)} ${plusMinus(accuracy.low, accuracy.high)}`, agreement?.agrees)}
        <span class="soft">${accuracy.correct} of ${accuracy.total}; ${percent(accuracy.confidence).replace(".0", "")} interval ${percent(accuracy.low)} to ${percent(accuracy.high)}</span>`,
    ]);
  }
  for (const { slice, rows, accuracy: part } of Array.isArray(results.slices) ? results.slices : []) {
    if (typeof slice !== "string" || typeof part?.total !== "number") continue;
    facts.push([
      `Slice ${slice}`,
      part.total === 0
        ? html`<span class="soft">none of its ${count(rows)} rows tests</span>`
        : html`${unlessStruck(html`${percent(part.correct / part.total)} ${plusMinus(part.low, part.high)}`, agreement?.agrees)} <span class="soft">${part.correct} of ${part.total} test rows; ${percent(part.low)} to ${percent(part.high)}</span>`,
    ]);
  }
  if (testLoss != null) facts.push(["Test loss", `${significant(testLoss, 3)}\u00a0nats`]);
  if (latency) facts.push(["Latency, one row", latencyText(latency)]);
  if (throughput) facts.push([`Throughput, ${throughput.batch} rows`, html`${perSec(throughput.samples_per_sec)} ${flagText(throughput)}`]);
  if (cost) {
    const smaller = cost.weight_bytes === cost.f32_bytes ? "" : html` <span class="soft">${relative(cost.weight_bytes, cost.f32_bytes)} against f32</span>`;
    facts.push(["Size", html`${bytes(cost.weight_bytes)}${smaller}`]);
    facts.push(["Parameters", count(cost.parameters)]);
    facts.push(["MACs per row", count(cost.macs)]);
  }
  if (training) {
    const kept = training.kept_epoch > 0 ? `kept epoch ${training.kept_epoch} of ${training.curve.length}` : "no epoch finished";
    const step = training.non_finite_step ? `, at step ${training.non_finite_step}` : "";
    facts.push(["Training", html`${kept} <span class="soft">${perSec(training.samples_per_sec)}; ended: ${training.ended}${step}</span>`]);
  }
  facts.push(["Duration", secs(durationSecs)]);
  return facts;
}

/** @param {Latency} latency */
function latencyText(latency) {
  const tail = [
    latency.p95_millis == null ? "" : `p95 ${millis(latency.p95_millis)}`,
    latency.p99_millis == null ? "" : `p99 ${millis(latency.p99_millis)}`,
    `${latency.samples_millis.length} samples${latency.calls_per_sample > 1 ? ` of ${latency.calls_per_sample} calls` : ""}`,
    `clock ${significant(latency.resolution_micros, 2)}\u00a0µs`,
  ].filter(Boolean);
  return html`p50 ${millis(latency.p50_millis)}
    <span class="soft">${millis(latency.p50_low_millis)} to ${millis(latency.p50_high_millis)}; ${tail.join(", ")}</span> ${flagText(latency)}`;
}

/** @param {Latency} latency */
function flagText({ flags }) {
  return flags.length > 0 ? html`<span data-tone="warn">doubtful: ${flags.join(", ")}</span>` : "";
}

/**
 * @param {RunRecord} record
 * @returns {Fact[]}
 */
export function digests(record) {
  /** @type {[string, string|undefined][]} */
  const all = [
    ["Record", record.digest],
    ["Recipe", record.recipe_digest],
    ["Data", record.digests.data],
    ["Edited from", record.digests.source],
    ["Weights", record.digests.weights],
    ["Fine-tuned weights", record.digests.fine_tuned],
    ["Stored weights", record.digests.stored],
    ["Predictions", record.digests.predictions],
    ["Resumed from", record.resumed_from],
    ["Checked claim", record.checked_claim],
  ];
  return all
    .filter(([, value]) => value !== undefined)
    .map(([term, value]) => [term, html`<assay-digest .digest=${value ?? ""} .label=${term.toLowerCase()}></assay-digest>`]);
}

/**
 * @param {RunRecord} record
 * @returns {Fact[]}
 */
export function environment({ environment: where }) {
  const used = where.engine !== "cpu";
  return [
    ["Engine", `${where.engine}, arithmetic ${where.arithmetic}`],
    ["Browser", `${where.browser} ${where.browser_version}`.trim() || NONE],
    ["Cores", where.cores > 0 ? String(where.cores) : "unknown"],
    ["Clock", `${significant(where.timer_resolution_micros, 2)}\u00a0µs${where.isolated ? "" : ", page not isolated"}`],
    ["Assay", `${where.app_version}${where.build ? `, build ${where.build}` : ""}`],
    ...(where.adapter ? [/** @type {Fact} */ (["WebGPU adapter", `${where.adapter}${used ? "" : " (not used)"}`])] : []),
  ];
}

/**
 * Layers that are not stored as the recipe asks, with the reason, and what was found about the stored model.
 * @param {RunRecord} record
 * @returns {TemplateResult|""}
 */
export function keptLayers({ results }) {
  /** @type {LayerCost[]} */
  const layers = results.cost?.layers ?? [];
  const other = layers.filter(({ reason }) => reason);
  const found = damageFrom(results.damage)?.warnings ?? [];
  if (other.length + found.length === 0) return "";
  return html`${other.length > 0 ? html`<p class="small">Not stored as asked: ${other.map(({ name, scheme, reason }) => `${name} stays ${scheme} (${reason})`).join("; ")}.</p>` : ""}
    ${found.map((finding) => html`<p class="small" data-tone="warn">${icon("altered")} Finding: ${finding}.</p>`)}`;
}
