// @ts-check
/**
 * @file TensorFlow.js on its wasm backend with SIMD and one thread, or on its WebGPU backend: the graph as calls of its core
 * operations, the fused ones where it has them. Gradient kernels that a backend lacks are in tfjs_gradients.mjs.
 */

import { resolve } from "../models/shapes.mjs";
import { addMissingGradients } from "./tfjs_gradients.mjs";

/** @typedef {any} Tensor */

/** @param {{ module: string, backend: string, folder?: string }} options where the bundle and a wasm backend's files are served */
export async function create({ module, backend, folder }) {
  const tf = await import(module);
  if (backend === "wasm") {
    tf.setWasmPaths(folder);
    tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
  }
  if (!(await tf.setBackend(backend))) throw new Error(`the ${backend} backend did not start`);
  await tf.ready();
  addMissingGradients(tf, backend);
  // A device's numbers must be waited for; those of the wasm backend are there.
  const numbersOf = (/** @type {Tensor} */ tensor) => (backend === "wasm" ? tensor.dataSync() : tensor.data());
  return {
    version: tf.version_core,
    layout: "hwc",
    async load(/** @type {any} */ model) {
      return new Network(tf, model.graph, await model.weights(), false);
    },
    async predict(/** @type {Network} */ network, /** @type {Float32Array} */ x, /** @type {number} */ rows) {
      const logits = tf.tidy(() => network.forward(network.input(x, rows)));
      const values = await numbersOf(logits);
      logits.dispose();
      return values;
    },
    async trainer(/** @type {any} */ model, /** @type {{ optimizer: "sgd" | "adam", rate: number, batch: number }} */ { optimizer, rate, batch }) {
      const network = new Network(tf, model.graph, await model.weights(), true);
      const stepper = optimizer === "adam" ? tf.train.adam(rate) : tf.train.sgd(rate);
      return {
        async train(/** @type {Float32Array} */ x, /** @type {Uint16Array} */ labels, /** @type {number} */ steps) {
          const costs = [];
          for (let step = 0; step < steps; step += 1) {
            const rows = network.input(x.subarray(step * batch * model.width, (step + 1) * batch * model.width), batch);
            const wanted = oneHot(tf, labels.subarray(step * batch, (step + 1) * batch));
            const cost = stepper.minimize(() => tf.losses.softmaxCrossEntropy(wanted, network.forward(rows)), true, network.variables);
            costs.push(cost);
            tf.dispose([rows, wanted]);
          }
          // Waited for once, after the last step.
          const losses = await Promise.all(costs.map((cost) => numbersOf(cost)));
          tf.dispose(costs);
          return losses.reduce((sum, [loss]) => sum + loss, 0) / steps;
        },
        close() {
          stepper.dispose();
          tf.dispose(network.variables);
        },
      };
    },
  };
}

/**
 * @param {any} tf
 * @param {Uint16Array} labels
 */
function oneHot(tf, labels) {
  return tf.tidy(() => tf.cast(tf.oneHot(tf.tensor1d(Int32Array.from(labels), "int32"), 10), "float32"));
}

/** A graph over tensors of TensorFlow.js: images `[rows, height, width, channels]`, tokens `[rows, places, width]`. */
class Network {
  /**
   * @param {any} tf
   * @param {import("../models/graphs.mjs").Graph} graph
   * @param {import("../models/weights.mjs").Weights} weights
   * @param {boolean} trains
   */
  constructor(tf, graph, weights, trains) {
    this.tf = tf;
    this.graph = graph;
    this.nodes = resolve(graph);
    /** Activations that the layer before computes: name → name of that layer. @type {Map<string, string>} */
    this.fused = new Map();
    /** @type {Map<string, string>} */
    this.activations = new Map();
    for (const { layer, sources: [source] } of this.nodes) {
      const before = this.nodes.find((node) => node.layer.name === source)?.layer;
      const alone = this.nodes.filter((node) => node.sources.includes(source)).length === 1;
      const isRelu = layer.type === "activation" && (layer.function === "relu" || layer.function === "relu6");
      if (isRelu && alone && (before?.type === "linear" || before?.type === "convolution")) {
        this.fused.set(layer.name, source);
        this.activations.set(source, layer.function);
      }
    }
    /** @type {Map<string, Tensor>} */
    this.tensors = new Map();
    /** @type {Tensor[]} */
    this.variables = [];
    for (const node of this.nodes) {
      for (const part of Object.keys(node.tensors)) {
        const name = `${node.layer.name}.${part}`;
        const tensor = tf.tidy(() => this.converted(node, part, weights));
        const kept = trains ? tf.variable(tensor) : tensor;
        if (trains) {
          tensor.dispose();
          this.variables.push(kept);
        }
        this.tensors.set(name, kept);
      }
    }
  }

  /**
   * A tensor as TensorFlow has it: `[in, out]`, `[height, width, in, out]`.
   *
   * @param {import("../models/shapes.mjs").Node} node
   * @param {string} part
   * @param {import("../models/weights.mjs").Weights} weights
   * @returns {Tensor}
   */
  converted({ layer, sources: [source], tensors }, part, weights) {
    const { tf } = this;
    const found = weights.get(`${layer.name}.${part}`);
    if (!found) throw new Error(`there is no tensor "${layer.name}.${part}"`);
    const tensor = tf.tensor(found.data, tensors[part]);
    if (part !== "weight" || layer.type === "layer_norm") return tensor;
    if (layer.type === "linear") {
      const flattened = this.nodes.find((node) => node.layer.name === source && node.layer.type === "flatten")?.inputs[0];
      // What was flattened here is channels last, the weight's columns are channels first.
      const ordered = flattened?.length === 3
        ? tf.reshape(tf.transpose(tf.reshape(tensor, [layer.units, ...flattened]), [0, 2, 3, 1]), [layer.units, -1])
        : tensor;
      return tf.transpose(ordered);
    }
    return (layer.groups ?? 1) > 1 ? tf.transpose(tensor, [2, 3, 0, 1]) : tf.transpose(tensor, [2, 3, 1, 0]);
  }

  /**
   * @param {Float32Array} x
   * @param {number} rows
   * @returns {Tensor}
   */
  input(x, rows) {
    const [planes, height, width] = this.graph.input;
    return this.tf.tensor(x, [rows, height, width, planes]);
  }

  /**
   * @param {Tensor} x
   * @returns {Tensor}
   */
  forward(x) {
    /** @type {Map<string, Tensor>} */
    const values = new Map([["input", x]]);
    for (const { layer, sources } of this.nodes) {
      const inputs = sources.map((source) => values.get(source));
      values.set(layer.name, this.fused.has(layer.name) ? inputs[0] : this.layer(layer, inputs));
    }
    return values.get(this.nodes[this.nodes.length - 1].layer.name);
  }

  /**
   * @param {import("../models/graphs.mjs").Layer} layer
   * @param {Tensor[]} inputs
   * @returns {Tensor}
   */
  layer(layer, [x, second]) {
    const { tf } = this;
    const tensor = (/** @type {string} */ part) => this.tensors.get(`${layer.name}.${part}`);
    const activation = this.activations.get(layer.name) ?? "linear";
    switch (layer.type) {
      case "flatten":
        return tf.reshape(x, [x.shape[0], -1]);
      case "linear": {
        const flat = x.rank === 2 ? x : tf.reshape(x, [-1, x.shape[2]]);
        const product = tf.fused.matMul({ a: flat, b: tensor("weight"), bias: tensor("bias"), activation });
        return x.rank === 2 ? product : tf.reshape(product, [x.shape[0], x.shape[1], layer.units]);
      }
      case "convolution": {
        const isDeep = (layer.groups ?? 1) > 1;
        const options = { x, filter: tensor("weight"), strides: layer.stride, pad: padding(layer, x.shape), bias: tensor("bias"), activation };
        return isDeep ? tf.fused.depthwiseConv2d(options) : tf.fused.conv2d(options);
      }
      case "max_pool":
        return tf.maxPool(x, layer.size, layer.stride, "valid");
      case "global_average_pool":
        return tf.mean(x, x.rank === 4 ? [1, 2] : [1]);
      case "layer_norm": {
        const centred = tf.sub(x, tf.mean(x, -1, true));
        const variance = tf.mean(tf.mul(centred, centred), -1, true);
        return tf.add(tf.mul(tf.mul(centred, tf.rsqrt(tf.add(variance, layer.epsilon))), tensor("weight")), tensor("bias"));
      }
      case "activation":
        return this.activated(layer.function, x);
      case "add":
        return tf.add(x, second);
      case "tokens":
        return tf.add(tf.reshape(x, [x.shape[0], x.shape[1] * x.shape[2], x.shape[3]]), tensor("positions"));
      case "attention":
        return this.attention(x, layer.heads);
      default:
        throw new Error(`layer "${layer.name}": type "${layer.type}" is not among the reference models'`);
    }
  }

  /**
   * @param {string} name
   * @param {Tensor} x
   */
  activated(name, x) {
    const { tf } = this;
    if (name === "relu") return tf.relu(x);
    if (name === "relu6") return tf.relu6(x);
    return tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1));
  }

  /**
   * @param {Tensor} x
   * @param {number} heads
   */
  attention(x, heads) {
    const { tf } = this;
    const [rows, places, planes] = x.shape;
    const depth = planes / 3;
    const [queries, keys, values] = [0, 1, 2].map((part) => {
      const slice = tf.slice(x, [0, 0, part * depth], [rows, places, depth]);
      return tf.transpose(tf.reshape(slice, [rows, places, heads, depth / heads]), [0, 2, 1, 3]);
    });
    const scores = tf.mul(tf.matMul(queries, keys, false, true), 1 / Math.sqrt(depth / heads));
    const mixed = tf.matMul(tf.softmax(scores), values);
    return tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), [rows, places, depth]);
  }
}

/**
 * TensorFlow's word for a padding: its kernels are made for "same" and "valid".
 *
 * @param {import("../models/graphs.mjs").Layer} layer
 * @param {number[]} shape
 */
function padding({ kernel, stride, padding: [top, left, bottom, right] }, [, height, width]) {
  const same = [height, width].map((size, axis) => {
    const total = Math.max((Math.ceil(size / stride[axis]) - 1) * stride[axis] + kernel[axis] - size, 0);
    return [Math.floor(total / 2), Math.ceil(total / 2)];
  });
  if (same[0][0] === top && same[0][1] === bottom && same[1][0] === left && same[1][1] === right) return "same";
  if (top + left + bottom + right === 0) return "valid";
  return [[0, 0], [top, bottom], [left, right], [0, 0]];
}
