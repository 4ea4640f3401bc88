// @ts-check
/**
 * @file Times matrix products of several crates in Node's V8, every second round in the opposite order, and prints medians in GFLOP/s
 * beside the arithmetic peak. Arguments: the wasm file, the number of rounds.
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
const { open, run, error, close } = /** @type {any} */ ((await WebAssembly.instantiate(module, imports)).exports);

const peak = await measurePeak(600);
console.log(`arithmetic peak: ${peak.toFixed(1)} GFLOP/s\n`);
console.log(["rows × inner × columns".padEnd(24), ...CANDIDATES].join("  "));
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
  for (let round = 0; round < Number(rounds); round += 1) {
    const order = CANDIDATES.map((_, candidate) => candidate);
    for (const candidate of round % 2 === 0 ? order : order.reverse()) {
      const end = performance.now() + SLICE;
      let best = Infinity;
      while (performance.now() < end) {
        const start = performance.now();
        run(handle, candidate, times);
        best = Math.min(best, (performance.now() - start) / times);
      }
      rates[candidate].push(work / best / 1e6);
    }
  }
  close(handle);
  console.log([shape.join(" × ").padEnd(24), ...rates.map((found, candidate) => median(found).toFixed(1).padStart(CANDIDATES[candidate].length))].join("  "));
}
