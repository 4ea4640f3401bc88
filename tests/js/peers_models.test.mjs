// @ts-check
/** @file The peer bench's models and files: their sizes, the ONNX file read back, the reference's gradients, the shared bench's specs. */

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { GRAPHS } from "../../benches/peers/models/graphs.mjs";
import { labels, normal, uniform } from "../../benches/peers/models/numbers.mjs";
import { onnxInput, toOnnx } from "../../benches/peers/models/onnx.mjs";
import { Reference } from "../../benches/peers/models/reference.mjs";
import { erf } from "../../benches/peers/models/reference_layers.mjs";
import { count, macsOf, resolve } from "../../benches/peers/models/shapes.mjs";
import { draw, fromSafetensors, renamed, toSafetensors } from "../../benches/peers/models/weights.mjs";
import { fromSpec } from "../../benches/peers/shared_spec.mjs";

/** @import { Graph } from "../../benches/peers/models/graphs.mjs" */

/** Parameters and multiply-adds of a row, by their closed forms. @type {Record<string, [number, number]>} */
const SIZES = {
  m1_mlp: [784 * 256 + 256 + 256 * 128 + 128 + 128 * 10 + 10, 784 * 256 + 256 * 128 + 128 * 10],
  m2_lenet: [25 * 32 + 32 + 25 * 32 * 64 + 64 + 1024 * 128 + 128 + 1290, 24 * 24 * 25 * 32 + 8 * 8 * 25 * 32 * 64 + 1024 * 128 + 1280],
  m3_resnet20: [271_690, 40_813_184],
  m4_mobile: [54_218, 5_715_200],
  m5_vit: [138_890, 7_702_656],
};

test("the five models have the sizes that they are known for", () => {
  for (const [name, [parameters, macs]] of Object.entries(SIZES)) {
    const tensors = resolve(GRAPHS[name]).flatMap((node) => Object.values(node.tensors));
    assert.equal(tensors.reduce((sum, shape) => sum + count(shape), 0), parameters, name);
    assert.equal(macsOf(GRAPHS[name]), macs, name);
  }
});

test("drawn numbers are even and their deviation is 1", () => {
  const even = uniform(20_000, 3);
  assert.ok(even.every((value) => value >= -1 && value < 1));
  assert.ok(Math.abs(even.reduce((sum, value) => sum + value, 0) / even.length) < 0.02);
  const drawn = normal(20_000, 4);
  assert.ok(Math.abs(drawn.reduce((sum, value) => sum + value * value, 0) / drawn.length - 1) < 0.05);
  assert.equal(new Set(labels(500, 5)).size, 10);
});

test("weights survive the file, also under other names", () => {
  const weights = draw(GRAPHS.m5_vit, 1);
  const file = toSafetensors(weights);
  assert.deepEqual(fromSafetensors(file), weights);
  const read = fromSafetensors(renamed(file, { "tokens.positions": "pos" }));
  assert.deepEqual(read.get("pos"), weights.get("tokens.positions"));
  assert.equal(read.size, weights.size);
});

/**
 * Fields of a message in the wire format, as (number, content); a content of bytes is a view, else a number.
 *
 * @param {Uint8Array} bytes
 * @returns {[number, any][]}
 */
function fields(bytes) {
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at];
      at += 1;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  /** @type {[number, any][]} */
  const found = [];
  while (at < bytes.length) {
    const tag = Number(varint());
    const kind = tag & 7;
    assert.ok(kind === 0 || kind === 2 || kind === 5, `wire type ${kind}`);
    if (kind === 0) found.push([tag >> 3, Number(BigInt.asIntN(64, varint()))]);
    else {
      const length = kind === 5 ? 4 : Number(varint());
      assert.ok(at + length <= bytes.length, "a field ends inside the message");
      found.push([tag >> 3, bytes.subarray(at, at + length)]);
      at += length;
    }
  }
  return found;
}

/** @param {Uint8Array} bytes @param {number} field */
const all = (bytes, field) => fields(bytes).flatMap(([number, content]) => (number === field ? [content] : []));
/** @param {Uint8Array} bytes */
const text = (bytes) => new TextDecoder().decode(bytes);

test("an ONNX file read back: each name is defined once and before it is read, each tensor as long as its shape says", () => {
  for (const [name, graph] of Object.entries(GRAPHS)) {
    const weights = draw(graph, 1);
    const model = toOnnx(graph, weights);
    assert.deepEqual([all(model, 1), all(all(model, 8)[0], 2)], [[9], [18]], name);
    const [body] = all(model, 7);
    const tensors = all(body, 5);
    for (const tensor of tensors) {
      const [type] = all(tensor, 2);
      assert.equal(all(tensor, 9)[0].length, count(all(tensor, 1)) * (type === 1 ? 4 : 8), `${name} ${text(all(tensor, 8)[0])}`);
    }
    const [input] = all(body, 11);
    const dimensions = all(all(all(all(input, 2)[0], 1)[0], 2)[0], 1);
    assert.equal(text(all(dimensions[0], 2)[0]), "N");
    assert.deepEqual(dimensions.slice(1).map((size) => all(size, 1)[0]), onnxInput(graph));
    const known = new Set(["x", ...tensors.map((tensor) => text(all(tensor, 8)[0]))]);
    for (const node of all(body, 1)) {
      for (const source of all(node, 1)) assert.ok(known.has(text(source)), `${name}: ${text(source)} is read before it is written`);
      for (const out of all(node, 2)) {
        assert.ok(!known.has(text(out)), `${name}: ${text(out)} is defined twice`);
        known.add(text(out));
      }
    }
    assert.equal(text(all(all(body, 12)[0], 1)[0]), "logits");
    assert.ok(known.has("logits"));
  }
});

test("an ONNX file holds the weights and the attributes of its nodes", () => {
  const graph = GRAPHS.m4_mobile;
  const weights = draw(graph, 1);
  const [body] = all(toOnnx(graph, weights), 7);
  const stem = all(body, 5).find((tensor) => text(all(tensor, 8)[0]) === "stem.weight") ?? new Uint8Array();
  assert.deepEqual(new Float32Array(all(stem, 9)[0].slice().buffer), weights.get("stem.weight")?.data);
  const deep = all(body, 1).find((node) => text(all(node, 2)[0]) === "block1.dw") ?? new Uint8Array();
  const attributes = Object.fromEntries(all(deep, 5).map((attribute) => [text(all(attribute, 1)[0]), [...all(attribute, 3), ...all(attribute, 8)]]));
  assert.deepEqual(attributes, { kernel_shape: [3, 3], strides: [2, 2], pads: [0, 0, 1, 1], group: [32] });
  const [norm] = all(all(toOnnx(GRAPHS.m5_vit, draw(GRAPHS.m5_vit, 1)), 7)[0], 1).filter((node) => text(all(node, 4)[0]) === "LayerNormalization");
  const found = all(norm, 5).map((attribute) => [text(all(attribute, 1)[0]), all(attribute, 3)[0] ?? new DataView(all(attribute, 2)[0].slice().buffer).getFloat32(0, true)]);
  assert.deepEqual(found, [["axis", -1], ["epsilon", Math.fround(1e-5)]]);
});

test("the error function has the values of the tables", () => {
  // Abramowitz and Stegun, table 7.1.
  for (const [x, value] of [[0, 0], [0.5, 0.5204998778], [1, 0.8427007929], [2, 0.9953222650], [-1, -0.8427007929], [7, 1]]) {
    assert.ok(Math.abs(erf(x) - value) < 1e-10, `erf(${x}) = ${erf(x)}`);
  }
});

/** Every layer of the reference models in small, strides, uneven padding and groups among them. @type {Graph} */
const SMALL = {
  assay: "graph",
  version: 1,
  input: [2, 5, 6],
  layers: [
    { name: "conv", type: "convolution", inputs: ["input"], channels: 4, kernel: [3, 2], stride: [1, 2], padding: [0, 1, 1, 0], groups: 2, bias: true },
    { name: "relu6", type: "activation", inputs: ["conv"], function: "relu6" },
    { name: "pool", type: "max_pool", inputs: ["relu6"], size: [2, 2], stride: [1, 1] },
    { name: "tokens", type: "tokens", inputs: ["pool"], positions: true },
    { name: "norm", type: "layer_norm", inputs: ["tokens"], epsilon: 1e-5 },
    { name: "qkv", type: "linear", inputs: ["norm"], units: 12, bias: true },
    { name: "attention", type: "attention", inputs: ["qkv"], heads: 2 },
    { name: "sum", type: "add", inputs: ["attention", "tokens"] },
    { name: "gelu", type: "activation", inputs: ["sum"], function: "gelu" },
    { name: "mean", type: "global_average_pool", inputs: ["gelu"] },
    { name: "head", type: "linear", inputs: ["mean"], units: 3, bias: true },
  ],
};

test("the reference's gradients are those of central differences", () => {
  const reference = new Reference(SMALL, draw(SMALL, 2));
  const input = uniform(3 * 60, 7);
  const wanted = [2, 0, 1];
  reference.differentiate(input, wanted);
  const gradients = new Map([...reference.parameters].map(([name, { gradient }]) => [name, gradient.slice()]));
  const step = 1e-5;
  for (const [name, { value }] of reference.parameters) {
    for (let at = 0; at < value.length; at += Math.ceil(value.length / 7)) {
      const before = value[at];
      const [above, below] = [step, -step].map((shift) => {
        value[at] = before + shift;
        return reference.differentiate(input, wanted);
      });
      value[at] = before;
      const slope = (above - below) / (2 * step);
      const found = gradients.get(name)?.[at] ?? NaN;
      assert.ok(Math.abs(slope - found) < 1e-7 + 1e-5 * Math.abs(slope), `${name}[${at}]: ${found}, by differences ${slope}`);
    }
  }
});

test("a row's logits do not depend on the rows beside it", () => {
  const reference = new Reference(SMALL, draw(SMALL, 2));
  const input = uniform(3 * 60, 8);
  assert.deepEqual(reference.predict(input, 3).slice(3, 6), reference.predict(input.slice(60, 120), 1));
});

/** Each operation of the shared bench's specs once, with its way of naming. */
const SPEC = {
  input: [1, 8, 8],
  nodes: [
    { op: "conv", in: ["x"], out: "conv1", w: "patch.weight", b: "patch.bias", i: 1, o: 6, k: 3, stride: 2, pad: "same", pads: [0, 0, 1, 1], groups: 1, act: "relu6" },
    { op: "maxpool", in: ["conv1"], out: "maxpool2", k: 2 },
    { op: "tokens", in: ["maxpool2"], out: "tokens3", n: 4, d: 6, pos: "pos" },
    { op: "layernorm", in: ["tokens3"], out: "layernorm4", w: "norm.weight", b: "norm.bias", d: 6, eps: 1e-5 },
    { op: "linear", in: ["layernorm4"], out: "linear5", w: "blocks.0.qkv.weight", b: "blocks.0.qkv.bias", i: 6, o: 18, act: null },
    { op: "attention", in: ["linear5"], out: "attention6", n: 4, d: 6, heads: 2 },
    { op: "add", in: ["tokens3", "attention6"], out: "add7", act: null },
    { op: "meantok", in: ["add7"], out: "meantok8" },
    { op: "linear", in: ["meantok8"], out: "linear9", w: "head.weight", b: "head.bias", i: 6, o: 10, act: null },
  ],
};

test("a spec of the shared bench becomes a graph that its tensors fit", () => {
  const { graph, names } = fromSpec(SPEC);
  assert.deepEqual(names, { pos: "tokens3.positions" });
  const tensors = resolve(graph).flatMap(({ layer, tensors }) => Object.entries(tensors).map(([part, shape]) => [`${layer.name}.${part}`, shape]));
  assert.deepEqual(Object.fromEntries(tensors), {
    "patch.weight": [6, 1, 3, 3], "patch.bias": [6], "tokens3.positions": [4, 6], "norm.weight": [6], "norm.bias": [6],
    "blocks.0.qkv.weight": [18, 6], "blocks.0.qkv.bias": [18], "head.weight": [10, 6], "head.bias": [10],
  });
  assert.deepEqual(graph.layers.map(({ name }) => name), ["patch", "patch.relu6", "maxpool2", "tokens3", "norm", "blocks.0.qkv", "attention6", "add7", "meantok8", "head"]);
});

const SHARED = new URL("../../../shared/peerbench/models/", import.meta.url);

test("the shared bench's five models are ours, layer for layer", { skip: !existsSync(SHARED) }, () => {
  for (const [name, graph] of Object.entries(GRAPHS)) {
    const spec = JSON.parse(readFileSync(new URL(`${name}.json`, SHARED), "utf8"));
    const { graph: converted, names } = fromSpec(spec);
    const shapes = (/** @type {Graph} */ of) => resolve(of).map(({ layer, tensors, output }) => [layer.type, Object.values(tensors), output]);
    assert.deepEqual(shapes(converted), shapes(graph), name);
    const file = fromSafetensors(renamed(readFileSync(new URL(`${name}.safetensors`, SHARED)), names));
    for (const { layer, tensors } of resolve(converted)) {
      for (const [part, shape] of Object.entries(tensors)) assert.deepEqual(file.get(`${layer.name}.${part}`)?.shape, shape, `${name} ${layer.name}.${part}`);
    }
  }
});

test("a flat input of a spec is flattened first, and what it does not know is named", () => {
  const linear = { op: "linear", in: ["x"], out: "linear1", w: "fc1.weight", b: "fc1.bias", i: 784, o: 10, act: "relu" };
  const { graph } = fromSpec({ input: [784], nodes: [linear] });
  assert.deepEqual(graph.input, [1, 1, 784]);
  assert.deepEqual(graph.layers.map(({ name, inputs }) => [name, inputs]), [["flattened", ["input"]], ["fc1", ["flattened"]], ["fc1.relu", ["fc1"]]]);
  assert.throws(() => fromSpec({ input: [784], nodes: [{ op: "lstm", in: ["x"], out: "l" }] }), /operation "lstm"/);
  assert.throws(() => fromSpec({ input: [784], nodes: [{ ...linear, in: ["nowhere"] }] }), /reads "nowhere"/);
});
