// @ts-check
/**
 * @file Times the reference models in Node's V8: f32 without and with Winograd, calibrated integers, dynamic integers, and f32 with
 * weights under every scheme for weights alone. The ways alternate call by call, every second round in the opposite order; a round's
 * time is its best call, because other work only adds to it, and of rounds the median is shown. Arguments: the module without
 * Winograd, the module with it, the number of rounds. The last line is one JSON object. It fails where weights of a scheme cost more
 * than a tenth over f32, or integers more than f32.
 */

import { readFile } from "node:fs/promises";
import { GRAPHS } from "../peers/models/graphs.mjs";
import { median } from "../peers/report.mjs";

/** A way: its name, which module, which arithmetic. */
const WAYS = [
  { name: "f32 direct", module: 0, arithmetic: 0 },
  { name: "f32", module: 1, arithmetic: 0 },
  { name: "int8", module: 1, arithmetic: 1 },
  { name: "int8-dynamic", module: 1, arithmetic: 2 },
];
/** Schemes for weights alone, in the module's order from 3 on. */
const WEIGHTS = ["f16", "int8-weights", "int8-weights-tensor", "int4", "int4-asymmetric", "ternary", "Q8_0", "Q6_K", "Q5_1", "Q5_0", "Q4_1", "Q4_0", "Q4_K"];
const ALL = [...WAYS, ...WEIGHTS.map((name, index) => ({ name, module: 1, arithmetic: 3 + index }))];
/** What weights of a scheme may cost over f32, and integers. */
const MOST = { weights: 1.1, integers: 1 };
const BATCHES = [64, 1];
/** Time for all ways of a model and a batch in one round, in ms, warm-up not counted. */
const SLICE = 1500;
/** Calls of each way in a round at least. */
const LEAST = 8;
/** Calls shorter than this are timed in groups, in ms: Node's clock ticks every microsecond or so. */
const SHORTEST = 0.25;

const [direct, winograd, rounds] = process.argv.slice(2);
const modules = await Promise.all([direct, winograd].map(opened));

/** @param {string} file */
async function opened(file) {
  const module = await WebAssembly.compile(new Uint8Array(await readFile(file)));
  /** @type {Record<string, Record<string, () => never>>} */
  const imports = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    (imports[from] ??= {})[name] = () => {
      throw new Error(`the module called ${from}.${name}`);
    };
  }
  return /** @type {any} */ ((await WebAssembly.instantiate(module, imports)).exports);
}

/**
 * A model in a module.
 * @param {any} module
 * @param {string} text
 * @param {number} batch
 */
function model(module, text, batch) {
  const bytes = new TextEncoder().encode(text);
  const room = module.bench_room(bytes.length);
  new Uint8Array(module.memory.buffer, room, bytes.length).set(bytes);
  return module.bench_open(room, bytes.length, batch);
}

/** @type {Record<string, Record<string, Record<string, number>>>} */
const medians = {};
/** @type {string[]} */
const failures = [];
console.log(["model".padEnd(14), "batch", ...WAYS.map(({ name }) => `${name} ms`.padStart(15)), "weights ms", "slowest".padEnd(20), "int8 × direct", "int8 × f32", "in integers", "off"].join("  "));
for (const [name, graph] of Object.entries(GRAPHS)) {
  for (const batch of BATCHES) {
    const text = JSON.stringify(graph);
    const handles = modules.map((module) => model(module, text, batch));
    const calls = ALL.map(({ module, arithmetic }) => () => modules[module].bench_run(handles[module], arithmetic));
    const groups = calls.map((call) => {
      let best = Infinity;
      for (const end = performance.now() + 200; performance.now() < end;) {
        const start = performance.now();
        call();
        best = Math.min(best, performance.now() - start);
      }
      return Math.ceil(SHORTEST / best);
    });
    /** @type {number[][]} */
    const ofRounds = ALL.map(() => []);
    /** Ratios of medians in each round: f32 direct and f32 over int8, and every way over f32. @type {number[][]} */
    const ratios = [[], [], ...ALL.map(() => [])];
    for (let round = 0; round < Number(rounds); round += 1) {
      /** @type {number[][]} */
      const times = ALL.map(() => []);
      const order = ALL.map((_, way) => way);
      if (round % 2 === 1) order.reverse();
      for (const end = performance.now() + SLICE; performance.now() < end || times[0].length < LEAST;) {
        for (const way of order) {
          const start = performance.now();
          for (let time = 0; time < groups[way]; time += 1) calls[way]();
          times[way].push((performance.now() - start) / groups[way]);
        }
      }
      const found = times.map((list) => Math.min(...list));
      found.forEach((time, way) => ofRounds[way].push(time));
      ratios[0].push(found[0] / found[2]);
      ratios[1].push(found[1] / found[2]);
      found.forEach((time, way) => ratios[2 + way].push(time / found[1]));
    }
    const of = ofRounds.map((list) => median(list));
    const [overDirect, over, ...beside] = ratios.map((list) => median(list));
    const costs = beside.slice(WAYS.length);
    const slowest = costs.indexOf(Math.max(...costs));
    ALL.forEach(({ name: way }, index) => {
      const most = index >= WAYS.length ? MOST.weights : way.startsWith("int8") ? MOST.integers : Infinity;
      if (beside[index] > most) failures.push(`${name}, batch ${batch}: ${way} takes ${beside[index].toFixed(2)} times as long as f32`);
    });
    const compared = modules[1].bench_compare(handles[1], 1);
    const percent = Math.floor(compared / 100);
    (medians[name] ??= {})[batch] = { ...Object.fromEntries(ALL.map((way, index) => [way.name, of[index]])), overDirect, over };
    const weights = [median(of.slice(WAYS.length)).toFixed(3).padStart(10), `${WEIGHTS[slowest]} ${costs[slowest].toFixed(2)}`.padEnd(20)];
    const cells = [...of.slice(0, WAYS.length).map((time) => time.toFixed(3).padStart(15)), ...weights, overDirect.toFixed(2).padStart(13), over.toFixed(2).padStart(10), `${percent} %`.padStart(11), (compared - 100 * percent).toFixed(4)];
    console.log([name.padEnd(14), String(batch).padStart(5), ...cells].join("  "));
  }
}
for (const failure of failures) console.log(`FAILED: ${failure}`);
console.log(JSON.stringify({ medians, failures }));
process.exitCode = failures.length > 0 ? 1 : 0;
