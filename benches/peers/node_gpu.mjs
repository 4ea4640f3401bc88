// @ts-check
/**
 * @file Measures the engines on WebGPU in Node, over Dawn, where a machine with a GPU has no browser: one process for each
 * measurement, the same page code, checks and report. `node node_gpu.mjs --rounds 1 --json`; node_gpu_folder.mjs packs it.
 */

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundleTfjs } from "./bundle_tfjs.mjs";
import { HERE, engines, missing, mounts, prepared } from "./engines.mjs";
import { GRAPHS } from "./models/graphs.mjs";
import { prepare } from "./models/prepare.mjs";
import { readOptions } from "./options.mjs";
import { means, medians, ratios, remarks, tables } from "./report.mjs";

/** @import { Result } from "./report.mjs" */

/** Where a packed folder has everything, else the places of the repository. */
const PACKED = join(HERE, "packed");
const isPacked = existsSync(PACKED);
const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const TARGET = isPacked ? PACKED : process.env.ASSAY_TARGET ?? join(ROOT, "target");
const PLACES = { page: isPacked ? join(PACKED, "www") : process.env.ASSAY_PAGE_DIR ?? join(TARGET, "www"), target: TARGET };
const DAWN = isPacked ? join(PACKED, "dawn.node") : join(HERE, `dawn/node_modules/webgpu/dist/${process.platform}-${process.arch}/dawn.node`);
/** A measurement that takes longer than this, in ms, has failed. */
const PATIENCE = Number(process.env.ASSAY_PATIENCE ?? 60_000);

const [, , first = "", ...rest] = process.argv;
if (first === "--job") await measureHere(JSON.parse(rest[0]));
else await measureAll([first, ...rest].filter((word) => word !== ""));

/** @param {string[]} words */
async function measureAll(words) {
  const known = engines(PLACES).filter(({ gpu }) => gpu);
  const names = known.map(({ id }) => id);
  const options = readOptions(["--gpu", ...words], { models: Object.keys(GRAPHS), engines: names, int8: [], gpu: names });
  const chosen = known.filter(({ id }) => options.engines.includes(id));
  /** @type {Record<string, string>} */
  const notRun = Object.fromEntries(chosen.flatMap((engine) => { const reason = missing(engine); return reason ? [[engine.id, reason]] : []; }));
  if (!existsSync(DAWN)) throw new Error(`${DAWN} is missing (npm ci --ignore-scripts in benches/peers/dawn)`);
  if (!isPacked) {
    await prepare(prepared(TARGET), options.models);
    for (const { id, options: { module = "", backend } } of chosen) {
      if (backend && !(id in notRun)) await bundleTfjs(join(prepared(TARGET), basename(module)), backend);
    }
  }
  const ready = chosen.filter(({ id }) => !(id in notRun));
  console.log(`GPU: ${await job({ words: true }).then(({ adapter }) => adapter, (error) => `none: ${error.message}`)}`);
  /** @type {Result[]} */
  const results = [];
  for (let round = 0; round < options.rounds; round += 1) {
    const order = round % 2 === 0 ? ready : [...ready].reverse();
    for (const measure of options.measures) {
      for (const model of options.models) {
        for (const { id, adapter, options: settings } of order.filter(({ measures }) => measures.includes(measure))) {
          const what = { engine: { id, adapter, options: settings }, model, measure, budget: options.budget, warmUp: 300, least: options.least, steps: options.steps };
          const found = await job(what).catch((error) => ({ error: error.message.slice(0, 300) }));
          results.push({ round, model, measure, engine: id, ...found });
          const { error, latency, rate } = /** @type {any} */ (found);
          console.log(`round ${round + 1} ${model} ${measure} ${id}: ${error ? `FAILED: ${error}` : `${latency ? `${latency.toPrecision(3)} ms, ` : ""}${rate.toFixed(0)} rows/s`}`);
        }
      }
    }
  }
  console.log(`\n${tables(results, options.models)}`);
  for (const remark of remarks(results)) console.log(remark);
  for (const [id, reason] of Object.entries(notRun)) console.log(`not run: ${id}: ${reason}`);
  if (options.json) {
    const found = ratios(results, "assay-gpu");
    console.log(JSON.stringify({ schema: "assay-peers/1", rounds: options.rounds, notRun, gpuRatios: found, gpuGeometricMeans: means(found), medians: medians(results), remarks: remarks(results) }));
  }
  process.exitCode = results.some(({ error }) => error !== undefined) ? 1 : 0;
}

/**
 * One job in a process of its own; its last line is the answer.
 *
 * @param {object} what
 * @returns {Promise<any>}
 */
function job(what) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [fileURLToPath(import.meta.url), "--job", JSON.stringify(what)], { stdio: ["ignore", "pipe", "pipe"] });
    let isLate = false;
    const timer = setTimeout(() => { isLate = true; child.kill("SIGKILL"); }, PATIENCE);
    let [output, complaint] = ["", ""];
    child.stdout.on("data", (text) => (output += text));
    child.stderr.on("data", (text) => (complaint += text));
    child.on("close", (status) => {
      clearTimeout(timer);
      const line = output.trimEnd().split("\n").at(-1) ?? "";
      if (status === 0 && line.startsWith("{")) resolve(JSON.parse(line));
      else if (isLate) reject(new Error(`took longer than ${PATIENCE / 1000} s`));
      else reject(new Error(complaint.split("\n").filter((line) => /Error: /.test(line)).at(-1) ?? `ended with ${status}`));
    });
  });
}

/** @param {any} what */
async function measureHere(what) {
  const { create, globals } = createRequire(import.meta.url)(DAWN);
  const gpu = create([]);
  // Its values() is an array and no iterator, over which wgpu would fall.
  Object.defineProperty(gpu, "wgslLanguageFeatures", { value: new Set(gpu.wgslLanguageFeatures) });
  // What the engines look for to believe that they are in a browser's worker.
  Object.assign(globalThis, globals, { WorkerGlobalScope: class {}, crossOriginIsolated: false, self: globalThis });
  Object.defineProperty(globalThis, "navigator", { value: { gpu, userAgent: "Node", hardwareConcurrency: 1 }, configurable: true });
  Object.assign(globalThis, { fetch: fetchFile });
  // Dawn's queue takes no view of shared memory, which onnxruntime-web's is.
  const { writeBuffer } = globals.GPUQueue.prototype;
  globals.GPUQueue.prototype.writeBuffer = function (/** @type {any} */ buffer, /** @type {any} */ offset, /** @type {any} */ data, /** @type {any[]} */ ...more) {
    const isShared = data.buffer instanceof SharedArrayBuffer;
    return writeBuffer.call(this, buffer, offset, isShared ? data.slice().buffer : data, ...more);
  };
  if (what.words) {
    const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
    const { vendor, architecture, device, description } = adapter?.info ?? {};
    console.log(JSON.stringify({ adapter: [vendor, architecture, device, description].filter(Boolean).join(", ") || "none" }));
    process.exit(0);
  }
  const { measure } = await import("./page/measure.mjs");
  const settings = Object.fromEntries(Object.entries(what.engine.options).map(([name, value]) => [name, String(value).startsWith("/") ? place(String(value)) : value]));
  const result = await measure({ ...what, engine: { ...what.engine, options: settings } });
  console.log(JSON.stringify(result));
  // Dawn keeps the process alive.
  process.exit(0);
}

/** Where the server would have found an address. @param {string} address */
function place(address) {
  const all = mounts(PLACES);
  const mount = Object.keys(all).find((mount) => address.startsWith(mount));
  if (mount === undefined) throw new Error(`nothing is served at ${address}`);
  return join(/** @type {Record<string, string>} */ (all)[mount], address.slice(mount.length));
}

/** What the page would have fetched. @param {string | URL | { url: string }} given */
async function fetchFile(given) {
  const address = String(typeof given === "object" && "url" in given ? given.url : given);
  const file = address.startsWith("file:") ? fileURLToPath(address) : existsSync(address) ? address : place(address);
  const type = file.endsWith(".wasm") ? "application/wasm" : "application/octet-stream";
  return new Response(new Uint8Array(await readFile(file)), { headers: { "Content-Type": type } });
}
