// @ts-check
/** @file onnxruntime-web on its wasm provider with one thread, over the ONNX file. It does not train. */

import { onnxInput } from "../models/onnx.mjs";

/** @param {{ folder: string }} options where the package's `dist` is served */
export async function create({ folder }) {
  const ort = await import(`${folder}ort.wasm.min.mjs`);
  ort.env.wasm.wasmPaths = { mjs: `${folder}ort-wasm-simd-threaded.mjs`, wasm: `${folder}ort-wasm-simd-threaded.wasm` };
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.proxy = false;
  ort.env.logLevel = "error";
  return {
    version: ort.env.versions.web,
    layout: "chw",
    async load(/** @type {any} */ model) {
      const session = await ort.InferenceSession.create(await model.onnx(), { executionProviders: ["wasm"], graphOptimizationLevel: "all" });
      return { session, input: onnxInput(model.graph) };
    },
    async predict(/** @type {any} */ { session, input }, /** @type {Float32Array} */ x, /** @type {number} */ rows) {
      const { logits } = await session.run({ x: new ort.Tensor("float32", x, [rows, ...input]) });
      return logits.data;
    },
  };
}
