// @ts-check
/** @file A Worker of a pool: one instance of the module, one model, one set of rows; does what worker_pool.js asks and decides nothing. */

import { Model, initSync, score } from "./pkg/assay.js";

/** @import { ModelOptions } from "./pkg/assay.js" */
/** @import { Rows, SweepJob } from "./worker_pool.js" */

/** @type {Model|null} */
let model = null;
/** @type {{ learn: Rows, test: Rows }|null} */
let rows = null;

const calls = {
  /** @param {WebAssembly.Module} module */
  start(module) {
    initSync({ module });
  },

  /** @param {string} graph @param {Uint8Array|number} weights a file, or the seed of first weights @param {ModelOptions} [options] */
  make(graph, weights, options) {
    const made = makeModel(graph, weights, options);
    model?.free();
    model = made;
    return model.info();
  },

  /** @param {Float32Array} input @param {number} batch */
  predict(input, batch) {
    if (!model) throw new Error("the pool has no model yet: call load or create first");
    return model.predict(input, batch);
  },

  score,

  /** @param {Rows} learn @param {Rows} test */
  keep(learn, test) {
    rows = { learn, test };
  },

  /** @param {SweepJob} job */
  run({ graph, weights = 0, options, training, confidence }) {
    if (!rows) throw new Error("a sweep begins with its rows");
    const trainee = makeModel(graph, weights, options);
    try {
      const trained = trainee.train(rows.learn.input, rows.learn.labels, training);
      const evaluation = trainee.evaluate(rows.test.input, rows.test.labels, { confidence });
      const weightsDigest = trainee.weightsDigest();
      // A training that left a number that is not finite has nothing to export, but its figures.
      const file = trained.nonFinite === null ? trainee.exportWeights() : null;
      return { trained, evaluation, weightsDigest, weights: file };
    } finally {
      trainee.free();
    }
  },
};

/** @param {string} graph @param {Uint8Array|number} weights @param {ModelOptions} [options] */
function makeModel(graph, weights, options) {
  return typeof weights === "number" ? Model.create(graph, weights, options) : Model.load(graph, weights, options);
}

self.onmessage = ({ data: { id, call, args } }) => {
  try {
    const value = /** @type {any} */ (calls)[call](...args);
    postMessage({ id, value });
  } catch (error) {
    const { kind = "unexpected", message } = /** @type {any} */ (error);
    postMessage({ id, error: { kind, message: String(message) } });
  }
};
