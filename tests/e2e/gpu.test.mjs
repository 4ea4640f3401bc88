// @ts-check
/** @file A run on a GPU as a person makes it: choose it, train, measure, log, link, check the link; lose the GPU in the middle and go on. Chromium's software adapter stands in for a GPU. */

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { everybodyCanUse } from "./everybody.mjs";
import { browserName, launch, notRun, servePage } from "./harness/index.mjs";
import { copied, goTo, open, press, records, run, runIsOver, says, smallRecipe, text, useRecipe, waitFor } from "./person.mjs";

/** @typedef {import("./person.mjs").Page} Page */

const skip = browserName() !== "chromium";
if (skip) notRun("runs on a GPU", "this Firefox offers WebGPU by a preference only, which a person has not set");

/** @type {import("puppeteer-core").Browser} */
let browser;
/** @type {import("puppeteer-core").BrowserContext} */
let profile;
/** @type {{ url: string, close: () => Promise<void> }} */
let server;
before(async () => {
  if (skip) return;
  browser = await launch("chromium", { webgpu: true });
  server = await servePage();
  profile = await browser.createBrowserContext();
});
afterEach(async () => {
  for (const page of (await profile?.pages()) ?? []) await page.close();
});
after(async () => {
  await browser?.close();
  await server?.close();
});

/** Long enough to lose the GPU in the middle, few enough steps to end soon on it. */
const LONG = { training: { epochs: 40, batch_size: 64 }, evaluation: { latency_secs: 0.05 } };

/** @param {Page} page @param {string} label @param {string} value */
function choose(page, label, value) {
  return waitFor(
    page,
    `${label} can be set to ${value}`,
    (label, value) => {
      const found = [...document.querySelectorAll("assay-recipe-form label")].find((each) => each.textContent?.trim().endsWith(label));
      const select = found && /** @type {HTMLSelectElement | null} */ (document.getElementById(found.getAttribute("for") ?? ""));
      if (!select) return false;
      select.value = value;
      select.dispatchEvent(new Event("change", { bubbles: true }));
      return select.value === value;
    },
    { args: [label, value] },
  );
}

/** Takes the GPU away as soon as an epoch has ended on it. @param {Page} page */
async function loseGpu(page) {
  await waitFor(page, "an epoch has ended on the GPU", () => /** @type {any} */ (globalThis).assay.runs.live?.curve.length > 0);
  await page.evaluate(() => /** @type {any} */ (globalThis).assay.lab.command({ type: "loseGpu" }).done);
}

/** The record of the run that has just ended; a resumed one has begun when the interrupted one did. @param {Page} page */
async function newest(page) {
  await runIsOver(page);
  const all = await records(page);
  return /** @type {Record<string, any>} */ (all.filter(({ status }) => status !== "interrupted").at(-1));
}

/** @type {Record<string, any>} */
let first;
let link = "";

test("a person chooses the GPU, sees what it runs on, and gets a record whose engines agree", { skip }, async () => {
  const page = await open(profile, server.url);
  await says(page, /WebGPU: .*swiftshader.*software/i, { within: "assay-surroundings" });
  await useRecipe(page, await smallRecipe(page));
  assert.doesNotMatch(await text(page, "assay-recipe-form"), /If the GPU is lost/);
  await choose(page, "Engine", "gpu");
  await says(page, "If the GPU is lost", { within: "assay-recipe-form" });
  await says(page, /far slower than the CPU; checked against the CPU/, { within: "assay-recipe-form" });
  await press(page, "Run");
  await says(page, /GPU .*swiftshader.*batch 64/i, { within: "assay-progress" });
  first = await newest(page);
  const { execution, agreement, breakdown, accuracy } = first.results;
  assert.deepEqual([first.status, first.environment.engine, execution.asked, execution.engine], ["complete", "gpu", "gpu", "gpu"]);
  assert.match(first.environment.arithmetic, /^gpu-/);
  assert.match(execution.gpu.adapter, /swiftshader/i);
  assert.ok(execution.gpu.dispatches_per_step > 0 && execution.gpu.pipelines > 0);
  assert.equal(agreement.agrees, true);
  for (const probe of agreement.probes) assert.ok(probe.within && probe.max_relative <= probe.tolerance, JSON.stringify(probe));
  assert.ok(agreement.probes.some((/** @type {any} */ { name, rows }) => name === "test rows" && rows === accuracy.total));
  assert.ok(breakdown.batches.length > 0 && breakdown.batches[0].gpu_millis > 0);
  await says(page, "engines agree", { within: "assay-this-run" });
  await waitFor(page, "the chart of both engines", () => document.querySelector("assay-figures [data-figure=engines] svg"));
  await press(page, /^Engine GPU/, "assay-this-run");
  await says(page, /test rows/, { within: "assay-this-run" });
  await press(page, "Keep as base", "assay-this-run");
  await press(page, "Copy link", "assay-this-run");
  link = await copied(page);
  await goTo(page, "Runs");
  await page.type("#runs-filter", "engine:gpu");
  await says(page, "1 run", { within: "assay-runs-view [role=status]" });
  assert.deepEqual(page.problems, []);
});

test("whoever opens its link reads that it was a GPU's, and a re-run is within tolerance", { skip }, async () => {
  const elsewhere = await browser.createBrowserContext();
  const page = await open(elsewhere, link);
  await says(page, /engine gpu/, { within: "assay-claim-banner" });
  const checked = await run(page, { button: "Run it here" });
  const verdict = await waitFor(page, "the verdict", () => /** @type {HTMLElement | null} */ (document.querySelector("[data-verdict]"))?.dataset.verdict);
  const equal = JSON.stringify(checked.digests) === JSON.stringify(first.digests);
  assert.ok(verdict === "within tolerance" || (verdict === "reproduced" && equal), `${verdict}, digests ${equal ? "equal" : "differ"}`);
  assert.deepEqual(page.problems, []);
  await elsewhere.close();
});

test("auto times both engines, and the record says what it chose and why", { skip }, async () => {
  const page = await open(profile, server.url);
  await useRecipe(page, await smallRecipe(page, { execution: { engine: "auto" } }));
  const record = await run(page);
  const { execution, breakdown } = record.results;
  assert.deepEqual([execution.asked, execution.engine, record.environment.engine], ["auto", "cpu", "cpu"], "a software adapter is slower than the CPU");
  assert.ok(execution.trial.cpu_step_millis > 0 && execution.trial.gpu_step_millis > execution.trial.cpu_step_millis, JSON.stringify(execution.trial));
  assert.match(execution.reason, /a training step takes .* on the CPU and .* on the GPU/);
  assert.equal(breakdown, undefined);
  await says(page, /a training step takes .* on the CPU/, { within: "assay-this-run" });
  assert.deepEqual(page.problems, []);
});

test("a lost GPU is told with what was kept, and the run goes on on the CPU when the person says so", { skip }, async () => {
  const page = await open(profile, server.url, { query: "?test" });
  await useRecipe(page, await smallRecipe(page, { ...LONG, execution: { engine: "gpu" } }));
  await press(page, "Run");
  await loseGpu(page);
  await says(page, /device was lost.*Kept epoch \d+\. Continue on the CPU or retry at 32\./, { within: "[role=alertdialog]" });
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), "Continue on the CPU");
  assert.deepEqual(await everybodyCanUse(page, "the lost GPU"), []);
  await says(page, "Waiting for you", { within: "assay-progress" });
  const kept = await page.evaluate(() => /** @type {any} */ (globalThis).assay.runs.live.gpuLost.epoch);
  await page.keyboard.press("Enter");
  await waitFor(page, "the question is gone", () => document.querySelector("[role=alertdialog]") === null);
  const record = await newest(page);
  const { execution, training } = record.results;
  assert.deepEqual([record.status, record.environment.engine, training.curve.length], ["complete", "mixed", 40]);
  assert.deepEqual(execution.parts.map((/** @type {any} */ { engine, first_epoch: from }) => [engine, from]), [["gpu", 1], ["cpu", kept + 1]]);
  await says(page, /Engine mixed/, { within: "assay-this-run" });
  await press(page, /^Engine mixed/, "assay-this-run");
  await says(page, new RegExp(`CPU, batch 64: epochs ${kept + 1} to 40; .*device was lost`), { within: "assay-this-run" });
  assert.deepEqual(page.problems, []);
});

test("a run that waits without its GPU can be stopped, and keeps what was measured", { skip }, async () => {
  const page = await open(profile, server.url, { query: "?test" });
  await useRecipe(page, await smallRecipe(page, { ...LONG, execution: { engine: "gpu" } }));
  await press(page, "Run");
  await loseGpu(page);
  await press(page, "Stop and keep", "[role=alertdialog]");
  const record = await newest(page);
  assert.equal(record.status, "stopped");
  assert.ok(record.results.training.curve.length > 0);
  assert.equal(await page.evaluate(() => document.querySelector("[role=alertdialog]")), null);
  assert.deepEqual(page.problems, []);
});

for (const [choice, words, parts] of /** @type {const} */ ([
  ["cpu", /The run goes on on the CPU, as its recipe says/, [["gpu", 64], ["cpu", 64]]],
  ["smaller batch", /The run goes on at batch 32, as its recipe says/, [["gpu", 64], ["gpu", 32]]],
])) {
  test(`where the recipe decides (${choice}), nobody is asked, and a message says what happened`, { skip }, async () => {
    const page = await open(profile, server.url, { query: "?test" });
    await useRecipe(page, await smallRecipe(page, { ...LONG, execution: { engine: "gpu", on_gpu_loss: choice } }));
    await press(page, "Run");
    await loseGpu(page);
    await says(page, words, { within: "assay-notices" });
    const record = await newest(page);
    assert.deepEqual([record.status, record.environment.engine], ["complete", "mixed"]);
    assert.deepEqual(record.results.execution.parts.map((/** @type {any} */ { engine, batch_size: batch }) => [engine, batch]), parts);
    assert.deepEqual(page.problems, []);
  });
}

test("a reload in the middle of a GPU's run leaves it resumable, and it ends on the GPU", { skip }, async () => {
  const page = await open(profile, server.url, { query: "?test" });
  await useRecipe(page, await smallRecipe(page, { ...LONG, execution: { engine: "gpu" } }));
  await press(page, "Run");
  await waitFor(page, "two epochs", () => /** @type {any} */ (globalThis).assay.runs.live?.curve.length > 1);
  await page.reload();
  await says(page, /Epoch \d+ of 40 is kept; the run goes on from there/, { within: "assay-interrupted" });
  await waitFor(page, "the lab is ready", () => document.querySelector("button.run:not([disabled])"));
  await press(page, "Resume", "assay-interrupted");
  await waitFor(page, "the run goes on", () => document.querySelector("assay-progress progress") !== null);
  const record = await newest(page);
  assert.deepEqual([record.status, record.environment.engine, record.results.training.curve.length], ["complete", "gpu", 40]);
  assert.match(record.resumed_from ?? "", /^[0-9a-f]{64}$/);
  assert.equal(record.results.agreement.agrees, true);
});

test("a worker that dies while a run waits for a decision leaves it resumable, and nothing to decide", { skip }, async () => {
  const page = await open(profile, server.url, { query: "?test" });
  await useRecipe(page, await smallRecipe(page, { ...LONG, execution: { engine: "gpu" } }));
  await press(page, "Run");
  await loseGpu(page);
  await says(page, "Continue on the CPU", { within: "[role=alertdialog]" });
  await page.evaluate(() => void /** @type {any} */ (globalThis).assay.lab.command({ type: "crash" }).done.catch(() => {}));
  await says(page, /It was started again\. Epoch \d+ was kept; resume the run from there/, { within: "assay-notices" });
  assert.equal(await page.evaluate(() => document.querySelector("[role=alertdialog]")), null);
  await waitFor(page, "the lab is ready", () => document.querySelector("button.run:not([disabled])"));
  await press(page, "Resume", "assay-interrupted");
  await waitFor(page, "the run goes on", () => document.querySelector("assay-progress progress") !== null);
  assert.equal((await newest(page)).status, "complete");
});
