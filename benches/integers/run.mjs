// @ts-check
/**
 * @file Times the reference models in Node's V8 in five ways: f32 without and with Winograd, calibrated integers, dynamic integers, and
 * f32 with weights of four bits. The ways alternate call by call, every second round in the opposite order. Arguments: the module
 * without Winograd, the module with it, the number of rounds. The last line is one JSON object.
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
  { name: "int4 weights", module: 1, arithmetic: 3 },
];
const BATCHES = [64, 1];
/** Time for all ways of a model and a batch in one round, in ms, warm-up not counted. */
const SLICE = 600;
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
console.log(["model".padEnd(14), "batch", ...WAYS.map(({ name }) => `${name} ms`.padStart(15)), "int8 × direct", "int8 × f32", "in integers", "off"].join("  "));
for (const [name, graph] of Object.entries(GRAPHS)) {
  for (const batch of BATCHES) {
    const text = JSON.stringify(graph);
    const handles = modules.map((module) => model(module, text, batch));
    const calls = WAYS.map(({ module, arithmetic }) => () => modules[module].bench_run(handles[module], arithmetic));
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
    const ofRounds = WAYS.map(() => []);
    /** Ratios of medians in each round: int8 over f32 direct and over f32. @type {number[][]} */
    const ratios = [[], []];
    for (let round = 0; round < Number(rounds); round += 1) {
      /** @type {number[][]} */
      const times = WAYS.map(() => []);
      const order = WAYS.map((_, way) => way);
      if (round % 2 === 1) order.reverse();
      for (const end = performance.now() + SLICE; performance.now() < end || times[0].length < 3;) {
        for (const way of order) {
          const start = performance.now();
          for (let time = 0; time < groups[way]; time += 1) calls[way]();
          times[way].push((performance.now() - start) / groups[way]);
        }
      }
      const found = times.map((list) => median(list));
      found.forEach((time, way) => ofRounds[way].push(time));
      ratios[0].push(found[0] / found[2]);
      ratios[1].push(found[1] / found[2]);
    }
    const of = ofRounds.map((list) => median(list));
    const [overDirect, over] = ratios.map((list) => median(list));
    const compared = modules[1].bench_compare(handles[1], 1);
    const percent = Math.floor(compared / 100);
    (medians[name] ??= {})[batch] = { ...Object.fromEntries(WAYS.map((way, index) => [way.name, of[index]])), overDirect, over };
    const cells = [...of.map((time) => time.toFixed(3).padStart(15)), overDirect.toFixed(2).padStart(13), over.toFixed(2).padStart(10), `${percent} %`.padStart(11), (compared - 100 * percent).toFixed(4)];
    console.log([name.padEnd(14), String(batch).padStart(5), ...cells].join("  "));
  }
}
console.log(JSON.stringify({ medians }));
