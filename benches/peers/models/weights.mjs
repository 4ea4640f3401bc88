// @ts-check
/** @file Draws the weights of a graph from its name, and writes and reads them as safetensors. Every number is f32. */

import { normal } from "./numbers.mjs";
import { count, resolve } from "./shapes.mjs";

/** @import { Graph } from "./graphs.mjs" */
/** @typedef {Map<string, { shape: number[], data: Float32Array<ArrayBuffer> }>} Weights */

/**
 * Weights that keep the size of what flows through: deviation √(gain / fan-in), gain 2 before an activation, ½ before a
 * sum, else 1.
 *
 * @param {Graph} graph
 * @param {number} seed
 * @returns {Weights}
 */
export function draw(graph, seed) {
  const nodes = resolve(graph);
  /** @type {Weights} */
  const weights = new Map();
  for (const { layer, tensors } of nodes) {
    const reader = nodes.find((node) => node.sources.includes(layer.name))?.layer.type;
    const gain = reader === "activation" ? 2 : reader === "add" ? 0.5 : 1;
    for (const [part, shape] of Object.entries(tensors)) {
      const drawn = normal(count(shape), seed * 1000 + weights.size);
      const [middle, deviation] = layer.type === "layer_norm" && part === "weight" ? [1, 0.1]
        : part === "weight" ? [0, Math.sqrt(gain / count(shape.slice(1)))]
        : part === "positions" ? [0, 0.1] : [0, 0.05];
      weights.set(`${layer.name}.${part}`, { shape, data: Float32Array.from(drawn, (value) => middle + deviation * value) });
    }
  }
  return weights;
}

/**
 * A safetensors file.
 *
 * @param {Weights} weights
 */
export function toSafetensors(weights) {
  /** @type {Record<string, object>} */
  const header = {};
  let end = 0;
  for (const [name, { shape, data }] of weights) {
    header[name] = { dtype: "F32", shape, data_offsets: [end, end + data.byteLength] };
    end += data.byteLength;
  }
  // The data starts at a multiple of 8, as the format asks for; spaces fill the header up.
  const text = JSON.stringify(header);
  const head = new TextEncoder().encode(text.padEnd(Math.ceil(text.length / 8) * 8));
  const file = new Uint8Array(8 + head.length + end);
  new DataView(file.buffer).setBigUint64(0, BigInt(head.length), true);
  file.set(head, 8);
  let at = 8 + head.length;
  for (const { data } of weights.values()) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return file;
}

/**
 * The tensors of a safetensors file that holds f32 alone.
 *
 * @param {Uint8Array} file
 * @returns {Weights}
 */
export function fromSafetensors(file) {
  const { header, data } = parts(file);
  const entries = Object.entries(header).filter(([name]) => name !== "__metadata__");
  return new Map(entries.map(([name, { dtype, shape, data_offsets: [start, end] }]) => {
    if (dtype !== "F32") throw new Error(`tensor "${name}" is ${dtype}, expected F32`);
    return [name, { shape, data: new Float32Array(data.slice(start, end).buffer) }];
  }));
}

/**
 * The same file with other names for its tensors.
 *
 * @param {Uint8Array} file
 * @param {Record<string, string>} names old name → new name; others stay
 */
export function renamed(file, names) {
  const { header, data } = parts(file);
  const text = JSON.stringify(Object.fromEntries(Object.entries(header).map(([name, entry]) => [names[name] ?? name, entry])));
  const head = new TextEncoder().encode(text.padEnd(Math.ceil(text.length / 8) * 8));
  const out = new Uint8Array(8 + head.length + data.length);
  new DataView(out.buffer).setBigUint64(0, BigInt(head.length), true);
  out.set(head, 8);
  out.set(data, 8 + head.length);
  return out;
}

/**
 * @param {Uint8Array} file
 * @returns {{ header: Record<string, any>, data: Uint8Array }}
 */
function parts(file) {
  const length = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  return { header: JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length))), data: file.subarray(8 + length) };
}
