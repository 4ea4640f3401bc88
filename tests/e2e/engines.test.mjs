// @ts-check
/** @file Without a GPU everything works and the reason is said with what to try; and what every view shows of engines, from records that no GPU made. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { everybodyCanUse } from "./everybody.mjs";
import { addGpuRecords } from "./gpu_records.mjs";
import { browserName, launch, servePage } from "./harness/index.mjs";
import { goTo, open, press, run, says, smallRecipe, text, useRecipe, waitFor } from "./person.mjs";

/** @typedef {import("./person.mjs").Page} Page */

/** @type {import("puppeteer-core").Browser} */
let browser;
/** @type {{ url: string, close: () => Promise<void> }} */
let server;
/** @type {Page} */
let page;
/** @type {Record<string, string>} */
let digests;
before(async () => {
  browser = await launch();
  server = await servePage();
});
after(async () => {
  await browser.close();
  await server.close();
});

/** Chromium here has the API and no adapter, Firefox has no API. */
const MISSING = browserName() === "firefox" ? { short: /not offered by this browser/, clause: /this browser offers no WebGPU/ } : { short: /no adapter found/, clause: /the browser found no WebGPU adapter/ };

test("without a GPU the page says why and what to try, and a recipe that asks for one is run on the CPU", async () => {
  page = await open(browser, server.url, { query: "?test" });
  await says(page, new RegExp(`WebGPU: ${MISSING.short.source}`), { within: "assay-surroundings" });
  for (const engine of ["gpu", "auto"]) {
    await useRecipe(page, await smallRecipe(page, { execution: { engine } }));
    await says(page, new RegExp(`No GPU here: ${MISSING.short.source}\\. The CPU will do it`), { within: "assay-recipe-form" });
    const record = await run(page);
    const { execution } = record.results;
    assert.deepEqual([record.status, record.environment.engine, execution.asked, execution.engine], ["complete", "cpu", engine, "cpu"]);
    assert.match(record.environment.arithmetic, /^cpu-/);
    assert.match(execution.reason, MISSING.clause);
    assert.equal(record.results.agreement, undefined);
    await says(page, MISSING.clause, { within: "assay-this-run" });
  }
  await press(page, "Why there is no GPU, and what to try", "assay-recipe-form");
  await says(page, /Everything works without it.*(block list|current browser).*On Linux/, { within: "dialog[open]" });
  await says(page, /cpu is exact.*gpu is WebGPU.*auto times both/, { within: "dialog[open]" });
  await press(page, "Close", "dialog[open]");
  assert.deepEqual(page.problems, []);
});

test("a recipe for a GPU that is run on the CPU has the very digests of the one for the CPU", async () => {
  await useRecipe(page, await smallRecipe(page, { execution: { engine: "gpu" } }));
  const asked = await run(page);
  await press(page, /^Default/, "assay-recipe-form");
  await useRecipe(page, await smallRecipe(page));
  const plain = await run(page);
  assert.equal(plain.recipe.execution, undefined);
  assert.equal(plain.results.execution, undefined);
  assert.notEqual(plain.recipe_digest, asked.recipe_digest);
  assert.deepEqual({ ...plain.digests }, { ...asked.digests });
  digests = await addGpuRecords(page, plain);
});

test("a run says what it ran on, whether the engines agree, and what answers cost on both", async () => {
  await says(page, "engines agree", { within: "assay-this-run" });
  await press(page, /^Engine GPU/, "assay-this-run");
  await says(page, /NVIDIA.*auto: a training step takes.*kernels a training step.*from 16 rows per call on/, { within: "assay-this-run" });
  await says(page, /The same weights on the CPU: accuracy .*, 1 of \d+ answers different/, { within: "assay-this-run" });
  const engines = "assay-figures [data-figure=engines]";
  await says(page, /The GPU answers sooner than the CPU from 16 rows per call on/, { within: engines });
  await press(page, "Table", engines);
  const rows = await waitFor(page, "the table", (engines) => [...document.querySelectorAll(`${engines} tbody tr`)].map((row) => row.textContent), { args: [engines] });
  assert.equal(rows.length, 9);
  await press(page, "Table", engines);
  assert.deepEqual(await everybodyCanUse(page, "a run on a GPU"), []);
});

test("a mixed run tells its parts", async () => {
  await page.evaluate((digest) => /** @type {any} */ (globalThis).assay.runs.showRecord(digest), digests.mixed);
  await says(page, /Engine mixed/, { within: "assay-this-run" });
  await says(page, /GPU, batch 64: epoch 1.*CPU, batch 64: epoch 2; the GPU ran out of memory/, { within: "assay-this-run" });
});

test("where the engine disagrees the accuracy is struck, and the run can be no baseline anywhere", async () => {
  const struck = (/** @type {string} */ within) => waitFor(page, `a struck accuracy in ${within}`, (within) => document.querySelector(`${within} s.struck`)?.textContent, { args: [within] });
  await page.evaluate((digest) => /** @type {any} */ (globalThis).assay.runs.showRecord(digest), digests.disagrees);
  await says(page, "engine disagrees", { within: "assay-this-run" });
  assert.match(await struck("assay-this-run"), /does not count.*%/s);
  await struck("assay-last-runs");
  await press(page, "Keep as base", "assay-this-run");
  await says(page, "It cannot be the baseline", { within: "assay-this-run" });
  assert.deepEqual(await everybodyCanUse(page, "a run that disagrees"), []);
  await goTo(page, "Runs");
  await page.type("#runs-filter", "is:disagrees");
  await says(page, /^1 of \d+ runs$/, { within: "assay-runs-view [role=status]" });
  await says(page, "engine disagrees", { within: "assay-run-table" });
  await struck("assay-run-table");
  await page.evaluate(() => /** @type {HTMLElement} */ (document.querySelector("assay-run-table .run-pin")).click());
  await page.evaluate(() => /** @type {HTMLElement} */ (document.querySelector("assay-run-table tbody .first button")).click());
  await says(page, /answers after training.*test rows/, { within: "assay-run-details" });
  await press(page, "Pin as baseline", "assay-run-details");
  await struck("assay-run-details");
  assert.deepEqual(await everybodyCanUse(page, "the details of a run that disagrees"), []);
  assert.equal(await page.evaluate(() => /** @type {any} */ (globalThis).assay.store.state.baseline), null);
});

test("a comparison with it warns, judges nothing that was measured, and shows where each GPU is sooner", async () => {
  await page.evaluate(({ gpu, disagrees }) => void (location.hash = `#/compare/${gpu}/${disagrees}`), digests);
  await says(page, /The GPU of B disagrees with the CPU: the figures of B do not count/, { within: "assay-compare-view [role=alert]" });
  await says(page, /Engines.*A GPU, NVIDIA.*from 16 rows per call on.*B GPU/, { within: "assay-compare-view" });
  const verdicts = await page.evaluate(() => [...document.querySelectorAll(".compare-metrics .delta")].map((each) => each.getAttribute("data-verdict")));
  // Accuracy, loss and two latencies were measured; size, parameters and MACs are counted, whatever a GPU does.
  const doubtful = "can't tell";
  assert.deepEqual(verdicts, [doubtful, doubtful, doubtful, doubtful, "equal", "equal", "equal"]);
  assert.deepEqual(await everybodyCanUse(page, "a comparison with a run that disagrees"), []);
  assert.match(await text(page, "assay-compare-view"), /Swap A and B/);
  assert.deepEqual(page.problems, []);
});
