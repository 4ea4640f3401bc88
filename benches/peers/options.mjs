// @ts-check
/** @file The command line of the bench: reads it and refuses what it does not know. */

/** @import { Measure } from "./engines.mjs" */

/**
 * @typedef {object} Options
 * @property {number} rounds
 * @property {string[]} models
 * @property {string[]} engines
 * @property {Measure[]} measures
 * @property {number} budget
 * @property {number} least calls at least in each timing
 * @property {number} steps of a training call
 * @property {"swiftshader" | "default"} adapter which GPU Chromium takes
 * @property {boolean} json
 */

/** @type {Measure[]} */
const MEASURES = ["infer", "train"];
const ADAPTERS = ["swiftshader", "default"];

/**
 * Engines on the GPU and those in integers run only where `--gpu`, `--int8` or their names ask for them.
 *
 * @param {string[]} words
 * @param {{ models: string[], engines: string[], gpu: string[], int8: string[] }} known `gpu`: those of the engines that need one; `int8`:
 *   those that compute in integers
 * @returns {Options}
 */
export function readOptions(words, known) {
  /** @type {Options} */
  const options = {
    rounds: 3,
    models: known.models,
    engines: known.engines.filter((engine) => ![...known.gpu, ...known.int8].includes(engine)),
    measures: MEASURES,
    budget: 800,
    least: 3,
    steps: 2,
    adapter: "swiftshader",
    json: false,
  };
  const rest = words.flatMap((word) => (/^--[a-z]+=/.test(word) ? [word.slice(0, word.indexOf("=")), word.slice(word.indexOf("=") + 1)] : [word]));
  while (rest.length > 0) {
    const word = /** @type {string} */ (rest.shift());
    if (word === "--json") {
      options.json = true;
      continue;
    }
    if (word === "--gpu") {
      options.engines = known.gpu;
      continue;
    }
    if (word === "--int8") {
      options.engines = known.int8;
      continue;
    }
    const value = rest.shift();
    if (value === undefined) throw new Error(`${word} needs a value`);
    if (word === "--rounds") options.rounds = whole(word, value);
    else if (word === "--budget") options.budget = whole(word, value);
    else if (word === "--least") options.least = whole(word, value);
    else if (word === "--steps") options.steps = whole(word, value);
    else if (word === "--adapter") options.adapter = /** @type {Options["adapter"]} */ (chosen(word, value, ADAPTERS)[0]);
    else if (word === "--models") options.models = chosen(word, value, known.models);
    else if (word === "--engines") options.engines = chosen(word, value, known.engines);
    else if (word === "--measures") options.measures = /** @type {Measure[]} */ (chosen(word, value, MEASURES));
    else throw new Error(`there is no option ${word}; there are --rounds, --models, --engines, --gpu, --int8, --adapter, --measures, --budget, --least, --steps and --json`);
  }
  return options;
}

/**
 * @param {string} option
 * @param {string} value
 */
function whole(option, value) {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1) throw new Error(`${option} expects a whole number from 1 on, got ${value}`);
  return number;
}

/**
 * @param {string} option
 * @param {string} value
 * @param {string[]} known
 */
function chosen(option, value, known) {
  const names = value.split(",");
  const stranger = names.find((name) => !known.includes(name));
  if (stranger !== undefined) throw new Error(`${option}: there is no ${stranger}; there are ${known.join(", ")}`);
  return known.filter((name) => names.includes(name));
}
