// @ts-check
/** @file Assay through its public JavaScript API, as any page would use it. */

/** @param {{ module: string, scheme?: string }} options where `assay.js` is served; f32 if no scheme is given */
export async function create({ module, scheme = "f32" }) {
  const { default: init, Model, version } = await import(module);
  if (!Model) throw new Error(`${module} has no class Model`);
  await init();
  const open = async (/** @type {any} */ model, /** @type {number} */ batch) =>
    Model.load(JSON.stringify(model.graph), await model.weightsFile(), {
      engine: "cpu", scheme, batch, calibration: scheme === "int8" ? model.calibration() : undefined,
    });
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
        train: (/** @type {Float32Array} */ x, /** @type {Uint16Array} */ labels, /** @type {number} */ steps) =>
          session.train(x, labels, { steps, ...options }).loss,
        close: () => session.free(),
      };
    },
  };
}
