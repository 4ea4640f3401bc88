// @ts-check
/** @file How the form groups fields and says them in a few words; what a browser is told that lacks something. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { rangeWords, sectionsOf, sectionWords, valueAt, valueOf } from "../../www/recipe_words.js";
import { browserFrom, clockMicrosOf, missingFrom, surroundingsSentences } from "../../www/surroundings.js";

/** @import { Field } from "../../www/types.js" */

/**
 * @param {string} path
 * @param {Partial<Field>} [change]
 * @returns {Field}
 */
const field = (path, change = {}) => ({ path, label: path, help: "", unit: "", kind: { type: "integer", min: 1, max: 9, step: 1 }, default: null, onlyWhen: null, ...change });

test("groups fields by section and leaves out those of another family", () => {
  const fields = [
    field("data.set"),
    field("split.test"),
    field("architecture.family"),
    field("architecture.depth", { onlyWhen: ["architecture.family", ["mlp", "vit"]] }),
    field("architecture.kernel", { onlyWhen: ["architecture.family", ["lenet"]] }),
    field("later_section.field"),
    field("execution.engine"),
    field("execution.on_gpu_loss", { onlyWhen: ["execution.engine", ["gpu", "auto"]] }),
    field("seed"),
  ];
  const sections = sectionsOf(fields, { architecture: { family: "mlp" } });
  assert.deepEqual(
    sections.map(({ title, fields: members }) => [title, members.map(({ path }) => path)]),
    [
      ["Data", ["data.set", "split.test"]],
      ["Architecture", ["architecture.family", "architecture.depth"]],
      ["Later section", ["later_section.field"]],
      ["Execution", ["execution.engine"]],
      ["Seed", ["seed"]],
    ],
  );
});

test("asks what follows a lost GPU only where one is asked for", () => {
  const fields = [field("execution.engine"), field("execution.on_gpu_loss", { onlyWhen: ["execution.engine", ["gpu", "auto"]] })];
  const shown = (/** @type {object} */ recipe) => sectionsOf(fields, recipe)[0]?.fields.length;
  assert.deepEqual([shown({}), shown({ execution: { engine: "gpu" } }), shown({ execution: { engine: "auto" } })], [1, 2, 2]);
});

test("shows what a single layer's scheme decides as well, but for padding, which it always has", () => {
  const fields = [
    field("quantization.rows", { onlyWhen: ["quantization.scheme", ["Q4_0"]] }),
    field("quantization.calibration", { onlyWhen: ["quantization.scheme", ["int8"]] }),
  ];
  const shown = (/** @type {object} */ quantization) => sectionsOf(fields, { quantization }).flatMap(({ fields: members }) => members.map(({ path }) => path));
  assert.deepEqual(shown({ scheme: "f32", layers: { dense: "int4" } }), []);
  assert.deepEqual(shown({ scheme: "f32", layers: { dense: "Q4_0", conv1: "int8" } }), ["quantization.calibration"]);
  assert.deepEqual(shown({ scheme: "Q4_0" }), ["quantization.rows"]);
});

test("finds values by path, and nothing where there is none", () => {
  assert.equal(valueAt({ a: { b: 0 } }, "a.b"), 0);
  assert.equal(valueAt({}, "a.b.c"), undefined);
});

test("an optional field that is not there has its default", () => {
  const pooling = field("architecture.pooling", { default: "max" });
  assert.equal(valueOf(pooling, { architecture: {} }), "max");
  assert.equal(valueOf(pooling, { architecture: { pooling: "average" } }), "average");
  assert.equal(valueOf(field("seed"), {}), null);
});

test("says a range with its unit and its steps", () => {
  assert.equal(rangeWords(field("x", { unit: "px", kind: { type: "integer", min: 1, max: 7, step: 2 } })), "1 to 7 px, in steps of 2");
  assert.equal(rangeWords(field("x", { kind: { type: "number", min: 0.05, max: 0.5 } })), "0.05 to 0.5");
  assert.equal(rangeWords(field("x", { kind: { type: "choice", options: ["a"] } })), "");
});

test("says a section in a few words, also where the recipe is incomplete", () => {
  assert.equal(sectionWords("Data", { data: { set: "digits" }, split: { validation: 0.2, test: 0.2 } }), "digits · 60/20/20");
  assert.equal(sectionWords("Data", { data: { set: "digits" } }), "digits · ?/?/?");
  const architecture = (/** @type {object} */ value) => sectionWords("Architecture", { architecture: value });
  assert.equal(architecture({ family: "lenet", channels: 16, kernel: 3 }), "lenet · 16 ch · 3×3");
  assert.equal(architecture({ family: "vit", depth: 3, width: 32 }), "vit · 3 × 32");
  assert.equal(architecture({ family: "graph", graph: { layers: [{}, {}] } }), "graph · 2 layers");
  assert.equal(sectionWords("Architecture", {}), "");
});

test("names each thing that a browser lacks in a sentence with the next step", () => {
  assert.deepEqual(missingFrom({ WebAssembly, Worker: class {} }), []);
  assert.match(missingFrom({ Worker: class {} })[0] ?? "", /WebAssembly/);
  assert.match(missingFrom({ WebAssembly: { validate: () => false }, Worker: class {} })[0] ?? "", /SIMD.*Update the browser/);
  assert.match(missingFrom({ WebAssembly })[0] ?? "", /Worker/);
});

test("tells the family and major version of browsers, and nothing finer", () => {
  /** @type {[string, string, string][]} */
  const agents = [
    ["Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox", "140"],
    ["Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.7390.54 Safari/537.36", "Chrome", "141"],
    ["Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/141.0.0.0 Safari/537.36", "Chrome", "141"],
    ["Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0", "Edge", "141"],
    ["Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15", "Safari", "18"],
    ["something else", "unknown", ""],
  ];
  for (const [userAgent, browser, browserVersion] of agents) {
    assert.deepEqual(browserFrom(/** @type {any} */ ({ userAgent })), { browser, browserVersion });
  }
});

test("says that the clock is coarse and why, where the host sends no isolation headers", () => {
  const surroundings = { browser: "Firefox", browserVersion: "140", cores: 8, isolated: false, clockMicros: 1000, adapter: "", adapterMissing: "no adapter found", adapterSlow: false, gpuMissing: "", gpuAdvice: "Update the driver.", lacks: [] };
  assert.match(surroundingsSentences(surroundings).join(" "), /1000 µs.*COOP and COEP.*/);
  assert.match(surroundingsSentences(surroundings).join(" "), /no adapter found.*run on the CPU.*Update the driver/);
  assert.doesNotMatch(surroundingsSentences({ ...surroundings, isolated: true, clockMicros: 20 }).join(" "), /COOP/);
});

test("measures the smallest step of a clock", () => {
  let reads = 0;
  assert.equal(clockMicrosOf(() => Math.floor((reads += 1) / 3) * 0.1), 100);
});
