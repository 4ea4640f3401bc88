// @ts-check
/** @file The documented example of the public API, served as it stands: it must come to the committed digests here too. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { launch, newPage } from "./harness/index.mjs";
import { serveFolders } from "./harness/static_server.mjs";

const ROOT = new URL("../../", import.meta.url);

/** @type {import("puppeteer-core").Browser} */
let browser;
/** @type {{ origin: string, close: () => Promise<void> }} */
let server;
before(async () => {
  const folder = (/** @type {string} */ path) => fileURLToPath(new URL(path, ROOT));
  server = await serveFolders({ "/docs/api-example/": folder("docs/api-example/"), "/www/": folder("www/") });
  browser = await launch();
});
after(async () => {
  await browser.close();
  await server.close();
});

test("a page with nothing of Assay's own makes, trains, scores, exports and loads a model", async () => {
  const page = await newPage(browser);
  await page.goto(`${server.origin}/docs/api-example/`);
  await page.waitForFunction(() => document.querySelector("pre")?.textContent?.startsWith("{"));
  const text = await page.evaluate(() => document.querySelector("pre")?.textContent ?? "");
  assert.deepEqual(page.problems, []);
  const { info, weights, predictionsDigest, accuracy, trained } = JSON.parse(text);
  const golden = JSON.parse(await readFile(new URL("tests/golden/api-example.json", ROOT), "utf8"));
  assert.deepEqual({ arithmetic: info.arithmetic, predictions: predictionsDigest, weights }, golden);
  assert.ok(accuracy > 0.98);
  assert.equal(trained.nonFinite, null);
});

test("a pool of Workers answers as one does, whatever their number", async () => {
  const page = await newPage(browser);
  await page.goto(`${server.origin}/docs/api-example/`);
  const found = await page.evaluate(poolAnswers);
  assert.deepEqual(page.problems, []);
  assert.equal(found.length, 3);
  for (const { evaluation, digests } of found) {
    assert.deepEqual(evaluation, found[0].evaluation);
    assert.deepEqual(digests, found[0].digests);
  }
});

/** Runs in the page: scores rows and sweeps over seeds with one, two and three Workers. */
async function poolAnswers() {
  /** @type {typeof import("../../www/worker_pool.js")} */
  const { WorkerPool } = await import(`${location.origin}/www/worker_pool.js`);
  const graph = JSON.stringify({ assay: "graph", version: 1, input: [1, 4, 4], layers: [{ name: "flatten", type: "flatten" }, { name: "classes", type: "linear", units: 4 }] });
  const input = Float32Array.from({ length: 100 * 16 }, (_, at) => Math.fround(((at * 7919) % 101) / 101));
  const rows = { input, labels: Uint16Array.from({ length: 100 }, (_, row) => row % 4) };
  const jobs = [1, 2, 3, 4].map((seed) => ({ graph, weights: seed, training: { steps: 5, batchSize: 32, learningRate: 0.01, seed } }));
  const found = [];
  for (const workers of [1, 2, 3]) {
    const pool = new WorkerPool({ workers });
    await pool.create(graph, 1);
    const evaluation = await pool.evaluate(rows.input, rows.labels);
    const runs = await pool.sweep(rows, rows, jobs);
    pool.close();
    found.push({ evaluation, digests: runs.map(({ weightsDigest, evaluation: { predictionsDigest } }) => [weightsDigest, predictionsDigest]) });
  }
  return found;
}
