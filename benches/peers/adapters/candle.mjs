// @ts-check
/** @file Plain candle, compiled to wasm by benches/peers/candle, over the graph's JSON form and the safetensors file. */

import { WasmModule } from "./wasm_module.mjs";

const OPTIMIZERS = { none: 0, sgd: 1, adam: 2 };

/** @param {{ wasm: string, version: string }} options */
export async function create({ wasm, version }) {
  const module = await WasmModule.open(wasm);
  /**
   * @param {any} model
   * @param {keyof typeof OPTIMIZERS} optimizer
   * @param {number} rate
   */
  const open = async (model, optimizer, rate) => {
    const graph = new TextEncoder().encode(JSON.stringify(model.graph));
    const weights = await model.weightsFile();
    return module.lent([graph, weights], (from, tensors) =>
      module.exports.load(from, graph.length, tensors, weights.length, OPTIMIZERS[optimizer], rate));
  };
  const predict = (/** @type {number} */ handle, /** @type {Float32Array} */ x, /** @type {number} */ rows, training = 0) =>
    module.written(10 * rows, (out) => module.lent([x], (from) => module.exports.predict(handle, from, x.length, rows, training, out)));
  return {
    version,
    layout: "chw",
    load: (/** @type {any} */ model) => open(model, "none", 0),
    predict,
    async trainer(/** @type {any} */ model, /** @type {{ optimizer: "sgd" | "adam", rate: number, batch: number }} */ { optimizer, rate, batch }) {
      const handle = await open(model, optimizer, rate);
      return {
        train(/** @type {Float32Array} */ x, /** @type {Uint16Array} */ labels, /** @type {number} */ steps) {
          let loss = 0;
          for (let step = 0; step < steps; step += 1) {
            const rows = x.subarray(step * batch * model.width, (step + 1) * batch * model.width);
            const wanted = Uint32Array.from(labels.subarray(step * batch, (step + 1) * batch));
            loss += module.lent([rows, wanted], (from, at) => module.exports.step(handle, from, rows.length, at, batch));
          }
          return loss / steps;
        },
        forward: (/** @type {Float32Array} */ x, /** @type {number} */ rows) => predict(handle, x, rows, 1),
        close: () => module.exports.unload(handle),
      };
    },
  };
}
