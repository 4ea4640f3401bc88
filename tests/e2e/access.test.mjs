// @ts-check
/** @file Everybody can use every view: no serious finding of axe, narrow screens, reduced motion, and a main thread that is never blocked for long. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { everybodyCanUse } from "./everybody.mjs";
import { browserName, launch, notRun, servePage } from "./harness/index.mjs";
import { copied, goTo, open, paste, press, run, runIsOver, says, smallRecipe, useRecipe, waitFor } from "./person.mjs";

/** @typedef {import("./person.mjs").Page} Page */

const LONG_TASK_TARGET_MILLIS = 50;
const LONG_TASK_LIMIT_MILLIS = 150;

/** @type {import("puppeteer-core").Browser} */
let browser;
/** @type {{ url: string, close: () => Promise<void> }} */
let server;
before(async () => {
  browser = await launch();
  server = await servePage();
});
after(async () => {
  await browser.close();
  await server.close();
});

/** Views in the order of a visit; each step leads from the one before. @type {[string, (page: Page) => Promise<unknown>][]} */
const VISIT = [
  ["an empty experiment", async () => {}],
  ["an empty log", (page) => goTo(page, "Runs")],
  ["the data", async (page) => {
    await goTo(page, "Data");
    await says(page, "Samples per class");
    await waitFor(page, "pictures", () => document.querySelector("assay-data-view canvas, assay-data-view img"));
  }],
  ["the help", async (page) => {
    await goTo(page, "Experiment");
    await press(page, "Help and keys");
    await says(page, "Nothing leaves this machine", { within: "dialog[open]" });
  }],
  ["a bad recipe as JSON", async (page) => {
    await press(page, "Close", "dialog[open]");
    await paste(page, "{ this is no recipe");
    await waitFor(page, "a problem", () => document.querySelector("#recipe-json-problems ul"));
  }],
  ["a run going on", async (page) => {
    await press(page, "Close", "dialog[open]");
    await useRecipe(page, await smallRecipe(page, { training: { epochs: 1000, batch_size: 8 } }));
    await press(page, "Run");
    await waitFor(page, "a curve", () => document.querySelector("assay-figures [data-figure=curves] svg"));
    await press(page, "Pause", "assay-progress");
    await press(page, "Add to queue");
  }],
  ["a finished run", async (page) => {
    await press(page, /^Cancel: /, "assay-queue");
    await press(page, "Continue", "assay-progress");
    await press(page, "Stop", "assay-progress");
    await runIsOver(page);
    await useRecipe(page, await smallRecipe(page));
    await run(page);
    await run(page);
    await press(page, "Keep as base", "assay-this-run");
  }],
  ["playing with the model", async (page) => {
    await press(page, /^Try the model/);
    await waitFor(page, "pictures", () => document.querySelector("assay-play-panel canvas, assay-play-panel img"));
  }],
  ["drawing", (page) => press(page, "Draw a digit")],
  ["sharing", async (page) => {
    await press(page, "Share", "header");
    await press(page, "Copy link to this run", "dialog[open]");
    await says(page, "It carries", { within: "dialog[open]" });
  }],
  ["the runs", async (page) => {
    await press(page, "Close", "dialog[open]");
    await goTo(page, "Runs");
    await says(page, "3 runs");
  }],
  ["a run in full", async (page) => {
    await page.evaluate(() => /** @type {HTMLElement} */ (document.querySelector("assay-run-table tbody .first button")).click());
    await waitFor(page, "charts", () => document.querySelector("assay-run-details svg"));
  }],
  ["two runs compared", async (page) => {
    await page.evaluate(() => {
      const boxes = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("assay-run-table tbody input[type=checkbox]"));
      for (const box of [boxes[0], boxes[1]]) box?.click();
    });
    await press(page, "Compare", "assay-runs-view");
    await says(page, "Images on which they disagree");
  }],
  ["the variants of a run", async (page) => {
    await goTo(page, "Experiment");
    await press(page, "Variants", "assay-this-run");
    await waitFor(page, "schemes are offered", () => document.querySelectorAll("input[name=scheme]").length > 10);
    await page.evaluate(() => {
      for (const box of /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll("input[name=scheme]"))) if (!["int8", "ternary"].includes(box.value)) box.click();
    });
    await press(page, "Record 2 variants");
    await waitFor(page, "the table", () => document.querySelectorAll(".variants-table tbody tr").length === 3 && document.querySelector("assay-variants-view assay-chart"));
    await press(page, "Search", "assay-search");
    await says(page, /Found and recorded|no layer|no assignment/, { within: "assay-search" });
  }],
  ["the microscope", async (page) => {
    await press(page, "Microscope: ternary");
    await says(page, "Layers, the most damaged first");
    await waitFor(page, "pictures", () => document.querySelector("assay-flips canvas"));
  }],
  ["a claim that was checked", async (page) => {
    await page.goto(await copied(page));
    await says(page, "A claimed result");
    await press(page, "Run it here");
    await waitFor(page, "the verdict", () => document.querySelector("[data-verdict]"));
    await runIsOver(page);
  }],
];

test("axe finds nothing serious on any view, light or dark, and nothing is wider than 360 px", async () => {
  const page = await open(browser, server.url);
  /** @type {string[]} */
  const problems = [];
  for (const [view, lead] of VISIT) {
    await lead(page);
    problems.push(...(await everybodyCanUse(page, view)));
  }
  assert.deepEqual(problems, []);
  assert.deepEqual(page.problems, []);
  await page.close();
});

test("at 360 px Run is in reach without scrolling", async () => {
  const elsewhere = await browser.createBrowserContext();
  const page = await open(elsewhere, server.url, { before: (page) => page.setViewport({ width: 360, height: 640 }) });
  const { top, bottom } = await page.evaluate(() => /** @type {Element} */ (document.querySelector("button.run")).getBoundingClientRect().toJSON());
  assert.ok(top >= 0 && bottom <= 640, `Run is at ${top} to ${bottom} px of 640`);
  await elsewhere.close();
});

test("nothing moves for those who asked for that", async () => {
  const elsewhere = await browser.createBrowserContext();
  const before = async (/** @type {Page} */ page) => {
    if (browserName() === "chromium") await page.emulateMediaFeatures([{ name: "prefers-reduced-motion", value: "reduce" }]);
  };
  if (browserName() !== "chromium") return notRun("reduced motion", "the driver cannot ask Firefox for it");
  const page = await open(elsewhere, server.url, { before });
  await press(page, "Run");
  await waitFor(page, "a curve", () => document.querySelector("assay-figures [data-figure=curves] svg"));
  const moving = await page.evaluate(() => document.getAnimations().filter((each) => Number(each.effect?.getComputedTiming().duration) > 10).length);
  assert.equal(moving, 0);
  await elsewhere.close();
});

test("the page's main thread is not blocked for long during a default run", async () => {
  if (browserName() !== "chromium") return notRun("long tasks", "Firefox does not tell of them");
  const elsewhere = await browser.createBrowserContext();
  const page = await open(elsewhere, server.url);
  await page.evaluate(() => {
    const tasks = Object.assign(globalThis, { tasks: /** @type {number[]} */ ([]) }).tasks;
    new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration))).observe({ type: "longtask" });
  });
  await run(page);
  const tasks = await page.evaluate(() => /** @type {any} */ (globalThis).tasks);
  const longest = Math.max(0, ...tasks);
  console.log(`long tasks during a default run: ${tasks.length} over ${LONG_TASK_TARGET_MILLIS} ms, the longest ${Math.round(longest)} ms (target ${LONG_TASK_TARGET_MILLIS} ms)`);
  assert.ok(longest < LONG_TASK_LIMIT_MILLIS, `${longest} ms`);
  await elsewhere.close();
});
