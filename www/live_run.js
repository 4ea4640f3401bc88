// @ts-check
/** @file What a run in progress looks like after each event of the lab: plain values from plain values, no clock and no lab. */

import { architectureSizes } from "./recipe_words.js";

/** @import { LabEvent, Recipe, RunRecord } from "./types.js" */
/** @import { LiveRun } from "./store.js" */

/**
 * @param {{ runId: string, recipeText: string, recipeDigest: string, recipe: Recipe, claimText?: string|null }} asked
 * @returns {LiveRun}
 */
export function newRun({ runId, recipeText, recipeDigest, recipe, claimText = null }) {
  return {
    runId,
    recipeText,
    recipeDigest,
    recipe,
    claimText,
    status: "running",
    stage: "planning",
    fraction: 0,
    epoch: 0,
    epochs: recipe.training?.epochs ?? 0,
    step: 0,
    steps: 0,
    samplesPerSec: 0,
    etaSecs: null,
    curve: [],
    samples: [],
    nonFiniteStep: null,
    recordDigest: null,
    recordText: null,
    verdict: null,
    error: null,
  };
}

/**
 * @param {LiveRun} run
 * @param {LabEvent} event Anything but `done` and `error`.
 * @returns {LiveRun} The same object where the event changes nothing that is shown.
 */
export function afterEvent(run, event) {
  switch (event.type) {
    case "planned":
      return { ...run, stage: "training", steps: event.stepsPerEpoch * run.epochs };
    case "progress": {
      const { epoch, epochs, step, steps, samplesPerSec } = event;
      const fraction = steps > 0 ? step / steps : 0;
      return { ...run, stage: "training", epoch, epochs, step, steps, samplesPerSec, fraction, etaSecs: event.etaSecs ?? null };
    }
    case "epoch":
      // A resumed run may tell again of epochs that its checkpoint had.
      return { ...run, epoch: event.point.epoch, curve: [...run.curve.filter(({ epoch }) => epoch < event.point.epoch), event.point] };
    case "stage":
      return { ...run, stage: event.name, fraction: event.fraction, etaSecs: null };
    case "samples":
      return { ...run, samples: withSamples(run.samples, event.batch, event.millis) };
    case "nonFinite":
      return { ...run, nonFiniteStep: event.step };
    case "recorded": {
      /** @type {RunRecord} */
      const record = JSON.parse(event.record);
      return { ...run, recordDigest: event.digest, recordText: event.record, status: record.status, stage: "done", fraction: 1, etaSecs: null };
    }
    case "verdict":
      return { ...run, verdict: event.verdict };
    default:
      return run;
  }
}

/**
 * @param {LiveRun["samples"]} samples
 * @param {number} batch
 * @param {number[]} millis
 */
function withSamples(samples, batch, millis) {
  const known = samples.find((entry) => entry.batch === batch);
  if (!known) return [...samples, { batch, millis: [...millis] }];
  return samples.map((entry) => (entry === known ? { batch, millis: entry.millis.concat(millis) } : entry));
}

/** @param {LiveRun|null} run Whether the lab is still at it. */
export function isGoing(run) {
  return run !== null && ["running", "paused", "stopping"].includes(run.status);
}

/**
 * A recipe in a few words, for lists.
 * @param {Recipe} recipe
 * @returns {string}
 */
export function recipeWords(recipe) {
  const { architecture = {}, training = {}, quantization = {}, seed } = recipe;
  return [`${architecture.family} ${architectureSizes(architecture)}`.trim(), `${training.optimizer} ${training.epochs} ep`, quantization.scheme, `seed ${seed}`].join(" · ");
}
