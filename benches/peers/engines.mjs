// @ts-check
/** @file The engines, what each needs to run, and where the page finds it. Adding one is an entry here and an adapter. */

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** This folder. */
export const HERE = fileURLToPath(new URL(".", import.meta.url));

/**
 * @typedef {"infer" | "train"} Measure
 * @typedef {{ page: string, target: string }} Places the built page, and cargo's build folder
 * @typedef {object} Engine
 * @property {string} id
 * @property {string} adapter a file of `adapters/`
 * @property {Measure[]} measures
 * @property {Record<string, string>} options for the adapter
 * @property {boolean} [gpu] runs on WebGPU: measured only when it is asked for, and compared with its like
 * @property {boolean} [int8] computes in 8-bit integers: likewise
 * @property {boolean} [quantized] loads a file that onnxruntime's tools have quantized
 * @property {string} needs the file without which it cannot run
 * @property {string} hint how one gets that file
 */

/** Of a Rust peer's release build. @param {string} target */
const built = (target) => join(target, "peers/wasm32-unknown-unknown/release");

/** Where models and bundles are written. @param {string} target */
export const prepared = (target) => join(target, "peers/models");

/** The Python that has onnxruntime's tools. @param {string} target */
export const quantizer = (target) => join(target, "peers/python/bin/python");

/**
 * All engines, in the order in which they are measured.
 *
 * @param {Places} places
 * @returns {Engine[]}
 */
export function engines({ page, target }) {
  const npm = (/** @type {string} */ file) => ({ needs: join(HERE, "node_modules", file), hint: "npm ci in benches/peers" });
  const rust = (/** @type {string} */ name) => ({
    needs: join(built(target), `peer_${name}.wasm`),
    hint: `cargo build --release --target wasm32-unknown-unknown in benches/peers/${name}`,
  });
  const own = (/** @type {Record<string, string>} */ options = {}) =>
    ({ adapter: "assay.mjs", options: { module: "/assay/pkg/assay.js", ...options }, needs: join(page, "pkg/assay.js"), hint: "cargo xtask build" });
  const onnxruntime = (/** @type {Record<string, string>} */ options = {}) =>
    ({ adapter: "onnxruntime.mjs", options: { folder: "/node_modules/onnxruntime-web/dist/", ...options }, ...npm("onnxruntime-web/dist/ort.wasm.min.mjs") });
  const rten = (/** @type {Record<string, string>} */ options = {}) =>
    ({ adapter: "rten.mjs", options: { wasm: "/rust/peer_rten.wasm", ...options }, ...rust("rten") });
  const quantized = { int8: true, quantized: true, measures: /** @type {Measure[]} */ (["infer"]) };
  return [
    { id: "assay", measures: ["infer", "train"], ...own() },
    { id: "onnxruntime-web", measures: ["infer"], ...onnxruntime() },
    { id: "tfjs", adapter: "tfjs.mjs", measures: ["infer", "train"], options: { module: "/models/tfjs.mjs", backend: "wasm", folder: "/node_modules/@tensorflow/tfjs-backend-wasm/dist/" }, ...npm("@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm") },
    { id: "rten", measures: ["infer"], ...rten() },
    { id: "candle", adapter: "candle.mjs", measures: ["infer", "train"], options: { wasm: "/rust/peer_candle.wasm" }, ...rust("candle") },
    { id: "assay-int8", int8: true, measures: ["infer"], ...own({ scheme: "int8" }) },
    { id: "assay-int8-dynamic", int8: true, measures: ["infer"], ...own({ scheme: "int8-dynamic" }) },
    { id: "onnxruntime-int8-static", ...quantized, ...onnxruntime({ kind: "int8-static" }) },
    { id: "onnxruntime-int8-dynamic", ...quantized, ...onnxruntime({ kind: "int8-dynamic" }) },
    { id: "rten-int8-static", ...quantized, ...rten({ kind: "int8-static" }) },
    { id: "rten-int8-dynamic", ...quantized, ...rten({ kind: "int8-dynamic" }) },
    { id: "assay-gpu", gpu: true, adapter: "assay_gpu.mjs", measures: ["infer", "train"], options: { module: "/assay/pkg/assay.js" }, needs: join(page, "pkg/assay.js"), hint: "cargo xtask build" },
    { id: "onnxruntime-webgpu", gpu: true, adapter: "onnxruntime.mjs", measures: ["infer"], options: { folder: "/node_modules/onnxruntime-web/dist/", provider: "webgpu" }, ...npm("onnxruntime-web/dist/ort.webgpu.min.mjs") },
    { id: "tfjs-webgpu", gpu: true, adapter: "tfjs.mjs", measures: ["infer", "train"], options: { module: "/models/tfjs_webgpu.mjs", backend: "webgpu" }, ...npm("@tensorflow/tfjs-backend-webgpu/dist/index.js") },
  ];
}

/**
 * Why an engine cannot run, or `null`.
 *
 * @param {Engine} engine
 */
export function missing({ needs, hint }) {
  return existsSync(needs) ? null : `${needs.replace(HERE, "benches/peers/")} is missing (${hint})`;
}

/**
 * What the page's server offers: path → folder.
 *
 * @param {Places} places
 */
export function mounts({ page, target }) {
  return {
    "/peers/": HERE,
    "/node_modules/": join(HERE, "node_modules"),
    "/assay/": page,
    "/models/": prepared(target),
    "/rust/": built(target),
  };
}

/**
 * The locked version of a Rust peer, which its module does not know itself.
 *
 * @param {Engine} engine
 */
export async function withVersion(engine) {
  if (!engine.options.wasm) return engine;
  const peer = engine.adapter.replace(".mjs", "");
  const crate = peer === "candle" ? "candle-core" : peer;
  const lock = await readFile(join(HERE, peer, "Cargo.lock"), "utf8");
  const version = new RegExp(`name = "${crate}"\\nversion = "([^"]+)"`).exec(lock)?.[1] ?? "unknown";
  return { ...engine, options: { ...engine.options, version } };
}
