// @ts-check
/**
 * @file Assay as an engine of the shared peer bench, registered by shared_registry.json:
 * `node run.mjs --registry …/benches/peers/shared_registry.json --adapters 'assay,…'`. Needs the built page in `target/www`.
 */

import { renamed } from "./models/weights.mjs";
import { fromSpec } from "./shared_spec.mjs";

/** @param {{ module: string }} options where `assay.js` is served */
export async function create({ module }) {
  const { default: init, Model, version } = await import(module);
  if (!Model) throw new Error(`${module} has no class Model`);
  await init();
  const open = async (/** @type {any} */ model, batch = 64) => {
    const { graph, names } = fromSpec(model.spec);
    const weights = renamed(new Uint8Array(await model.safetensors()), names);
    return Model.load(JSON.stringify(graph), weights, { engine: "cpu", batch });
  };
  return {
    info: { version: version?.() },
    layout: "nchw",
    load: (/** @type {any} */ model) => open(model),
    infer: (/** @type {any} */ session, /** @type {Float32Array} */ x, /** @type {number} */ n) => session.predict(x, n),
    dispose: (/** @type {any} */ session) => session.free(),
    async trainer(/** @type {any} */ model, /** @type {{ optimizer: "sgd" | "adam", lr: number, batch: number }} */ { optimizer, lr, batch }) {
      const session = await open(model, batch);
      const options = {
        batchSize: batch,
        optimizer: optimizer === "adam" ? "adamw" : "sgd",
        learningRate: lr,
        momentum: 0,
        weightDecay: 0,
        shuffle: false,
      };
      return {
        fit: (/** @type {Float32Array} */ x, /** @type {Int32Array} */ labels, /** @type {number} */ n) =>
          session.train(x, Uint16Array.from(labels), { steps: n / batch, ...options }).loss,
      };
    },
  };
}
