// @ts-check
/** @file Turns the layer list of the shared peer bench (its `models/*.json`) into Assay's graph JSON and names for its tensors. */

/** @import { Graph, Layer } from "./models/graphs.mjs" */

/**
 * @typedef {{ op: string, in: string[], out: string, w?: string, b?: string, act?: string | null, [option: string]: any }} SpecNode
 * @typedef {{ input: number[], nodes: SpecNode[] }} Spec
 */

/**
 * The graph, and the new names of those tensors whose old ones do not fit the names of its layers.
 *
 * @param {Spec} spec
 * @returns {{ graph: Graph, names: Record<string, string> }}
 */
export function fromSpec(spec) {
  /** @type {Layer[]} */
  const layers = [];
  /** @type {Record<string, string>} */
  const names = {};
  /** Names of our layers by the names of their values. */
  const values = new Map([["x", "input"]]);
  const isFlat = spec.input.length === 1;
  if (isFlat) {
    layers.push({ name: "flattened", type: "flatten", inputs: ["input"] });
    values.set("x", "flattened");
  }
  for (const node of spec.nodes) {
    const inputs = node.in.map((name) => {
      const value = values.get(name);
      if (value === undefined) throw new Error(`node "${node.out}" reads "${name}", which no node before it writes`);
      return value;
    });
    // A layer's tensors are named after it, so a layer with tensors takes the name that they have.
    const name = node.w ? node.w.replace(/\.weight$/, "") : node.out;
    if (node.w && (node.w !== `${name}.weight` || node.b !== `${name}.bias`)) {
      throw new Error(`node "${node.out}": expected tensors named alike, got "${node.w}" and "${node.b}"`);
    }
    if (node.pos) names[node.pos] = `${name}.positions`;
    layers.push({ name, inputs, ...layerOf(node) });
    values.set(node.out, name);
    if (node.act) {
      layers.push({ name: `${name}.${node.act}`, type: "activation", inputs: [name], function: node.act });
      values.set(node.out, `${name}.${node.act}`);
    }
  }
  return { graph: { assay: "graph", version: 1, input: isFlat ? [1, 1, spec.input[0]] : spec.input, layers }, names };
}

/**
 * @param {SpecNode} node
 * @returns {{ type: string, [option: string]: unknown }}
 */
function layerOf(node) {
  switch (node.op) {
    case "linear":
      return { type: "linear", units: node.o, bias: true };
    case "conv":
      return { type: "convolution", channels: node.o, kernel: [node.k, node.k], stride: [node.stride, node.stride], padding: node.pads, groups: node.groups, bias: true };
    case "maxpool":
      return { type: "max_pool", size: [node.k, node.k], stride: [node.k, node.k] };
    case "flatten":
      return { type: "flatten" };
    case "gap":
    case "meantok":
      return { type: "global_average_pool" };
    case "add":
      return { type: "add" };
    case "tokens":
      return { type: "tokens", positions: true };
    case "layernorm":
      return { type: "layer_norm", epsilon: node.eps };
    case "attention":
      return { type: "attention", heads: node.heads };
    default:
      throw new Error(`node "${node.out}": operation "${node.op}" is unknown`);
  }
}
