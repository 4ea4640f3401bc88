// @ts-check
/**
 * @file The reference that every engine is compared with: a model that predicts and learns in f64, by the plain loops of
 * reference_layers.mjs. It is slow, and shares nothing with any engine.
 */

import { activation, attention, averaged, convolution, layerNorm, linear, maxPool, tokens } from "./reference_layers.mjs";
import { resolve } from "./shapes.mjs";

/** @import { Graph } from "./graphs.mjs" */
/** @import { Node } from "./shapes.mjs" */
/** @import { Weights } from "./weights.mjs" */

/** @import { Parameter, Step } from "./reference_layers.mjs" */

/** A model that predicts and learns in f64. */
export class Reference {
  /**
   * @param {Graph} graph
   * @param {Weights} weights
   */
  constructor(graph, weights) {
    this.nodes = resolve(graph);
    /** @type {Map<string, Parameter>} */
    this.parameters = new Map([...weights].map(([name, { data }]) =>
      [name, { value: Float64Array.from(data), gradient: new Float64Array(data.length) }]));
  }

  /**
   * The logits, row by row.
   *
   * @param {ArrayLike<number>} input
   * @param {number} rows
   */
  predict(input, rows) {
    return this.forward(Float64Array.from(input), rows).logits;
  }

  /**
   * One step of plain SGD; returns the mean cross-entropy before it.
   *
   * @param {ArrayLike<number>} input
   * @param {ArrayLike<number>} labels
   * @param {number} rate
   */
  train(input, labels, rate) {
    const loss = this.differentiate(input, labels);
    for (const { value, gradient } of this.parameters.values()) {
      for (let at = 0; at < value.length; at += 1) value[at] -= rate * gradient[at];
    }
    return loss;
  }

  /**
   * The mean cross-entropy; leaves its gradients in `parameters`.
   *
   * @param {ArrayLike<number>} input
   * @param {ArrayLike<number>} labels
   */
  differentiate(input, labels) {
    const rows = labels.length;
    const { logits, steps } = this.forward(Float64Array.from(input), rows);
    const { loss, gradient } = crossEntropy(logits, labels);
    for (const parameter of this.parameters.values()) parameter.gradient.fill(0);
    /** @type {Map<string, Float64Array>} */
    const gradients = new Map([[this.nodes[this.nodes.length - 1].layer.name, gradient]]);
    for (let index = this.nodes.length - 1; index >= 0; index -= 1) {
      const { layer, sources } = this.nodes[index];
      const found = gradients.get(layer.name);
      if (!found) continue;
      steps[index].back(found).forEach((part, input) => {
        const sum = gradients.get(sources[input]);
        gradients.set(sources[input], sum ? sum.map((value, at) => value + part[at]) : part);
      });
    }
    return loss;
  }

  /**
   * @param {Float64Array} input
   * @param {number} rows
   */
  forward(input, rows) {
    const values = new Map([["input", input]]);
    const steps = this.nodes.map((node) => {
      const inputs = node.sources.map((source) => /** @type {Float64Array} */ (values.get(source)));
      const step = this.step(node, inputs, rows);
      values.set(node.layer.name, step.out);
      return step;
    });
    return { logits: steps[steps.length - 1].out, steps };
  }

  /**
   * @param {Node} node
   * @param {Float64Array[]} inputs
   * @param {number} rows
   * @returns {Step}
   */
  step(node, [x, second], rows) {
    const { layer, inputs: [shape] } = node;
    const tensor = (/** @type {string} */ part) => {
      const found = this.parameters.get(`${layer.name}.${part}`);
      if (!found) throw new Error(`there is no tensor "${layer.name}.${part}"`);
      return found;
    };
    switch (layer.type) {
      case "flatten":
        return { out: x, back: (gradient) => [gradient] };
      case "linear":
        return linear(x, shape[shape.length - 1], layer.units, tensor("weight"), tensor("bias"));
      case "convolution":
        return convolution(node, x, rows, tensor("weight"), tensor("bias"));
      case "max_pool":
        return maxPool(node, x, rows);
      case "global_average_pool":
        return shape.length === 3 ? averaged(x, rows * shape[0], shape[1] * shape[2], 1) : averaged(x, rows, shape[0], shape[1]);
      case "layer_norm":
        return layerNorm(x, shape[shape.length - 1], layer.epsilon, tensor("weight"), tensor("bias"));
      case "activation":
        return activation(layer.function, x);
      case "add":
        return { out: x.map((value, at) => value + second[at]), back: (gradient) => [gradient, gradient] };
      case "tokens":
        return tokens(x, rows, shape, layer.positions ? tensor("positions") : null);
      case "attention":
        return attention(x, rows, shape, layer.heads);
      default:
        throw new Error(`layer "${layer.name}": the reference does not know type "${layer.type}"`);
    }
  }
}

/**
 * @param {Float64Array} logits
 * @param {ArrayLike<number>} labels
 */
function crossEntropy(logits, labels) {
  const classes = logits.length / labels.length;
  const gradient = new Float64Array(logits.length);
  let loss = 0;
  for (let row = 0; row < labels.length; row += 1) {
    const scores = logits.subarray(row * classes, (row + 1) * classes);
    const top = Math.max(...scores);
    const total = scores.reduce((sum, score) => sum + Math.exp(score - top), 0);
    loss += (Math.log(total) + top - scores[labels[row]]) / labels.length;
    scores.forEach((score, index) => {
      gradient[row * classes + index] = (Math.exp(score - top) / total - (index === labels[row] ? 1 : 0)) / labels.length;
    });
  }
  return { loss, gradient };
}
