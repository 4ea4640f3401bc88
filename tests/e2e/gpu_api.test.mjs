// @ts-check
/** @file The public API on the GPU as a page uses it: beside the one on the CPU, with calls that overlap, and where there is no GPU. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { gpuWish } from "./harness/gpu_wish.mjs";
import { launch, newPage } from "./harness/index.mjs";
import { serveFolders } from "./harness/static_server.mjs";

/** @typedef {typeof import("../../www/pkg/assay.js")} Assay */

const ROOT = new URL("../../", import.meta.url);

/** @type {import("puppeteer-core").Browser} */
let browser;
/** @type {{ origin: string, close: () => Promise<void> }} */
let server;
/** Why there is no GPU to test with, or "". */
let missing = "";
before(async () => {
  const folder = (/** @type {string} */ path) => fileURLToPath(new URL(path, ROOT));
  server = await serveFolders({ "/docs/api-example/": folder("docs/api-example/"), "/www/": folder("www/") });
  browser = await launch(undefined, { webgpu: true });
  missing = gpuWish() === "off" ? "ASSAY_GPU=off" : await withoutAdapter();
  if (gpuWish() === "require" && missing !== "") throw new Error(missing);
});
after(async () => {
  await browser.close();
  await server.close();
});

async function withoutAdapter() {
  const page = await opened(browser);
  const hasOne = await page.evaluate(async () => Boolean(await /** @type {any} */ (navigator).gpu?.requestAdapter()));
  return hasOne ? "" : "this browser gives no WebGPU adapter";
}

/**
 * A page with the module as `assay` and a small model's rows, ready to be evaluated in.
 *
 * @param {import("puppeteer-core").Browser} browser
 */
async function opened(browser) {
  const page = await newPage(browser);
  await page.goto(`${server.origin}/docs/api-example/`);
  await page.waitForFunction(() => document.querySelector("pre")?.textContent?.startsWith("{"));
  await page.evaluate(async () => {
    const assay = await import(`${location.origin}/www/pkg/assay.js`);
    await assay.default();
    const layers = [
      { name: "conv", type: "convolution", channels: 6, kernel: [3, 3], padding: [1, 1, 1, 1] },
      { name: "relu", type: "activation", function: "relu" },
      { name: "flatten", type: "flatten" },
      { name: "classes", type: "linear", units: 3 },
    ];
    const graph = JSON.stringify({ assay: "graph", version: 1, input: [1, 5, 5], layers });
    const input = Float32Array.from({ length: 40 * 25 }, (_, at) => ((at * 7919) % 101) / 50 - 1);
    const labels = Uint16Array.from({ length: 40 }, (_, row) => (row * 5) % 3);
    const distance = (/** @type {Float32Array} */ a, /** @type {Float32Array} */ b) =>
      Math.hypot(...a.map((value, at) => value - b[at])) / Math.hypot(...a);
    Object.assign(globalThis, { assay, graph, input, labels, distance, training: { steps: 8, batchSize: 16, learningRate: 0.01 } });
  });
  return page;
}

/**
 * A test that needs a GPU.
 *
 * @param {string} name
 * @param {(page: import("./harness/browsers.mjs").WatchedPage) => Promise<void>} check
 */
function onGpu(name, check) {
  test(name, async (context) => {
    if (missing !== "") {
      context.skip(missing);
      return;
    }
    const page = await opened(browser);
    await check(page);
    assert.deepEqual(page.problems, []);
    await page.close();
  });
}

onGpu("a model on the GPU answers, trains, is scored and exported as one on the CPU", async (page) => {
  const found = await page.evaluate(async () => {
    const { assay, graph, input, labels, distance, training } = /** @type {any} */ (globalThis);
    const cpu = assay.Model.create(graph, 7);
    const gpu = await assay.GpuModel.create(graph, 7, { batch: 16 });
    const info = gpu.info();
    const logits = distance(cpu.predict(input, 40), await gpu.predict(input, 40));
    // Room for the rows is made once.
    cpu.train(input, labels, { ...training, steps: 1 });
    await gpu.train(input, labels, { ...training, steps: 1 });
    const wanted = cpu.train(input, labels, training);
    const before = gpu.counts();
    const trained = await gpu.train(input, labels, training);
    const after = gpu.counts();
    const file = await gpu.exportWeights();
    const copy = assay.Model.load(graph, file);
    const again = await assay.GpuModel.load(graph, file);
    return {
      info, logits, wanted, trained,
      waits: after.synchronizations - before.synchronizations,
      dispatches: after.dispatches - before.dispatches,
      steps: gpu.info().steps,
      weights: distance(cpu.predict(input, 40), copy.predict(input, 40)),
      sabotage: distance(assay.Model.create(graph, 8).predict(input, 40), copy.predict(input, 40)),
      digests: [copy.weightsDigest(), await gpu.weightsDigest(), await again.weightsDigest()],
      scores: [copy.evaluate(input, labels, { confidence: 0.9 }), await again.evaluate(input, labels, { confidence: 0.9 })],
      kept: input.length,
    };
  });
  const { adapter, arithmetic, ...info } = found.info;
  assert.equal(typeof adapter, "string");
  assert.match(arithmetic, /^gpu-\d+$/);
  assert.deepEqual(info, {
    inputShape: [1, 5, 5], rowLength: 25, classes: 3, parameters: 513, macs: 1800, weightBytes: 2052, scheme: "f32", engine: "gpu", batch: 16, steps: 0,
  });
  // Sums of at most 150 terms in two layers: see tests/gpu/api.rs.
  assert.ok(found.logits < 1e-4 && found.weights < 1e-4, `${found.logits}, ${found.weights}`);
  assert.ok(found.sabotage > 1e-2, "other weights are far off");
  assert.deepEqual([found.trained.steps, found.trained.rows, found.trained.nonFinite, found.steps], [8, found.wanted.rows, null, 9]);
  assert.ok(Math.abs(found.trained.loss - found.wanted.loss) < 1e-4, `${found.trained.loss}, ${found.wanted.loss}`);
  assert.ok(found.waits <= 2 && found.dispatches >= 8, `${found.waits}, ${found.dispatches}`);
  assert.equal(new Set(found.digests).size, 1, found.digests.join());
  const [{ loss: wanted, ...cpu }, { loss, ...gpu }] = found.scores;
  assert.deepEqual(gpu, cpu);
  assert.ok(Math.abs(loss - wanted) < 1e-4);
  assert.equal(found.kept, 1000, "the caller keeps its array");
});

onGpu("calls that overlap are done one after the other, in their order", async (page) => {
  const { apart, together } = await page.evaluate(async () => {
    const { assay, graph, input, labels, training } = /** @type {any} */ (globalThis);
    const [one, other] = await Promise.all([assay.GpuModel.create(graph, 7), assay.GpuModel.create(graph, 7)]);
    const apart = [];
    apart.push((await one.train(input, labels, training)).loss, (await one.train(input, labels, training)).loss);
    apart.push(...(await one.predict(input, 40)), (await one.train(input, labels, training)).loss);
    const [first, second, logits, third] = await Promise.all([
      other.train(input, labels, training), other.train(input, labels, training), other.predict(input, 40), other.train(input, labels, training),
    ]);
    return { apart, together: [first.loss, second.loss, ...logits, third.loss] };
  });
  assert.equal(together.length, 123);
  const off = Math.max(...apart.map((value, at) => Math.abs(value - together[at])));
  assert.ok(off < 1e-5, `off by ${off}`);
  assert.ok(Math.abs(apart[0] - apart[1]) > 1e-3, "another order would be seen");
});

onGpu("a freed model ends its running call and refuses the others in words", async (page) => {
  const found = await page.evaluate(async () => {
    const { assay, graph, input, labels, training } = /** @type {any} */ (globalThis);
    const told = (/** @type {any} */ error) => `${error instanceof assay.AssayError} ${error.kind} ${error.message}`;
    const model = await assay.GpuModel.create(graph, 7);
    const running = model.train(input, labels, training);
    const waiting = model.predict(input, 40).then(String, told);
    // Until the first has begun, all of them wait.
    await new Promise((resolve) => setTimeout(resolve));
    model.free();
    model.free();
    const late = await model.predict(input, 40).then(String, told);
    const info = (() => { try { return String(model.info()); } catch (error) { return told(error); } })();
    return { running: (await running).steps, refused: [await waiting, late, info] };
  });
  assert.equal(found.running, 8);
  for (const words of found.refused) assert.match(words, /^true bad-input the model.*freed/);
});

onGpu("what is wrong rejects with an AssayError whose kind is stable and whose message names it", async (page) => {
  const cases = await page.evaluate(async () => {
    const { assay, graph, input, labels, training } = /** @type {any} */ (globalThis);
    const model = await assay.GpuModel.create(graph, 7);
    const nan = input.slice();
    nan[25] = NaN;
    const stored = await assay.GpuModel.create(graph, 7, { scheme: "f16" });
    /** @type {[string, () => Promise<any>][]} */
    const attempts = [
      ["bad-input graph", () => assay.GpuModel.create("{", 1)],
      ["bad-input truncated", () => assay.GpuModel.load(graph, new Uint8Array())],
      ["unsupported \"cpu\"", () => assay.GpuModel.create(graph, 1, { engine: "cpu" })],
      ["bad-input \"sceme\"", () => assay.GpuModel.create(graph, 1, { sceme: "f16" })],
      ["bad-input seed", () => assay.GpuModel.create(graph, 1.5)],
      ["bad-input 3 rows", () => model.predict(input, 3)],
      ["bad-input row 1 of input", () => model.predict(nan, 40)],
      ["bad-input row 1 of input", () => model.evaluate(nan, labels)],
      ["bad-input row 1 of input", () => model.train(nan, labels, training)],
      ["bad-input label of row 0", () => model.evaluate(input, labels.map(() => 3))],
      ["bad-input steps", () => model.train(input, labels, { ...training, steps: 0 })],
      ["unsupported stored model", () => stored.train(input, labels, training)],
    ];
    const told = [];
    for (const [expected, attempt] of attempts) {
      const error = await attempt().then(() => ({ kind: "none", message: "" }), (error) => error);
      told.push({ expected, found: `${error.kind} ${error.message}`, isOurs: error instanceof assay.AssayError });
    }
    const after = await model.predict(input, 40);
    const huge = await model.train(new Float32Array(25).fill(3e38), new Uint16Array(1), { ...training, steps: 1, batchSize: 1 });
    return { told, after: after.length, huge: [Number.isNaN(huge.loss), huge.steps, huge.nonFinite] };
  });
  for (const { expected, found, isOurs } of cases.told) {
    const [kind, ...words] = expected.split(" ");
    assert.ok(isOurs && found.startsWith(`${kind} `) && found.includes(words.join(" ")), `${expected}: ${found}`);
  }
  assert.equal(cases.after, 120, "the model is as good as before");
  assert.deepEqual(cases.huge, [true, 0, 1], "a loss that is not finite is a number, not null");
});

test("without WebGPU it says why and what to try", async () => {
  const plain = await launch();
  try {
    const page = await opened(plain);
    const [kind, message] = await page.evaluate(async () => {
      const { assay, graph } = /** @type {any} */ (globalThis);
      const error = await assay.GpuModel.create(graph, 1).then(() => ({}), (/** @type {any} */ error) => error);
      return [error.kind, error.message];
    });
    assert.equal(kind, "unsupported", message);
    assert.match(message, /^the GPU is not supported: .*(WebGPU|adapter).*(Model|Chrome)/);
  } finally {
    await plain.close();
  }
});
