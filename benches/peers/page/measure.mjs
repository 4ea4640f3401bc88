// @ts-check
/** @file One measurement of one engine, in the page: loads it, checks its answers, times it. Which and when is run.mjs's choice. */

import { GRAPHS } from "../models/graphs.mjs";
import { calibrationRows, labels, uniform } from "../models/numbers.mjs";
import { count, macsOf } from "../models/shapes.mjs";
import { fromSafetensors } from "../models/weights.mjs";
import { measurePeak } from "./peak.mjs";
import { calibrate, quantile, timed } from "./timing.mjs";

/**
 * @typedef {object} Job
 * @property {{ id: string, adapter: string, options: object }} engine
 * @property {string} model
 * @property {"infer" | "train"} measure
 * @property {number} budget time for each timing, in ms
 * @property {number} warmUp at least, in ms
 * @property {number} least calls at least in each timing
 * @property {number} steps of a training call
 */

/** What an adapter gets to know of a model. */
class Model {
  /** @param {string} id */
  constructor(id) {
    this.id = id;
    this.graph = GRAPHS[id];
    this.width = count(this.graph.input);
  }

  /** A safetensors file. */
  async weightsFile() {
    return fetched(`/models/${this.id}.safetensors`);
  }

  /** Its tensors by name. */
  async weights() {
    return fromSafetensors(await this.weightsFile());
  }

  /** @param {string} [kind] `int8-static` or `int8-dynamic`: a quantized file; else one in f32 */
  async onnx(kind) {
    return fetched(`/models/${this.id}${kind ? `.${kind}` : ""}.onnx`);
  }

  /** Rows that the ranges of integers may be chosen from, one after another, in the order of the ONNX file. */
  calibration() {
    return calibrationRows(this.width);
  }
}

/** @param {string} address */
async function fetched(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address}: status ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

const BATCH = 64;
const CHECKED_ROWS = 16;

/** @param {Job} job */
export async function measure(job) {
  const model = new Model(job.model);
  const reference = await (await fetch(`/models/${job.model}.reference.json`)).json();
  const calibrations = [calibrate(), calibrate(), calibrate()];
  const peak = await measurePeak();
  const { create } = await import(`../adapters/${job.engine.adapter}`);
  const engine = await create(job.engine.options);
  const task = job.measure === "infer" ? infer : train;
  const result = await task(engine, model, reference, job);
  calibrations.push(calibrate(), calibrate());
  const gflops = (result.rate * macsOf(model.graph) * 2) / 1e9;
  return { version: engine.version, peak, gflops, calibration: quantile(calibrations, 0.5), isolated: crossOriginIsolated, ...result };
}

/**
 * Rows in the order in which the engine wants its images. The reordering is not timed: it is the caller's data.
 *
 * @param {any} engine
 * @param {Model} model
 * @param {number} rows
 * @param {number} seed
 */
function rowsFor(engine, model, rows, seed) {
  const input = uniform(rows * model.width, seed);
  const [planes, height, width] = model.graph.input;
  if (engine.layout !== "hwc" || planes === 1) return input;
  const places = height * width;
  return input.map((_, at) => {
    const [row, place, plane] = [Math.floor(at / model.width), Math.floor(at / planes) % places, at % planes];
    return input[row * model.width + plane * places + place];
  });
}

/**
 * @param {any} engine
 * @param {Model} model
 * @param {{ logits: number[] }} reference
 * @param {Job} job
 */
async function infer(engine, model, reference, { budget, warmUp, least }) {
  const session = await engine.load(model, BATCH);
  const logits = await engine.predict(session, rowsFor(engine, model, CHECKED_ROWS, 1), CHECKED_ROWS);
  const largest = Math.max(...reference.logits.map(Math.abs));
  const logitsError = Math.max(...reference.logits.map((wanted, at) => Math.abs(logits[at] - wanted))) / largest;
  const one = rowsFor(engine, model, 1, 3);
  const latency = await timed(() => engine.predict(session, one, 1), { warmUp, budget, least: Math.max(least, 5) });
  const many = rowsFor(engine, model, BATCH, 4);
  const batch = await timed(() => engine.predict(session, many, BATCH), { warmUp, budget, least });
  return {
    logitsError,
    latency: quantile(latency.millis, 0.5),
    latency95: quantile(latency.millis, 0.95),
    group: latency.group,
    rate: (BATCH / quantile(batch.millis, 0.5)) * 1000,
  };
}

/**
 * @param {any} engine
 * @param {Model} model
 * @param {{ losses: number[] }} reference
 * @param {Job} job
 */
async function train(engine, model, reference, { budget, warmUp, least, steps }) {
  if (!engine.trainer) throw new Error("the engine does not train");
  // Plain SGD on one small batch: where the losses agree, the gradients do.
  const small = 8;
  const checked = await engine.trainer(model, { optimizer: "sgd", rate: 0.01, batch: small });
  const batch = rowsFor(engine, model, small, 2);
  /** @type {number[]} */
  const losses = [];
  for (let step = 0; step < reference.losses.length; step += 1) losses.push(await checked.train(batch, labels(small, 2), 1));
  const lossError = Math.max(...reference.losses.map((wanted, step) => Math.abs(losses[step] - wanted) / wanted));
  checked.close?.();

  const trainer = await engine.trainer(model, { optimizer: "adam", rate: 1e-3, batch: BATCH });
  const rows = rowsFor(engine, model, steps * BATCH, 5);
  const wanted = labels(steps * BATCH, 5);
  const { millis } = await timed(() => trainer.train(rows, wanted, steps), { warmUp, budget: 2 * budget, least: Math.min(least, 2) });
  const step = quantile(millis, 0.5) / steps;
  const session = trainer.forward ? null : await engine.load(model, BATCH);
  const one = rows.subarray(0, BATCH * model.width);
  const forward = await timed(() => (session ? engine.predict(session, one, BATCH) : trainer.forward(one, BATCH)), { warmUp: warmUp / 2, budget, least });
  return {
    losses,
    lossError,
    rate: (BATCH / step) * 1000,
    step,
    forward: quantile(forward.millis, 0.5),
    forwardKind: session ? "inference" : "training",
  };
}
