// @ts-check
/** @file Works out the shapes, tensors and multiply-adds of a graph. Knows the layers of the reference models only. */

/** @import { Graph, Layer } from "./graphs.mjs" */

/**
 * @typedef {object} Node
 * @property {Layer} layer
 * @property {string[]} sources names of the values it reads
 * @property {number[][]} inputs their shapes, without the batch
 * @property {number[]} output
 * @property {Record<string, number[]>} tensors the last part of each tensor's name, and its shape as in safetensors
 * @property {number} macs multiply-adds of one row
 */

/** @param {number[]} shape */
export const count = (shape) => shape.reduce((product, size) => product * size, 1);

/**
 * Every layer in order, with its shapes.
 *
 * @param {Graph} graph
 * @returns {Node[]}
 */
export function resolve(graph) {
  /** @type {Map<string, number[]>} */
  const shapes = new Map([["input", graph.input]]);
  let before = "input";
  return graph.layers.map((layer) => {
    const sources = layer.inputs ?? [before];
    const inputs = sources.map((source) => {
      const shape = shapes.get(source);
      if (!shape) throw new Error(`layer "${layer.name}" reads "${source}", which does not come before it`);
      return shape;
    });
    const found = shapeOf(layer, inputs);
    shapes.set(layer.name, found.output);
    before = layer.name;
    return { layer, sources, inputs, tensors: {}, macs: 0, ...found };
  });
}

/**
 * @param {Layer} layer
 * @param {number[][]} inputs
 * @returns {{ output: number[], tensors?: Record<string, number[]>, macs?: number }}
 */
function shapeOf(layer, inputs) {
  const [shape] = inputs;
  const width = shape[shape.length - 1];
  switch (layer.type) {
    case "flatten":
      return { output: [count(shape)] };
    case "linear": {
      const { units } = layer;
      return { output: [...shape.slice(0, -1), units], tensors: { weight: [units, width], bias: [units] }, macs: count(shape) * units };
    }
    case "convolution": {
      const { channels, kernel, groups = 1 } = layer;
      const [height, across] = slid(layer, kernel, shape);
      const weight = [channels, shape[0] / groups, ...kernel];
      return { output: [channels, height, across], tensors: { weight, bias: [channels] }, macs: count(weight) * height * across };
    }
    case "max_pool":
      return { output: [shape[0], ...slid(layer, layer.size, shape)] };
    case "global_average_pool":
      return { output: [shape.length === 3 ? shape[0] : width] };
    case "layer_norm":
      return { output: shape, tensors: { weight: [width], bias: [width] } };
    case "activation":
    case "add":
      return { output: shape };
    case "tokens": {
      const tokens = [shape[1] * shape[2], shape[0]];
      return { output: tokens, tensors: layer.positions ? { positions: tokens } : {} };
    }
    case "attention":
      return { output: [shape[0], width / 3], macs: 2 * shape[0] * shape[0] * (width / 3) };
    default:
      throw new Error(`layer "${layer.name}": type "${layer.type}" is not among the reference models'`);
  }
}

/**
 * @param {Layer} layer
 * @param {number[]} window
 * @param {number[]} shape
 */
function slid({ stride = [1, 1], padding = [0, 0, 0, 0] }, window, [, height, width]) {
  const [top, left, bottom, right] = padding;
  return [
    Math.floor((height + top + bottom - window[0]) / stride[0]) + 1,
    Math.floor((width + left + right - window[1]) / stride[1]) + 1,
  ];
}

/**
 * Multiply-adds of one row through the whole graph.
 *
 * @param {Graph} graph
 */
export const macsOf = (graph) => resolve(graph).reduce((sum, node) => sum + node.macs, 0);
