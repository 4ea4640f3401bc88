// @ts-check
/** @file The five reference models as graphs in Assay's JSON form (docs/graph.md). No weights: weights.mjs draws them. */

/**
 * @typedef {{ name: string, type: string, inputs?: string[], [option: string]: any }} Layer
 * @typedef {{ assay: "graph", version: 1, input: number[], layers: Layer[] }} Graph
 */

/** Collects layers and gives them names. Each function returns the name of the last layer it added. */
class Builder {
  /** @param {number[]} input channels, height, width */
  constructor(input) {
    /** @type {Graph} */
    this.graph = { assay: "graph", version: 1, input, layers: [] };
  }

  /**
   * @param {string} name
   * @param {string} type
   * @param {string[]} inputs
   * @param {Record<string, unknown>} [options]
   */
  add(name, type, inputs, options = {}) {
    this.graph.layers.push({ name, type, inputs, ...options });
    return name;
  }

  /**
   * @param {string} name
   * @param {string} input
   * @param {number} units
   * @param {string} [activation]
   */
  linear(name, input, units, activation) {
    return this.activated(this.add(name, "linear", [input], { units, bias: true }), activation);
  }

  /**
   * @param {string} name
   * @param {string} input
   * @param {number} channels
   * @param {{ kernel: number, stride?: number, padding?: number[], groups?: number, activation?: string }} options
   */
  convolution(name, input, channels, { kernel, stride = 1, padding = [0, 0, 0, 0], groups = 1, activation }) {
    const options = { channels, kernel: [kernel, kernel], stride: [stride, stride], padding, groups, bias: true };
    return this.activated(this.add(name, "convolution", [input], options), activation);
  }

  /**
   * @param {string} name
   * @param {string} [activation]
   */
  activated(name, activation) {
    return activation ? this.add(`${name}.${activation}`, "activation", [name], { function: activation }) : name;
  }
}

/** What TensorFlow calls "same" for a 3×3 kernel on an even size, top left bottom right: with stride 2 only after the image. */
const SAME = { 1: [1, 1, 1, 1], 2: [0, 0, 1, 1] };

function mlp() {
  const b = new Builder([1, 28, 28]);
  const flat = b.add("flatten", "flatten", ["input"]);
  b.linear("fc3", b.linear("fc2", b.linear("fc1", flat, 256, "relu"), 128, "relu"), 10);
  return b.graph;
}

function lenet() {
  const b = new Builder([1, 28, 28]);
  const pool = (/** @type {string} */ name, /** @type {string} */ input) => b.add(name, "max_pool", [input], { size: [2, 2], stride: [2, 2] });
  const first = pool("pool1", b.convolution("conv1", "input", 32, { kernel: 5, activation: "relu" }));
  const second = pool("pool2", b.convolution("conv2", first, 64, { kernel: 5, activation: "relu" }));
  b.linear("fc2", b.linear("fc1", b.add("flatten", "flatten", [second]), 128, "relu"), 10);
  return b.graph;
}

/** ResNet-20 with its batch norms folded away: a convolution has a bias instead. */
function resnet20() {
  const b = new Builder([3, 32, 32]);
  let last = b.convolution("stem", "input", 16, { kernel: 3, padding: SAME[1], activation: "relu" });
  let planes = 16;
  [16, 32, 64].forEach((channels, stage) => {
    for (let block = 0; block < 3; block += 1) {
      const name = `layer${stage + 1}.${block}`;
      const stride = stage > 0 && block === 0 ? 2 : 1;
      const inner = b.convolution(`${name}.conv1`, last, channels, { kernel: 3, stride, padding: SAME[stride], activation: "relu" });
      const outer = b.convolution(`${name}.conv2`, inner, channels, { kernel: 3, padding: SAME[1] });
      const shortcut = planes === channels ? last : b.convolution(`${name}.down`, last, channels, { kernel: 1, stride });
      last = b.activated(b.add(`${name}.add`, "add", [outer, shortcut]), "relu");
      planes = channels;
    }
  });
  b.linear("fc", b.add("pool", "global_average_pool", [last]), 10);
  return b.graph;
}

function mobile() {
  const b = new Builder([3, 32, 32]);
  let last = b.convolution("stem", "input", 16, { kernel: 3, padding: SAME[1], activation: "relu6" });
  let planes = 16;
  /** @type {[number, 1 | 2][]} */
  const blocks = [[32, 1], [64, 2], [64, 1], [128, 2], [128, 1], [128, 1]];
  blocks.forEach(([channels, stride], block) => {
    const deep = b.convolution(`block${block}.dw`, last, planes, { kernel: 3, stride, padding: SAME[stride], groups: planes, activation: "relu6" });
    last = b.convolution(`block${block}.pw`, deep, channels, { kernel: 1, activation: "relu6" });
    planes = channels;
  });
  b.linear("fc", b.add("pool", "global_average_pool", [last]), 10);
  return b.graph;
}

function vit() {
  const b = new Builder([1, 28, 28]);
  const width = 64;
  const norm = (/** @type {string} */ name, /** @type {string} */ input) => b.add(name, "layer_norm", [input], { epsilon: 1e-5 });
  let last = b.add("tokens", "tokens", [b.convolution("patch", "input", width, { kernel: 4, stride: 4 })], { positions: true });
  for (let block = 0; block < 4; block += 1) {
    const name = `blocks.${block}`;
    const mixed = b.linear(`${name}.qkv`, norm(`${name}.norm1`, last), 3 * width);
    const attention = b.add(`${name}.attention`, "attention", [mixed], { heads: 4 });
    last = b.add(`${name}.add1`, "add", [last, b.linear(`${name}.proj`, attention, width)]);
    const hidden = b.linear(`${name}.fc1`, norm(`${name}.norm2`, last), 2 * width, "gelu");
    last = b.add(`${name}.add2`, "add", [last, b.linear(`${name}.fc2`, hidden, width)]);
  }
  b.linear("head", b.add("pool", "global_average_pool", [norm("norm", last)]), 10);
  return b.graph;
}

/** By name, in the order in which they are measured. @type {Record<string, Graph>} */
export const GRAPHS = { m1_mlp: mlp(), m2_lenet: lenet(), m3_resnet20: resnet20(), m4_mobile: mobile(), m5_vit: vit() };
