// @ts-check
/** @file Takes a picture of every view, light and dark, narrow to wide, for eyes to judge: `node screenshots.mjs`; ASSAY_SCREENSHOTS_DIR names the folder. */

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { addGpuRecords } from "./gpu_records.mjs";
import { launch, servePage } from "./harness/index.mjs";
import { copied, goTo, open, paste, press, run, runIsOver, says, smallRecipe, useRecipe, waitFor } from "./person.mjs";

/** @typedef {import("./person.mjs").Page} Page */

const FOLDER = process.env.ASSAY_SCREENSHOTS_DIR ?? "target/screenshots";
const WIDTHS = [360, 1280, 1920];

await mkdir(FOLDER, { recursive: true });
const browser = await launch();
const server = await servePage();
try {
  const page = await open(browser, server.url);
  await shoot(page, "experiment-empty");
  await press(page, "Run");
  await waitFor(page, "four epochs", () => /epoch ([4-9]|\d\d)/i.test(document.querySelector("assay-progress")?.textContent ?? ""));
  await press(page, "Pause", "assay-progress");
  await press(page, "Add to queue");
  await shoot(page, "experiment-running");
  await press(page, /^Cancel: /, "assay-queue");
  await press(page, "Continue", "assay-progress");
  await runIsOver(page);
  await press(page, "Keep as base", "assay-this-run");
  await press(page, "Copy link", "assay-this-run");
  const link = await copied(page);
  await shoot(page, "experiment-finished");
  await press(page, /^Try the model/);
  await waitFor(page, "pictures", () => document.querySelector("assay-play-panel canvas, assay-play-panel img"));
  await page.evaluate(() => /** @type {HTMLElement | null} */ (document.querySelector("assay-play-panel assay-image-grid button"))?.click());
  await shoot(page, "play");
  await variedRuns(page);
  await goTo(page, "Runs");
  await says(page, "6 runs");
  await shoot(page, "runs");
  await page.evaluate(() => /** @type {HTMLElement} */ (document.querySelector("assay-run-table tbody .first button")).click());
  await waitFor(page, "charts", () => document.querySelector("assay-run-details svg"));
  await shoot(page, "run-details");
  await press(page, "Close", "assay-run-details");
  await page.evaluate(() => {
    const boxes = [.../** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("assay-run-table tbody input[type=checkbox]"))];
    for (const box of [boxes.at(-1), boxes[1]]) box?.click();
  });
  await press(page, "Compare", "assay-runs-view");
  await says(page, "Images on which they disagree");
  await shoot(page, "compare");
  await goTo(page, "Data");
  await says(page, "Samples per class");
  await shoot(page, "data");
  await goTo(page, "Experiment");
  await press(page, "Share", "header");
  await shoot(page, "share");
  await press(page, "Close", "dialog[open]");
  await press(page, "Help and keys");
  await shoot(page, "help");
  await press(page, "Close", "dialog[open]");
  await paste(page, '{ "assay": "recipe", "version": 1, "seed": -1 }');
  await shoot(page, "recipe-json");

  const elsewhere = await browser.createBrowserContext();
  const reader = await open(elsewhere, link);
  await shoot(reader, "claim");
  await press(reader, "Run it here");
  await waitFor(reader, "the verdict", () => document.querySelector("[data-verdict]"));
  await runIsOver(reader);
  await shoot(reader, "claim-reproduced");
  const broken = await open(elsewhere, server.url, { fragment: "#c1.broken" });
  await shoot(broken, "link-broken");
  const empty = await open(await browser.createBrowserContext(), server.url);
  await goTo(empty, "Runs");
  await shoot(empty, "runs-empty");
  await engines();
} finally {
  await browser.close();
  await server.close();
}

/** What the views show of engines, from records that no GPU made. */
async function engines() {
  const page = await open(await browser.createBrowserContext(), server.url, { query: "?test" });
  await useRecipe(page, await smallRecipe(page, { training: { epochs: 4 } }));
  const digests = await addGpuRecords(page, await run(page));
  const unfold = () => page.evaluate(() => document.querySelector(".run-engine")?.setAttribute("open", ""));
  const show = (/** @type {string | undefined} */ digest) => page.evaluate((digest) => /** @type {any} */ (globalThis).assay.runs.showRecord(digest), digest);
  await says(page, "Time per row on both engines");
  await unfold();
  await shoot(page, "engines-agree");
  await show(digests.disagrees);
  await unfold();
  await shoot(page, "engines-disagree");
  await page.evaluate(({ gpu, disagrees }) => void (location.hash = `#/compare/${gpu}/${disagrees}`), digests);
  await says(page, "Images on which they disagree");
  await shoot(page, "engines-compare");
  await page.evaluate((digest) => void (location.hash = `#/runs/${digest}`), digests.disagrees);
  await waitFor(page, "charts", () => document.querySelectorAll("assay-run-details svg").length > 3);
  await shoot(page, "engines-details");
  await goTo(page, "Experiment");
  await useRecipe(page, await smallRecipe(page, { training: { epochs: 1000 }, execution: { engine: "gpu" } }));
  await press(page, "Run");
  await waitFor(page, "a curve", () => document.querySelector("assay-figures [data-figure=curves] svg"));
  await press(page, "Pause", "assay-progress");
  await page.evaluate(() => {
    const { runs } = /** @type {any} */ (globalThis).assay;
    runs.onEvent({ id: 0, type: "engine", engine: "gpu", adapter: "NVIDIA GeForce RTX 4070", batchSize: 256, reason: "the recipe asks for it" });
    runs.onEvent({ id: 0, type: "gpuLost", reason: "the GPU ran out of memory", epoch: 3, smallerBatch: 128, decided: null });
  });
  await waitFor(page, "the question", () => document.querySelector("[role=alertdialog]"));
  await shoot(page, "engines-lost");
}

/** A log with different runs in it. @param {Page} page */
async function variedRuns(page) {
  for (const [index, changes] of [
    { seed: 2 },
    { training: { epochs: 6 }, quantization: { scheme: "Q8_0" } },
    { training: { epochs: 6 }, architecture: { family: "mlp", depth: 2, width: 64, activation: "gelu" }, quantization: { scheme: "Q4_0" } },
    { training: { optimizer: "sgd", momentum: 0.999, learning_rate: 10, epochs: 30 }, architecture: { family: "mlp", depth: 8, width: 64, activation: "relu" } },
    { training: { epochs: 6 }, architecture: { family: "lenet", channels: 8, kernel: 3, dense: 32, activation: "relu" }, quantization: { scheme: "f16" } },
  ].entries()) {
    if (index > 0) await press(page, /^Default/, "assay-recipe-form");
    await useRecipe(page, await smallRecipe(page, changes));
    await run(page);
  }
}

/** @param {Page} page @param {string} view */
async function shoot(page, view) {
  await page.bringToFront();
  for (const theme of /** @type {const} */ (["light", "dark"])) {
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: theme }]);
    for (const width of WIDTHS) {
      await page.setViewport({ width, height: width === 360 ? 740 : 900 });
      const isDialog = await page.evaluate(() => {
        scrollTo(0, 0);
        return new Promise((resolve) => setTimeout(() => resolve(document.querySelector("dialog[open]") !== null), 250));
      });
      const file = `${view}-${theme}-${width}.png`;
      await page.screenshot({ path: /** @type {`${string}.png`} */ (join(FOLDER, file)), fullPage: !isDialog });
      console.log(file);
    }
  }
}
