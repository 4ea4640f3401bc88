// @ts-check
/**
 * @file Writes a graph and its weights as an ONNX file (opset 18, any batch), as exporters of PyTorch write them; optimizing is the
 * reader's part. Field numbers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
 */

import { Message } from "./protobuf.mjs";
import { count, resolve } from "./shapes.mjs";

/** @import { Graph, Layer } from "./graphs.mjs" */
/** @import { Node } from "./shapes.mjs" */
/** @import { Weights } from "./weights.mjs" */

const FLOAT = 1;
const INT64 = 7;

/**
 * The shape of the file's input, without the batch: a graph that starts by flattening takes the numbers flat.
 *
 * @param {Graph} graph
 */
export function onnxInput(graph) {
  return graph.layers[0].type === "flatten" ? [count(graph.input)] : graph.input;
}

/**
 * The bytes of an ONNX file with input `x` and output `logits`.
 *
 * @param {Graph} graph
 * @param {Weights} weights
 */
export function toOnnx(graph, weights) {
  const nodes = resolve(graph);
  const writer = new Writer(weights);
  nodes.forEach((node, index) => {
    // The last layer's value is the output; a first flatten is what the input already is.
    if (index === 0 && node.layer.type === "flatten") writer.values.set(node.layer.name, "x");
    else writer.layer(node, index === nodes.length - 1 ? "logits" : node.layer.name);
  });
  const classes = nodes[nodes.length - 1].output;
  const body = writer.graph.bytes(2, "graph").bytes(11, value("x", onnxInput(graph))).bytes(12, value("logits", classes));
  return new Message().number(1, 9).bytes(2, "assay").bytes(8, new Message().number(2, 18)).bytes(7, body).toBytes();
}

/**
 * @param {string} name
 * @param {number[]} shape
 */
function value(name, shape) {
  const dimensions = new Message().bytes(1, new Message().bytes(2, "N"));
  for (const size of shape) dimensions.bytes(1, new Message().number(1, size));
  return new Message().bytes(1, name).bytes(2, new Message().bytes(1, new Message().number(1, FLOAT).bytes(2, dimensions)));
}

/** Collects the nodes and constants of one graph. */
class Writer {
  /** @param {Weights} weights */
  constructor(weights) {
    this.weights = weights;
    this.graph = new Message();
    /** Names in the file of the values of our layers. */
    this.values = new Map([["input", "x"]]);
    /** @type {Set<string>} */
    this.constants = new Set();
  }

  /**
   * @param {Node} node
   * @param {string} out
   */
  layer(node, out) {
    const { layer, sources, inputs: [shape] } = node;
    const [x, second] = sources.map((source) => this.values.get(source) ?? source);
    const tensor = (/** @type {string} */ part) => this.weight(`${layer.name}.${part}`);
    this.values.set(layer.name, out);
    switch (layer.type) {
      case "flatten":
        return this.node("Flatten", [x], out, { axis: 1 });
      case "linear":
        if (shape.length === 1) return this.node("Gemm", [x, tensor("weight"), tensor("bias")], out, { transB: 1 });
        return this.node("Add", [this.node("MatMul", [x, this.transposed(`${layer.name}.weight`)], `${out}/product`), tensor("bias")], out);
      case "convolution":
        return this.node("Conv", [x, tensor("weight"), tensor("bias")], out, windowOf(layer, layer.kernel, { group: layer.groups ?? 1 }));
      case "max_pool":
        return this.node("MaxPool", [x], out, windowOf(layer, layer.size));
      case "global_average_pool":
        if (shape.length === 2) return this.node("ReduceMean", [x, this.numbers("axis/1", [1])], out, { keepdims: 0 });
        return this.node("Flatten", [this.node("GlobalAveragePool", [x], `${out}/pooled`)], out, { axis: 1 });
      case "layer_norm":
        return this.node("LayerNormalization", [x, tensor("weight"), tensor("bias")], out, { axis: -1, epsilon: layer.epsilon });
      case "activation":
        return this.activation(layer, x, out);
      case "add":
        return this.node("Add", [x, second], out);
      case "tokens": {
        const rows = this.node("Reshape", [x, this.numbers(`${layer.name}/places_shape`, [0, shape[0], shape[1] * shape[2]])], `${out}/places`);
        const turned = this.node("Transpose", [rows], layer.positions ? `${out}/turned` : out, { perm: [0, 2, 1] });
        return layer.positions ? this.node("Add", [turned, tensor("positions")], out) : turned;
      }
      case "attention":
        return this.attention(layer, shape, x, out);
      default:
        throw new Error(`layer "${layer.name}": type "${layer.type}" cannot be written as ONNX`);
    }
  }

  /**
   * @param {Layer} layer
   * @param {string} x
   * @param {string} out
   */
  activation(layer, x, out) {
    switch (layer.function) {
      case "relu":
        return this.node("Relu", [x], out);
      case "relu6":
        return this.node("Clip", [x, this.scalar("zero", 0), this.scalar("six", 6)], out);
      case "gelu": {
        // Opset 18 has no Gelu; readers know the operation by these five.
        const scaled = this.node("Div", [x, this.scalar("root_of_two", Math.SQRT2)], `${out}/scaled`);
        const shifted = this.node("Add", [this.node("Erf", [scaled], `${out}/erf`), this.scalar("one", 1)], `${out}/shifted`);
        return this.node("Mul", [this.node("Mul", [x, shifted], `${out}/product`), this.scalar("half", 0.5)], out);
      }
      default:
        throw new Error(`layer "${layer.name}": function "${layer.function}" cannot be written as ONNX`);
    }
  }

  /**
   * @param {Layer} layer
   * @param {number[]} shape
   * @param {string} x
   * @param {string} out
   */
  attention({ name, heads }, [places, planes], x, out) {
    const width = planes / 3 / heads;
    const split = this.node("Reshape", [x, this.numbers(`${name}/split_shape`, [0, places, 3, heads, width])], `${out}/split`);
    const turned = this.node("Transpose", [split], `${out}/turned`, { perm: [2, 0, 3, 1, 4] });
    const [queries, keys, values] = ["queries", "keys", "values"].map((part, index) =>
      this.node("Gather", [turned, this.number(`index/${index}`, index)], `${out}/${part}`, { axis: 0 }));
    const across = this.node("Transpose", [keys], `${out}/across`, { perm: [0, 1, 3, 2] });
    const scores = this.node("MatMul", [queries, across], `${out}/scores`);
    const scaled = this.node("Mul", [scores, this.scalar(`scale/${width}`, 1 / Math.sqrt(width))], `${out}/scaled`);
    const shares = this.node("Softmax", [scaled], `${out}/shares`, { axis: -1 });
    const mixed = this.node("MatMul", [shares, values], `${out}/mixed`);
    const back = this.node("Transpose", [mixed], `${out}/back`, { perm: [0, 2, 1, 3] });
    return this.node("Reshape", [back, this.numbers(`${name}/joined_shape`, [0, places, planes / 3])], out);
  }

  /**
   * @param {string} type
   * @param {string[]} inputs
   * @param {string} output
   * @param {Record<string, number | number[]>} [attributes] `epsilon` is a float, all others are whole numbers
   */
  node(type, inputs, output, attributes = {}) {
    const node = new Message();
    for (const input of inputs) node.bytes(1, input);
    node.bytes(2, output).bytes(3, output).bytes(4, type);
    for (const [name, value] of Object.entries(attributes)) node.bytes(5, attribute(name, value));
    this.graph.bytes(1, node);
    return output;
  }

  /** @param {string} name */
  weight(name) {
    const { shape, data } = this.tensor(name);
    return this.constant(name, FLOAT, shape, data);
  }

  /** @param {string} name */
  transposed(name) {
    const { shape: [rows, columns], data } = this.tensor(name);
    const turned = Float32Array.from({ length: data.length }, (_, at) => data[(at % rows) * columns + Math.floor(at / rows)]);
    return this.constant(`${name}/transposed`, FLOAT, [columns, rows], turned);
  }

  /** @param {string} name */
  tensor(name) {
    const tensor = this.weights.get(name);
    if (!tensor) throw new Error(`there is no tensor "${name}"`);
    return tensor;
  }

  /** @param {string} name @param {number} value */
  scalar(name, value) {
    return this.constant(name, FLOAT, [], Float32Array.of(value));
  }

  /** @param {string} name @param {number} value */
  number(name, value) {
    return this.constant(name, INT64, [], BigInt64Array.of(BigInt(value)));
  }

  /** @param {string} name @param {number[]} values */
  numbers(name, values) {
    return this.constant(name, INT64, [values.length], BigInt64Array.from(values, BigInt));
  }

  /**
   * @param {string} name
   * @param {number} type
   * @param {number[]} shape
   * @param {Float32Array | BigInt64Array} data
   */
  constant(name, type, shape, data) {
    if (this.constants.has(name)) return name;
    this.constants.add(name);
    const tensor = new Message();
    for (const size of shape) tensor.number(1, size);
    tensor.number(2, type).bytes(8, name).bytes(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    this.graph.bytes(5, tensor);
    return name;
  }
}

/**
 * @param {Layer} layer
 * @param {number[]} window
 * @param {Record<string, number>} [more]
 */
function windowOf({ stride = [1, 1], padding = [0, 0, 0, 0] }, window, more = {}) {
  return { kernel_shape: window, strides: stride, pads: padding, ...more };
}

/**
 * @param {string} name
 * @param {number | number[]} value
 */
function attribute(name, value) {
  const message = new Message().bytes(1, name);
  if (name === "epsilon") return message.float(2, Number(value)).number(20, 1);
  if (typeof value === "number") return (value < 0 ? message.raw(negative(3, value)) : message.number(3, value)).number(20, 2);
  for (const item of value) message.number(8, item);
  return message.number(20, 7);
}

/**
 * A negative number is its two's complement in 64 bits, ten bytes long.
 *
 * @param {number} field
 * @param {number} value
 */
function negative(field, value) {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes = [field * 8];
  while (rest >= 128n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  return Uint8Array.from([...bytes, Number(rest)]);
}
