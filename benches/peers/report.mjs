// @ts-check
/** @file Medians, ratios of the same round, and tables of them. Pure: made-up measurements give made-up tables. */

/** @import { Measure } from "./engines.mjs" */

/**
 * @typedef {object} Result what one measurement found
 * @property {number} round
 * @property {string} model
 * @property {string} engine
 * @property {Measure} measure
 * @property {string} [error] why there are no numbers
 * @property {string} [version]
 * @property {number} [rate] rows per second at batch 64
 * @property {number} [latency] ms, batch 1
 * @property {number} [latency95]
 * @property {number} [gflops]
 * @property {number} [peak] GFLOP/s of multiplications and additions in registers, in the same browser
 * @property {number} [step] ms
 * @property {number} [forward] ms
 * @property {string} [forwardKind]
 * @property {number} [logitsError]
 * @property {number} [lossError]
 * @property {number} [calibration]
 */

/** The three quantities that are compared; `value` is larger where the engine is faster. */
export const QUANTITIES = /** @type {const} */ (["latency", "throughput", "training"]);

/** @typedef {typeof QUANTITIES[number]} Quantity */

/** Assay's engines, each with the words for the peers that it is compared with. */
const SUBJECTS = {
  assay: "Assay is so many times as fast",
  "assay-int8": "Assay in calibrated integers is so many times as fast",
  "assay-int8-dynamic": "Assay in dynamic integers is so many times as fast",
  "assay-gpu": "Assay on the GPU is so many times as fast",
};
/** Where an engine runs and in what, by its name: ratios are taken among those of the same kind. */
const kindOf = (/** @type {string} */ engine) => (/-gpu$|-webgpu$/.test(engine) ? "gpu" : /-int8/.test(engine) ? "int8" : "cpu");
const isOwn = (/** @type {string} */ engine) => Object.hasOwn(SUBJECTS, engine);
/** Logits further from the reference than this, relative to the largest, are wrong, and so is a speed that came with them. */
export const MOST_LOGITS_ERROR = 1e-3;
/** The same for integers of eight bits, which round each layer's values to a 255th of their range. */
export const MOST_INT8_ERROR = 0.1;
/** First losses further from the reference than this are pointed out. */
export const MOST_LOSS_ERROR = 1e-3;
/** A measurement whose calibration took this much longer than the quickest was disturbed. */
const DISTURBED = 1.25;

/** @param {number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** @param {number[]} values */
export const geometricMean = (values) => Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);

/**
 * Whether its answers are further from the reference than its arithmetic explains.
 *
 * @param {Result} result
 */
const isWrong = ({ engine, logitsError = 0 }) => logitsError > (kindOf(engine) === "int8" ? MOST_INT8_ERROR : MOST_LOGITS_ERROR);

/**
 * Speed of one measurement in one quantity, or `null` where it has none.
 *
 * @param {Result} result
 * @param {Quantity} quantity
 */
function speed(result, quantity) {
  if (result.error !== undefined || isWrong(result)) return null;
  if (quantity === "training") return result.measure === "train" ? result.rate ?? null : null;
  if (result.measure !== "infer") return null;
  return quantity === "latency" ? 1 / (result.latency ?? NaN) : result.rate ?? null;
}

/**
 * How many times as fast as its peers the subject is: medians over the rounds of ratios within a round.
 *
 * @param {Result[]} results
 * @param {string} [subject] the engine of Assay's; its peers are others' engines of the same kind
 * @returns {Record<string, Partial<Record<Quantity, { best: number, by: Record<string, number> }>>>} by model and quantity
 */
export function ratios(results, subject = "assay") {
  /** @type {ReturnType<typeof ratios>} */
  const found = {};
  for (const model of unique(results.map((result) => result.model))) {
    for (const quantity of QUANTITIES) {
      /** @type {Record<string, number[]>} */
      const by = {};
      const best = [];
      for (const round of unique(results.map((result) => result.round))) {
        const here = results.filter((result) => result.round === round && result.model === model);
        const own = here.filter((result) => result.engine === subject).map((result) => speed(result, quantity)).find((value) => value !== null);
        if (own === undefined || own === null) continue;
        const peers = here.filter((result) => !isOwn(result.engine) && kindOf(result.engine) === kindOf(subject))
          .flatMap((result) => { const value = speed(result, quantity); return value === null ? [] : [{ engine: result.engine, value }]; });
        for (const { engine, value } of peers) (by[engine] ??= []).push(own / value);
        if (peers.length > 0) best.push(own / Math.max(...peers.map(({ value }) => value)));
      }
      if (best.length === 0) continue;
      (found[model] ??= {})[quantity] = { best: median(best), by: Object.fromEntries(Object.entries(by).map(([engine, values]) => [engine, median(values)])) };
    }
  }
  return found;
}

/**
 * Geometric means over the models of the ratios to the best peer and to each.
 *
 * @param {ReturnType<typeof ratios>} found
 * @returns {Partial<Record<Quantity, { best: number, by: Record<string, number>, models: number }>>}
 */
export function means(found) {
  /** @type {ReturnType<typeof means>} */
  const all = {};
  for (const quantity of QUANTITIES) {
    const of = Object.values(found).flatMap((model) => model[quantity] ?? []);
    if (of.length === 0) continue;
    const peers = unique(of.flatMap(({ by }) => Object.keys(by)));
    all[quantity] = {
      best: geometricMean(of.map(({ best }) => best)),
      by: Object.fromEntries(peers.map((peer) => [peer, geometricMean(of.flatMap(({ by }) => by[peer] ?? []))])),
      models: of.length,
    };
  }
  return all;
}

/**
 * Medians over the rounds of everything that was measured, by engine and model.
 *
 * @param {Result[]} results
 */
export function medians(results) {
  /** @type {Record<string, Record<string, Record<string, number>>>} */
  const found = {};
  for (const engine of unique(results.map((result) => result.engine))) {
    for (const model of unique(results.map((result) => result.model))) {
      const here = results.filter((result) => result.engine === engine && result.model === model && result.error === undefined);
      const infer = here.filter((result) => result.measure === "infer" && !isWrong(result));
      const train = here.filter((result) => result.measure === "train");
      /** @type {[string, (number | undefined)[]][]} */
      const columns = [
        ["latency", infer.map((result) => result.latency)],
        ["latency95", infer.map((result) => result.latency95)],
        ["throughput", infer.map((result) => result.rate)],
        ["gflops", infer.map((result) => result.gflops)],
        ["shareOfPeak", infer.map((result) => (result.gflops ?? NaN) / (result.peak ?? NaN))],
        ["logitsError", here.map((result) => result.logitsError)],
        ["training", train.map((result) => result.rate)],
        ["step", train.map((result) => result.step)],
        ["stepPerForward", train.map((result) => (result.step ?? NaN) / (result.forward ?? NaN))],
        ["lossError", train.map((result) => result.lossError)],
      ];
      const known = columns.map(([name, values]) => /** @type {[string, number[]]} */ ([name, values.filter((value) => Number.isFinite(value))]))
        .filter(([, values]) => values.length > 0);
      if (known.length > 0) (found[engine] ??= {})[model] = Object.fromEntries(known.map(([name, values]) => [name, median(values)]));
    }
  }
  return found;
}

/**
 * What a reader must know before believing the numbers, one line each.
 *
 * @param {Result[]} results
 */
export function remarks(results) {
  const lines = [];
  for (const { engine, model, measure, error } of results) if (error !== undefined) lines.push(`${engine} ${model} ${measure}: FAILED: ${error}`);
  for (const result of results) {
    const { engine, model, logitsError = 0 } = result;
    if (isWrong(result)) lines.push(`${engine} ${model}: WRONG, left out: logits differ from the reference by ${logitsError.toExponential(1)}`);
  }
  for (const { engine, model, lossError = 0 } of results) {
    if (lossError > MOST_LOSS_ERROR) lines.push(`${engine} ${model}: its first losses differ from the reference by ${lossError.toExponential(1)}: other gradients`);
  }
  const quickest = Math.min(...results.flatMap((result) => result.calibration ?? []));
  const disturbed = results.filter((result) => (result.calibration ?? 0) > DISTURBED * quickest);
  if (disturbed.length > 0) {
    const worst = Math.max(...disturbed.map((result) => (result.calibration ?? 0) / quickest));
    lines.push(`${disturbed.length} of ${results.length} measurements were disturbed: the same scalar loop took up to ${worst.toFixed(2)} times as long`);
  }
  return unique(lines);
}

/**
 * All tables as text.
 *
 * @param {Result[]} results
 * @param {string[]} models
 */
export function tables(results, models) {
  const found = medians(results);
  const engines = Object.keys(found);
  const kinds = unique(results.flatMap((result) => (result.forwardKind ? [`${result.engine}: ${result.forwardKind}`] : [])));
  const cells = (/** @type {string} */ name, /** @type {(value: number) => string} */ show = short) =>
    engines.map((engine) => [engine, ...models.map((model) => { const value = found[engine][model]?.[name]; return value === undefined ? "" : show(value); })]);
  const all = [
    table("Latency at batch 1, ms, median over rounds of the median", models, cells("latency")),
    table("Latency at batch 1, ms, 95th percentile", models, cells("latency95")),
    table("Throughput at batch 64, rows/s", models, cells("throughput")),
    table("Throughput at batch 64, GFLOP/s (2 per multiply-add of the direct computation)", models, cells("gflops")),
    table("Share of the arithmetic peak at batch 64", models, cells("shareOfPeak", percent)),
    table("Training with Adam at batch 64, rows/s", models, cells("training")),
    table(`Training step / forward pass at batch 64 (forward by ${kinds.join(", ") || "none"})`, models, cells("stepPerForward")),
    table("Largest error of a logit / largest logit", models, cells("logitsError", exponent)),
    table("Largest relative error of the first losses", models, cells("lossError", exponent)),
  ];
  for (const [subject, words] of Object.entries(SUBJECTS)) {
    const compared = ratios(results, subject);
    const overall = means(compared);
    for (const quantity of QUANTITIES) {
      const mean = overall[quantity];
      if (!mean) continue;
      const row = (/** @type {string} */ label, /** @type {(of: { best: number, by: Record<string, number> }) => number | undefined} */ pick) =>
        [label, ...models.map((model) => { const of = compared[model]?.[quantity]; const value = of && pick(of); return value === undefined ? "" : short(value); }), short(pick(mean) ?? NaN)];
      const rows = [row("best peer", (of) => of.best), ...Object.keys(mean.by).map((peer) => row(peer, (of) => of.by[peer]))];
      all.push(table(`${words}: ${quantity}`, [...models, "geometric mean"], rows));
    }
  }
  return all.filter((text) => text !== "").join("\n");
}

/**
 * @param {string} title
 * @param {string[]} columns
 * @param {string[][]} rows
 */
function table(title, columns, rows) {
  const filled = rows.filter((row) => row.slice(1).some((cell) => cell !== ""));
  if (filled.length === 0) return "";
  const lines = [["", ...columns], ...filled];
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  const text = lines.map((line) => line.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]))).join("  "));
  return `${title}\n${text.join("\n")}\n`;
}

/** @param {number} value */
function short(value) {
  return value >= 1000 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}

/** @param {number} value */
const percent = (value) => `${(100 * value).toFixed(1)} %`;

/** @param {number} value */
const exponent = (value) => (value === 0 ? "0" : value.toExponential(1));

/**
 * @template T
 * @param {T[]} values
 */
function unique(values) {
  return [...new Set(values)];
}
