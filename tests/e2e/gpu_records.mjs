// @ts-check
/** @file Records of GPU runs that no GPU made: what the views show of them can so be seen in every browser, agreement and disagreement alike. */

/** @typedef {import("./person.mjs").Page} Page */

const ADAPTER = "NVIDIA GeForce RTX 4070 (driver 560.35)";

/** What answers cost on a GPU that is worth it from 16 rows on. */
const BREAKDOWN = {
  compile_millis: 182.4,
  upload_millis: 2.31,
  upload_bytes: 184_512,
  timestamps: true,
  crossover: 16,
  batches: [1, 2, 4, 8, 16, 32, 64, 128, 256].map((batch) => {
    const cpu = 0.06 + 0.052 * batch;
    const compute = 0.041 + 0.0031 * batch;
    const gpu = 0.62 + compute;
    return {
      batch,
      cpu_millis: cpu,
      cpu_range_millis: [0.97 * cpu, 1.22 * cpu],
      cpu_samples: 31,
      gpu_millis: gpu,
      gpu_range_millis: [0.9 * gpu, 1.6 * gpu],
      gpu_samples: 31,
      compute_millis: compute,
      read_back_millis: 0.62,
      timestamp_millis: compute * 0.96,
    };
  }),
};

/** @param {boolean} agrees */
function probes(agrees) {
  const probe = { rows: 64, numbers: 640, max_absolute: 3.4e-6, max_relative: 4.1e-7, cosine: 0.99999999, other_answers: 0, tolerance: 8.2e-5, within: true };
  const wrong = agrees ? {} : { max_absolute: 0.41, max_relative: 0.052, cosine: 0.9871, other_answers: 9, within: false };
  return [
    { ...probe, name: "answers before training" },
    { name: "one step of training", rows: 64, numbers: 23_114, max_absolute: 8.8e-8, max_relative: 2.2e-6, cosine: 0.99999997, tolerance: 1.6e-4, within: true },
    { ...probe, name: "answers after training", ...wrong },
    { ...probe, name: "test rows", rows: 360, numbers: 3600, ...wrong },
  ];
}

/**
 * What the GPU engine adds to a record.
 * @param {Record<string, any>} record Of a CPU run.
 * @param {"gpu"|"mixed"|"disagrees"|"none"} kind
 * @returns {Record<string, any>} Not sealed.
 */
function onGpu(record, kind) {
  const { accuracy, training } = record.results;
  const batch = record.recipe.training.batch_size;
  const agrees = kind !== "disagrees";
  const parts = [{ engine: "gpu", batch_size: batch, first_epoch: 1 }];
  if (kind === "mixed") parts.push({ engine: "cpu", batch_size: batch, first_epoch: 2, ...{ reason: "the GPU ran out of memory while training" } });
  const gpu = { adapter: ADAPTER, dispatches_per_step: 23, dispatches_per_batch: 7, pipelines: 19, tiles: ["product 64×144×16 → 32×32×16", "product 256×64×10 → 16×16×16"] };
  const execution = {
    asked: kind === "gpu" ? "auto" : "gpu",
    engine: kind === "none" ? "cpu" : "gpu",
    reason: kind === "none" ? "there is no GPU: the browser found no WebGPU adapter" : kind === "gpu" ? "a training step takes 0.41 ms on the GPU and 1.32 ms on the CPU" : "asked for",
    ...(kind === "gpu" ? { trial: { cpu_step_millis: 1.32, gpu_step_millis: 0.41, gpu_wait_millis: 0.55 } } : {}),
    ...(kind === "none" ? {} : { parts, gpu }),
  };
  const agreement = {
    agrees,
    reason: agrees ? "every probe is within its tolerance" : "answers after training differ by 0.052 of the largest, 630 times the tolerance",
    probes: probes(agrees),
    cpu_accuracy: { ...accuracy, correct: accuracy.correct - 1 },
    flips: agrees ? [17] : [3, 17, 41, 59, 77, 102, 230, 301, 344],
  };
  const results = { ...record.results, execution, ...(kind === "none" ? {} : { agreement, breakdown: BREAKDOWN }), training };
  const engine = kind === "none" ? "cpu" : kind === "mixed" ? "mixed" : "gpu";
  const recipe = { ...record.recipe, execution: { engine: execution.asked } };
  const environment = { ...record.environment, engine, arithmetic: engine === "cpu" ? record.environment.arithmetic : "gpu-1", adapter: kind === "none" ? "" : "nvidia lovelace" };
  return { ...record, started: record.started.replace(/\d{3}Z$/, `${100 + KINDS.indexOf(kind)}Z`), results, recipe, environment, digest: "" };
}

const KINDS = /** @type {const} */ (["none", "disagrees", "mixed", "gpu"]);

/**
 * Puts such records into the log of a page that was opened with `?test`, and shows the last of them.
 * @param {Page} page
 * @param {Record<string, any>} record Of a CPU run.
 * @returns {Promise<Record<string, string>>} Digests by kind.
 */
export async function addGpuRecords(page, record) {
  /** @type {Record<string, string>} */
  const digests = {};
  for (const kind of KINDS) {
    digests[kind] = await page.evaluate(async (text) => {
      const { wasm, log, runs } = /** @type {any} */ (globalThis).assay;
      const sealed = wasm.sealRecord(text);
      await log.append(sealed.record);
      await runs.showRecord(sealed.digest);
      return sealed.digest;
    }, JSON.stringify(onGpu(record, kind)));
  }
  return digests;
}
