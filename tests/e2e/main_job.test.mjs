// @ts-check
/** @file The main job as a newcomer does it: run, watch, stop, run to the end, run again, compare, share, check what was shared. */

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { launch, servePage } from "./harness/index.mjs";
import { copied, goTo, isUsable, open, press, recipeText, records, run, runIsOver, says, text, useRecipe, waitFor } from "./person.mjs";

/** @typedef {import("./person.mjs").Page} Page */

/** The default recipe. @type {any} */
let standard;
const GOLDEN = new URL("../golden/digests.json", import.meta.url);
const OPEN_TARGET_MILLIS = 1000;
const RUN_TARGET_MILLIS = 20_000;

/** @type {import("puppeteer-core").Browser} */
let browser;
/** @type {{ url: string, close: () => Promise<void> }} */
let server;
/** @type {Page} */
let page;
/** @type {Record<string, any>} */
let first;
let link = "";

before(async () => {
  browser = await launch();
  server = await servePage();
});
after(async () => {
  await browser.close();
  await server.close();
});

/** Presses Tab until the focus is on what `selector` names. @param {string} selector */
async function tabTo(selector) {
  for (let presses = 0; presses < 60; presses += 1) {
    if (await page.evaluate((selector) => document.activeElement?.matches(selector), selector)) return presses;
    await page.keyboard.press("Tab");
  }
  return assert.fail(`60 presses of Tab did not lead to ${selector}`);
}

test("opens to a page that can be used", async () => {
  page = await open(browser, server.url, { usable: false });
  const millis = await isUsable(page);
  console.log(`open: usable after ${Math.round(millis)} ms (target ${OPEN_TARGET_MILLIS} ms)`);
  assert.ok(millis < 5000, `${millis} ms`);
  assert.match(await text(page), /Press Run: a small network learns handwritten digits here/);
});

test("runs by keyboard alone, and shows progress and a curve that moves", async () => {
  // The default run is over before anybody sees it move.
  standard = JSON.parse(await recipeText(page));
  await useRecipe(page, { ...standard, training: { ...standard.training, epochs: 500 } });
  const presses = await tabTo("button.run");
  console.log(`keyboard: Run is reached after ${presses} presses of Tab`);
  await page.keyboard.press("Enter");
  const steps = () => Number(/step ([\d,]+)/i.exec(document.querySelector("assay-progress")?.textContent ?? "")?.[1]?.replaceAll(",", "") ?? 0);
  const early = await waitFor(page, "a step is counted", steps);
  await waitFor(page, "a later step is counted", (early) => Number(/step ([\d,]+)/i.exec(document.querySelector("assay-progress")?.textContent ?? "")?.[1]?.replaceAll(",", "") ?? 0) > early, { args: [early] });
  const picture = () => document.querySelector("assay-figures [data-figure=curves] svg")?.innerHTML.length;
  const drawn = await waitFor(page, "a curve is drawn", picture);
  await waitFor(page, "the curve moves", (drawn) => document.querySelector("assay-figures [data-figure=curves] svg")?.innerHTML.length !== drawn, { args: [drawn] });
});

test("Stop keeps what was measured", async () => {
  await press(page, "Stop", "assay-progress");
  await runIsOver(page);
  await says(page, /Stopped after epoch \d+ of \d+\. What was measured is kept/);
  const [stopped, ...others] = await records(page);
  assert.equal(others.length, 0);
  assert.equal(stopped.status, "stopped");
  assert.ok(stopped.results.training.curve.length > 0);
  await useRecipe(page, standard);
});

test("the default recipe ends with the accuracy and the digests that it had before, in every browser", async () => {
  const started = Date.now();
  first = await run(page);
  const millis = Date.now() - started;
  const { accuracy } = first.results;
  console.log(`first run: ${(millis / 1000).toFixed(1)} s (target ${RUN_TARGET_MILLIS / 1000} s), accuracy ${accuracy.correct} of ${accuracy.total}`);
  assert.equal(first.status, "complete");
  assert.ok(accuracy.correct / accuracy.total >= 0.97, `accuracy ${accuracy.correct / accuracy.total}`);
  const found = { recipeDigest: first.recipe_digest, arithmetic: first.environment.arithmetic, weights: first.digests.weights, predictions: first.digests.predictions };
  if (process.env.UPDATE_GOLDEN) await writeFile(GOLDEN, `${JSON.stringify(found, null, 2)}\n`);
  assert.deepEqual(found, JSON.parse(await readFile(GOLDEN, "utf8")));
});

test("running it again gives equal digests, and the two can be compared", async () => {
  await page.keyboard.down("Control");
  await page.keyboard.press("Enter");
  await page.keyboard.up("Control");
  await waitFor(page, "the second run goes on", () => document.querySelector("assay-progress progress") !== null);
  await runIsOver(page);
  const all = await records(page);
  assert.equal(all.length, 3);
  const complete = all.filter(({ status }) => status === "complete");
  assert.equal(complete.length, 2);
  for (const { digests } of complete) assert.deepEqual({ ...digests }, { ...first.digests });
  await goTo(page, "Runs");
  await says(page, "3 runs");
  await page.type("#runs-filter", "status:complete");
  await says(page, "2 of 3 runs");
  await page.evaluate(() => {
    const boxes = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("assay-run-table tbody input[type=checkbox]"));
    for (const box of [boxes[0], boxes[1]]) box?.click();
  });
  await press(page, "Compare", "assay-runs-view");
  await says(page, "Nothing: both ran the same recipe", { within: "assay-compare-view" });
  await says(page, "They give the same answer on every image", { within: "assay-compare-view" });
});

test("a link says what it carries", async () => {
  await goTo(page, "Experiment");
  await press(page, "Copy link", "assay-this-run");
  link = await copied(page);
  await says(page, /It carries: .*recipe/, { within: "assay-this-run" });
  assert.match(link, /#c1\.[\w-]+$/);
  assert.deepEqual(page.problems, []);
});

test("a colleague opens the link, nothing runs by itself, runs it there and reads reproduced", async () => {
  const elsewhere = await browser.createBrowserContext();
  page = await open(elsewhere, link, { usable: true });
  await says(page, "A claimed result");
  await says(page, "Nothing runs until you say so");
  await new Promise((resolve) => setTimeout(resolve, 1000));
  assert.equal(await page.evaluate(() => document.querySelector("assay-progress progress")), null);
  assert.deepEqual(await records(page), []);
  const checked = await run(page, { button: "Run it here" });
  await says(page, /^reproduced/i, { within: "assay-verdict" });
  assert.deepEqual({ ...checked.digests }, { ...first.digests });
});

test("a changed recipe is marked as modified until it is reset", async () => {
  const badge = () => [...document.querySelectorAll("assay-claim-banner .badge")].some((each) => each.textContent === "modified");
  assert.equal(await page.evaluate(badge), false);
  await page.evaluate(() => {
    const seed = /** @type {HTMLInputElement} */ (document.querySelector("#field-seed"));
    seed.value = "2";
    seed.dispatchEvent(new Event("change", { bubbles: true }));
  });
  await waitFor(page, "the badge", badge);
  await press(page, "Reset to the link's version");
  await waitFor(page, "no badge", () => ![...document.querySelectorAll("assay-claim-banner .badge")].some((each) => each.textContent === "modified"));
  assert.equal(await page.evaluate(() => /** @type {HTMLInputElement} */ (document.querySelector("#field-seed")).value), "1");
  assert.deepEqual(page.problems, []);
});
