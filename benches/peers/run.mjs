// @ts-check
/**
 * @file Measures the engines side by side: each measurement in a fresh Chromium, the engines of one model directly after one another,
 * odd rounds in the opposite order. `cargo xtask bench peers` prepares what it needs and starts it.
 */

import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { launch } from "../../tests/e2e/harness/browsers.mjs";
import { bundleTfjs } from "./bundle_tfjs.mjs";
import { engines, missing, mounts, prepared, quantizer, withVersion } from "./engines.mjs";
import { GRAPHS } from "./models/graphs.mjs";
import { prepare } from "./models/prepare.mjs";
import { quantize } from "./models/quantize.mjs";
import { readOptions } from "./options.mjs";
import { means, medians, ratios, remarks, tables } from "./report.mjs";
import { serve } from "./server.mjs";

/** @import { Engine, Measure } from "./engines.mjs" */
/** @import { Result } from "./report.mjs" */

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const TARGET = process.env.ASSAY_TARGET ?? join(ROOT, "target");
const PLACES = { page: process.env.ASSAY_PAGE_DIR ?? join(TARGET, "www"), target: TARGET };
/** An engine is warm after this long, in ms. */
const WARM_UP = 600;
/** A measurement that takes longer than this, in ms, has failed; a GPU may be one in software, a hundred times as slow. */
const PATIENCE = { cpu: 150_000, gpu: 600_000 };

const known = engines(PLACES);
const options = readOptions(process.argv.slice(2), {
  models: Object.keys(GRAPHS),
  engines: known.map(({ id }) => id),
  gpu: known.filter(({ gpu }) => gpu).map(({ id }) => id),
  int8: known.filter(({ int8 }) => int8).map(({ id }) => id),
});
const chosen = await Promise.all(known.filter(({ id }) => options.engines.includes(id)).map(withVersion));
/** @type {Record<string, string>} */
const notRun = Object.fromEntries(chosen.flatMap((engine) => { const reason = missing(engine); return reason ? [[engine.id, reason]] : []; }));
await prepare(prepared(TARGET), options.models);
const inIntegers = chosen.filter(({ id, quantized }) => quantized && !(id in notRun));
if (inIntegers.length > 0) {
  await quantize(quantizer(TARGET), prepared(TARGET), options.models).catch((error) => {
    for (const { id } of inIntegers) notRun[id] = `its models could not be quantized: ${error.message.split("\n").slice(-2)[0]}`;
  });
}
for (const { id, options: { module = "", backend } } of chosen) {
  if (!backend || id in notRun) continue;
  await bundleTfjs(join(prepared(TARGET), basename(module)), backend).catch((error) => { notRun[id] = `it could not be bundled: ${error.message}`; });
}
const ready = chosen.filter(({ id }) => !(id in notRun));
for (const [id, reason] of Object.entries(notRun)) console.log(`not run: ${id}: ${reason}`);
if (ready.some(({ gpu }) => gpu)) console.log(`GPU: ${await gpuInWords()}`);
const server = await serve(mounts(PLACES));
/** @type {Result[]} */
const results = [];
try {
  for (let round = 0; round < options.rounds; round += 1) {
    const order = round % 2 === 0 ? ready : [...ready].reverse();
    for (const measure of options.measures) {
      for (const model of options.models) {
        for (const engine of order.filter(({ measures }) => measures.includes(measure))) {
          const result = { round, model, measure, engine: engine.id, ...(await measured(engine, model, measure)) };
          results.push(result);
          console.log(line(result));
        }
      }
    }
  }
} finally {
  server.close();
}

console.log(`\n${tables(results, options.models)}`);
for (const remark of remarks(results)) console.log(remark);
for (const [id, reason] of Object.entries(notRun)) console.log(`not run: ${id}: ${reason}`);
if (options.json) {
  const versions = Object.fromEntries(results.flatMap(({ engine, version }) => (version ? [[engine, version]] : [])));
  const found = ratios(results);
  const onGpu = ratios(results, "assay-gpu");
  const inInt8 = ratios(results, "assay-int8");
  console.log(JSON.stringify({
    schema: "assay-peers/1", rounds: options.rounds, versions, notRun,
    ratios: found, geometricMeans: means(found), gpuRatios: onGpu, gpuGeometricMeans: means(onGpu),
    int8Ratios: inInt8, int8GeometricMeans: means(inInt8),
    medians: medians(results), remarks: remarks(results),
  }));
}
process.exitCode = results.some(({ error }) => error !== undefined) ? 1 : 0;

/**
 * One measurement in a browser of its own.
 *
 * @param {Engine} engine
 * @param {string} model
 * @param {Measure} measure
 * @returns {Promise<Partial<Result>>}
 */
async function measured({ id, adapter, gpu, options: settings }, model, measure) {
  const browser = await launch("chromium", { webgpu: gpu && options.adapter });
  const patience = gpu ? PATIENCE.gpu : PATIENCE.cpu;
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  try {
    const page = await browser.newPage();
    await page.goto(server.origin);
    await page.waitForFunction("globalThis.measure !== undefined");
    const job = { engine: { id, adapter, options: settings }, model, measure, budget: options.budget, warmUp: WARM_UP, least: options.least, steps: options.steps };
    const tooLong = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`took longer than ${patience / 1000} s`)), patience);
    });
    const found = page.evaluate((job) => /** @type {any} */ (globalThis).measure(job), /** @type {any} */ (job));
    return await Promise.race([found, tooLong]);
  } catch (error) {
    return { error: (error instanceof Error ? error.message : String(error)).split("\n")[0].slice(0, 300) };
  } finally {
    clearTimeout(timer);
    await browser.close();
  }
}

/** What Chromium says of the adapter that it takes. */
async function gpuInWords() {
  const browser = await launch("chromium", { webgpu: options.adapter });
  const { origin, close } = await serve({});
  try {
    const page = await browser.newPage();
    await page.goto(origin);
    return await page.evaluate(async () => {
      const adapter = await /** @type {any} */ (navigator).gpu?.requestAdapter();
      if (!adapter) return "none";
      const { vendor, architecture, device, description, isFallbackAdapter } = adapter.info;
      const words = [vendor, architecture, device, description].filter(Boolean).join(", ");
      return isFallbackAdapter ? `${words}: software, whose speed says little about a real one's` : words;
    });
  } finally {
    await browser.close();
    close();
  }
}

/** @param {Result} result */
function line({ round, model, measure, engine, error, latency = NaN, rate = NaN, step = NaN, peak = NaN, gflops = NaN, calibration = NaN }) {
  const what = error !== undefined ? `FAILED: ${error}`
    : measure === "infer" ? `${latency.toPrecision(3)} ms, ${rate.toFixed(0)} rows/s, ${gflops.toFixed(1)} of ${peak.toFixed(1)} GFLOP/s`
    : `${rate.toFixed(0)} rows/s, ${step.toPrecision(3)} ms a step`;
  return `round ${round + 1} ${model} ${measure} ${engine}: ${what}${error === undefined ? ` (calibration ${calibration.toFixed(1)} ms)` : ""}`;
}
