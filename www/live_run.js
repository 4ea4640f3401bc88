// @ts-check
/** @file What a run in progress looks like after each event of the lab: plain values from plain values, no clock and no lab. */

import { engineAsked } from "./gpu_words.js";
import { quantizationWords } from "./quantization_words.js";
import { architectureSizes } from "./recipe_words.js";

/** @import { LabEvent, Recipe, RunRecord } from "./types.js" */
/** @import { LiveRun } from "./store.js" */

/** Stages in order, as a person would name them; the first only where a GPU may be used. @type {[string, string[]][]} */
const STAGES = [
  ["prepare", ["opening the GPU", "compiling kernels", "choosing the engine"]],
  ["train", ["planning", "training", "training the occupancy stage", "training the piece stage"]],
  ["quantize", ["quantizing", "fine-tuning", "looking for damage"]],
  ["score", ["scoring"]],
  ["time", ["waiting to be timed", "warming up", "timing one row", "timing a batch", "timing both engines"]],
];
const CHECK = "checking the GPU";

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
    engine: null,
    gpuLost: null,
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
    case "engine": {
      const { engine, reason, adapter, batchSize } = event;
      return { ...run, engine: { engine, reason, adapter, batchSize }, gpuLost: null };
    }
    case "gpuLost": {
      const { reason, epoch, smallerBatch = null, decided = null } = event;
      return { ...run, epoch, etaSecs: null, gpuLost: decided === null ? { reason, epoch, smallerBatch } : null };
    }
    case "progress": {
      const { epoch, epochs, step, steps, samplesPerSec } = event;
      const fraction = steps > 0 ? step / steps : 0;
      return { ...run, stage: "training", epoch, epochs, step, steps, samplesPerSec, fraction, etaSecs: event.etaSecs ?? null, gpuLost: null };
    }
    case "epoch":
      // A resumed run may tell again of epochs that its checkpoint had.
      return { ...run, epoch: event.point.epoch, curve: [...run.curve.filter(({ epoch }) => epoch < event.point.epoch), event.point] };
    case "stage":
      return { ...run, stage: event.name, fraction: Math.min(1, event.fraction), etaSecs: null, gpuLost: null };
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

/**
 * The stages of a run, and which of them it is in.
 * @param {LiveRun} run
 * @returns {{ name: string, now: boolean }[]}
 */
export function stagesOf({ recipe, stage, curve }) {
  const stages = engineAsked(recipe) === "cpu" ? STAGES.slice(1) : STAGES;
  // The GPU is checked before the first epoch, and again with the trained weights.
  const check = curve.length === 0 ? "prepare" : "score";
  return stages.map(([name, members]) => ({ name, now: members.includes(stage) || (stage === CHECK && name === check) }));
}

/** @param {LiveRun|null} run Whether the lab is still at it. */
export function isGoing(run) {
  return run !== null && ["running", "paused", "stopping"].includes(run.status);
}

/** @param {LiveRun|null} run Whether it waits for somebody to say how it goes on without its GPU. */
export function waitsForDecision(run) {
  return run !== null && run.gpuLost !== null && (run.status === "running" || run.status === "paused");
}

/**
 * A recipe in a few words, for lists.
 * @param {Recipe} recipe
 * @returns {string}
 */
export function recipeWords(recipe) {
  const { architecture = {}, training = {}, quantization = {}, seed } = recipe;
  const engine = engineAsked(recipe);
  const words = [`${architecture.family} ${architectureSizes(architecture)}`.trim(), `${training.optimizer} ${training.epochs} ep`, quantizationWords(quantization), `seed ${seed}`];
  return (engine === "cpu" ? words : [...words, engine]).join(" · ");
}
