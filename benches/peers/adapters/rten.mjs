// @ts-check
/** @file rten, compiled to wasm by benches/peers/rten, over the ONNX file. It does not train. */

import { onnxInput } from "../models/onnx.mjs";
import { WasmModule } from "./wasm_module.mjs";

/** @param {{ wasm: string, version: string, kind?: string }} options `kind`: which quantized file, if one */
export async function create({ wasm, version, kind }) {
  const module = await WasmModule.open(wasm);
  return {
    version,
    layout: "chw",
    async load(/** @type {any} */ model) {
      const file = await model.onnx(kind);
      const handle = module.lent([file], (at) => module.exports.load(at, file.length));
      return { handle, input: onnxInput(model.graph) };
    },
    predict(/** @type {{ handle: number, input: number[] }} */ { handle, input }, /** @type {Float32Array} */ x, /** @type {number} */ rows) {
      const shape = Uint32Array.of(rows, ...input);
      return module.written(10 * rows, (out) => module.lent([x, shape], (from, sizes) => module.exports.predict(handle, from, sizes, shape.length, out)));
    },
  };
}
