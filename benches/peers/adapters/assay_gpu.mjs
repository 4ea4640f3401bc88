// @ts-check
/** @file Assay on WebGPU through its public JavaScript API, as any page would use it. */

/** @param {{ module: string }} options where `assay.js` is served */
export async function create({ module }) {
  const { default: init, GpuModel, version } = await import(module);
  if (!GpuModel) throw new Error(`${module} has no class GpuModel`);
  await init();
  const open = async (/** @type {any} */ model, /** @type {number} */ batch) =>
    GpuModel.load(JSON.stringify(model.graph), await model.weightsFile(), { batch });
  return {
    version: version?.().app,
    layout: "chw",
    load: open,
    predict: (/** @type {any} */ session, /** @type {Float32Array} */ x, /** @type {number} */ rows) => session.predict(x, rows),
    async trainer(/** @type {any} */ model, /** @type {{ optimizer: "sgd" | "adam", rate: number, batch: number }} */ { optimizer, rate, batch }) {
      const session = await open(model, batch);
      const options = {
        batchSize: batch,
        optimizer: optimizer === "adam" ? "adamw" : "sgd",
        learningRate: rate,
        momentum: 0,
        weightDecay: 0,
        shuffle: false,
      };
      return {
        train: async (/** @type {Float32Array} */ x, /** @type {Uint16Array} */ labels, /** @type {number} */ steps) =>
          (await session.train(x, labels, { steps, ...options })).loss,
        close: () => session.free(),
      };
    },
  };
}
