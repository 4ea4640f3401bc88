// @ts-check
/** @file onnxruntime-web on its wasm provider with one thread or on its WebGPU provider, over the ONNX file. It does not train. */

import { onnxInput } from "../models/onnx.mjs";

/** The package's entry for a provider, and the module that entry loads. @type {Record<string, [string, string]>} */
const FILES = {
  wasm: ["ort.wasm.min.mjs", "ort-wasm-simd-threaded"],
  webgpu: ["ort.webgpu.min.mjs", "ort-wasm-simd-threaded.asyncify"],
};

/**
 * @param {{ folder: string, provider?: string, kind?: string }} options where the package's `dist` is served; "wasm" if no provider is
 *   given; which quantized file, if one
 */
export async function create({ folder, provider = "wasm", kind }) {
  const [entry, module] = FILES[provider];
  const ort = await import(`${folder}${entry}`);
  ort.env.wasm.wasmPaths = { mjs: `${folder}${module}.mjs`, wasm: `${folder}${module}.wasm` };
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.proxy = false;
  ort.env.logLevel = "error";
  return {
    version: ort.env.versions.web,
    layout: "chw",
    async load(/** @type {any} */ model) {
      const session = await ort.InferenceSession.create(await model.onnx(kind), { executionProviders: [provider], graphOptimizationLevel: "all" });
      return { session, input: onnxInput(model.graph) };
    },
    async predict(/** @type {any} */ { session, input }, /** @type {Float32Array} */ x, /** @type {number} */ rows) {
      const { logits } = await session.run({ x: new ort.Tensor("float32", x, [rows, ...input]) });
      return logits.data;
    },
  };
}
