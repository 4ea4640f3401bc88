// @ts-check
/**
 * @file Times matrix products of several crates and Assay's own convolutions with their gradients in Node's V8, every second round in
 * the opposite order, and prints medians in GFLOP/s beside the arithmetic peak. Arguments: the wasm file, the number of rounds.
 */

import { readFile } from "node:fs/promises";
import { measurePeak } from "../peers/page/peak.mjs";
import { median } from "../peers/report.mjs";

const CANDIDATES = ["assay", "gemm", "rten-gemm packed", "rten-gemm", "wide"];

/** Rows, inner, columns: squares, then products of the reference models, whose convolutions count as products of their patches. */
const SHAPES = [
  [64, 64, 64], [128, 128, 128], [256, 256, 256],
  [1, 784, 256], [64, 784, 256], [64, 256, 128],
  [576, 25, 32], [64, 800, 64], [64, 1024, 128],
  [1024, 144, 16], [256, 288, 32], [64, 576, 64],
  [1024, 16, 32], [256, 64, 64], [64, 128, 128],
  [49, 64, 192], [49, 64, 64], [49, 64, 128], [49, 128, 64],
];

/** What a layer's passes are called. */
const PASSES = ["forward", "input gradient", "weight gradient", "forward in integers"];

/** Images, planes, side, channels, kernel, stride, padding, groups: layers of the reference models, the last four depthwise. */
const LAYERS = [
  [4, 1, 28, 32, 5, 1, 0, 1], [4, 32, 12, 64, 5, 1, 0, 1],
  [4, 3, 32, 16, 3, 1, 1, 1], [4, 16, 32, 16, 3, 1, 1, 1], [4, 16, 32, 32, 3, 2, 1, 1],
  [4, 32, 16, 32, 3, 1, 1, 1], [4, 64, 8, 64, 3, 1, 1, 1], [4, 32, 16, 64, 1, 1, 0, 1],
  [4, 16, 32, 16, 3, 1, 1, 16], [4, 32, 32, 32, 3, 2, 1, 32], [4, 64, 16, 64, 3, 1, 1, 64], [4, 128, 8, 128, 3, 1, 1, 128],
];

/** Time for one candidate in one round, in ms. */
const SLICE = 20;

const [file, rounds] = process.argv.slice(2);
const module = await WebAssembly.compile(new Uint8Array(await readFile(file)));
/** @type {Record<string, Record<string, () => never>>} */
const imports = {};
for (const { module: from, name } of WebAssembly.Module.imports(module)) {
  (imports[from] ??= {})[name] = () => {
    throw new Error(`the module called ${from}.${name}`);
  };
}
const { open, run, error, close, open_layer, run_layer, close_layer } = /** @type {any} */ ((await WebAssembly.instantiate(module, imports)).exports);

const peak = await measurePeak(600);
console.log(`arithmetic peak: ${peak.toFixed(1)} GFLOP/s\n`);
console.log(["rows × inner × columns".padEnd(24), ...CANDIDATES].join("  "));
/**
 * The median over rounds of each candidate's best rate in a slice of time, in GFLOP/s.
 * @param {number[][]} rates empty lists, one for each
 * @param {number} work floating point operations of one time
 * @param {number} times of one call
 * @param {(candidate: number) => void} call
 */
function timed(rates, work, times, call) {
  for (let round = 0; round < Number(rounds); round += 1) {
    const order = rates.map((_, candidate) => candidate);
    for (const candidate of round % 2 === 0 ? order : order.reverse()) {
      const end = performance.now() + SLICE;
      let best = Infinity;
      while (performance.now() < end) {
        const start = performance.now();
        call(candidate);
        best = Math.min(best, (performance.now() - start) / times);
      }
      rates[candidate].push(work / best / 1e6);
    }
  }
  return rates.map((found) => median(found).toFixed(1));
}

for (const shape of SHAPES) {
  const [rows, inner, columns] = shape;
  const work = 2 * rows * inner * columns;
  const handle = open(rows, inner, columns);
  const times = Math.max(1, Math.round((SLICE * 20e6) / work / 4));
  /** @type {number[][]} */
  const rates = CANDIDATES.map((name, candidate) => {
    run(handle, candidate, 1);
    // Each sum has `inner` terms below 1; f32 keeps them to inner² · 2⁻²⁴ at worst.
    if (!(error(handle) <= inner * inner * 2 ** -24)) throw new Error(`${name} computed ${shape.join(" × ")} wrongly`);
    const end = performance.now() + SLICE;
    while (performance.now() < end) run(handle, candidate, times);
    return [];
  });
  const medians = timed(rates, work, times, (candidate) => run(handle, candidate, times));
  close(handle);
  console.log([shape.join(" × ").padEnd(24), ...medians.map((rate, candidate) => rate.padStart(CANDIDATES[candidate].length))].join("  "));
}

console.log(`\n${["images × planes × side² → channels".padEnd(44), ...PASSES].join("  ")}`);
for (const layer of LAYERS) {
  const [images, planes, side, channels, kernel, stride, padding, groups] = layer;
  const out = Math.floor((side + 2 * padding - kernel) / stride) + 1;
  const work = (2 * images * out * out * channels * planes * kernel * kernel) / groups;
  const times = Math.max(1, Math.round((SLICE * 20e6) / work / 4));
  const handle = open_layer(...layer);
  for (const pass of PASSES.keys()) run_layer(handle, pass, times);
  const medians = timed(PASSES.map(() => []), work, times, (pass) => run_layer(handle, pass, times));
  close_layer(handle);
  const name = `${images} × ${planes} × ${side}² → ${channels}, ${kernel}×${kernel}${stride > 1 ? `, stride ${stride}` : ""}${groups > 1 ? ", depthwise" : ""}`;
  console.log([name.padEnd(44), ...medians.map((rate, pass) => rate.padStart(PASSES[pass].length))].join("  "));
}
