// @ts-check
/** @file What a record says of its engines: what it ran on and why, whether GPU and CPU agree, what answers cost on both; templates only. */

import { html } from "lit";
import { bytes, count, millis, NONE, percent, plusMinus, scientific } from "../figures.js";
import { engineName, fineTuningWords, partWords, sentence } from "../gpu_words.js";
import { agreementSign, icon } from "../icons.js";

/** @import { TemplateResult } from "lit" */
/** @import { Agreement, Breakdown, Execution, Probe, RunRecord } from "../types.js" */
/** @import { Fact } from "./facts.js" */

/**
 * A figure that does not count, for eyes and for screen readers.
 * @param {TemplateResult|string} figure
 * @param {boolean|null|undefined} agrees
 */
export function unlessStruck(figure, agrees) {
  return agrees === false ? html`<s class="struck"><span class="visually-hidden">does not count, as the engine disagrees: </span>${figure}</s>` : figure;
}

/**
 * What a run was executed on.
 * @param {RunRecord} record
 * @returns {Fact[]} None where the CPU was asked for.
 */
export function executed(record) {
  const { execution } = record.results;
  if (!execution) return [];
  const engine = record.environment.engine;
  const parts = partWords(record);
  /** @type {Fact[]} */
  const facts = [
    ["Engine", html`${engineName(engine)}${execution.gpu && engine !== "cpu" ? html`, ${execution.gpu.adapter}` : ""} <span class="soft">${execution.asked === "auto" ? "auto: " : ""}${execution.reason}</span>`],
  ];
  if (parts.length > 0) facts.push(["Parts", html`<ol class="parts">${parts.map((part) => html`<li>${part}</li>`)}</ol>`]);
  const tuned = fineTuningWords(record);
  if (tuned) facts.push(["Fine-tuned", tuned]);
  if (execution.trial) facts.push(["Trial", trial(execution.trial)]);
  if (execution.gpu) facts.push(["GPU work", work(execution.gpu)]);
  return facts;
}

/** @param {NonNullable<Execution["trial"]>} trial */
function trial({ cpu_step_millis: cpu, gpu_step_millis: gpu, gpu_wait_millis: wait }) {
  return html`${millis(cpu)} a step on the CPU, ${millis(gpu)} on the GPU <span class="soft">and ${millis(wait)} each time it is waited for</span>`;
}

/** @param {NonNullable<Execution["gpu"]>} gpu */
function work({ dispatches_per_step: step, dispatches_per_batch: batch, pipelines, tiles = [] }) {
  return html`${count(step)} kernels a training step, ${count(batch)} a batch of answers; ${count(pipelines)} pipelines
    ${tiles.length > 0 ? html`<details class="small"><summary>${tiles.length === 1 ? "1 tile" : `${tiles.length} tiles`} chosen by measurement</summary><ul class="tiles">${tiles.map((tile) => html`<li>${tile}</li>`)}</ul></details>` : ""}`;
}

/**
 * Whether the GPU computes what the CPU computes, probe by probe.
 * @param {Agreement|undefined} agreement
 * @param {number} [rows] Test rows.
 */
export function agreementPart(agreement, rows = 0) {
  if (!agreement) return "";
  const { agrees, reason, probes, cpu_accuracy: accuracy, flips = [] } = agreement;
  return html`<div class="agreement stack tight">
    <p>${agreementSign(agrees)} <span class="soft">${sentence(reason)}</span></p>
    ${agrees ? "" : html`<p class="small" data-tone="bad">The accuracy of this run does not count. Run its recipe with the engine cpu; if the GPU's driver is old, update it and try again.</p>`}
    ${accuracy
      ? html`<p class="small">The same weights on the CPU: accuracy ${percent(accuracy.correct / accuracy.total)} ${plusMinus(accuracy.low, accuracy.high)},
          ${flips.length === 0 ? "every answer the same" : `${count(flips.length)} of ${count(rows || accuracy.total)} answers different`}.</p>`
      : ""}
    ${probes.length > 0 ? probeTable(probes) : ""}
  </div>`;
}

/** @param {Probe[]} probes */
function probeTable(probes) {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="What was compared between CPU and GPU">
    <table class="small probes">
      <thead>
        <tr>
          <th scope="col">Compared</th>
          <th scope="col">Within</th>
          <th scope="col" class="number" title="The largest difference of two numbers over the largest number">Relative</th>
          <th scope="col" class="number" title="What the relative difference may be, from the length of the sums: docs/numerics.md">Tolerance</th>
          <th scope="col" class="number" title="The largest difference of two numbers">Absolute</th>
          <th scope="col" class="number" title="Cosine of the two lists of numbers">Cosine</th>
          <th scope="col" class="number" title="Rows whose largest number is another class">Other answers</th>
          <th scope="col" class="number">Rows</th>
        </tr>
      </thead>
      <tbody>
        ${probes.map(
          (probe) => html`<tr>
            <th scope="row" title=${`${count(probe.numbers)} numbers`}>${probe.name}</th>
            <td>${probe.within ? html`<span class="status" data-tone="good">${icon("right")} yes</span>` : html`<span class="status" data-tone="bad">${icon("wrong")} no</span>`}</td>
            <td class="number">${scientific(probe.max_relative)}</td>
            <td class="number">${scientific(probe.tolerance)}</td>
            <td class="number">${scientific(probe.max_absolute)}</td>
            <td class="number">${probe.cosine == null ? NONE : probe.cosine.toFixed(7)}</td>
            <td class="number">${count(probe.other_answers)}</td>
            <td class="number">${count(probe.rows)}</td>
          </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

/**
 * What the chart of both engines leaves out: what is paid once.
 * @param {Breakdown|undefined} breakdown
 * @returns {Fact[]}
 */
export function paidOnce(breakdown) {
  if (!breakdown) return [];
  return [
    ["Before the first answer", html`${millis(breakdown.compile_millis)} to plan and compile, ${millis(breakdown.upload_millis)} to upload ${bytes(breakdown.upload_bytes)} <span class="soft">once, on the GPU</span>`],
    ["GPU sooner", crossoverWords(breakdown)],
  ];
}

/** @param {Breakdown} breakdown */
export function crossoverWords({ crossover, batches }) {
  if (crossover == null) return `at no batch up to ${batches.at(-1)?.batch ?? "?"} rows`;
  return crossover <= (batches[0]?.batch ?? 1) ? "at every batch measured" : `from ${crossover} rows per call on`;
}
