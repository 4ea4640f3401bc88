// @ts-check
/** @file The microscope: damage by layer, a layer set back to f32 without training, changed answers, classes; by keyboard and on a phone. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { launch, servePage } from "./harness/index.mjs";
import { open, press, records, run, says, smallRecipe, text, useRecipe, waitFor } from "./person.mjs";

/** @typedef {import("./person.mjs").Page} Page */

/** @param {Page} page */
const layers = (page) =>
  page.evaluate(() =>
    [...document.querySelectorAll(".damaged-layers tbody tr")].map((row) => ({
      name: row.querySelector("th")?.textContent?.trim() ?? "",
      sqnr: row.querySelector(".sqnr")?.textContent?.trim() ?? "",
      switched: /** @type {HTMLInputElement|null} */ (row.querySelector("input[role=switch]"))?.checked ?? null,
    })),
  );

/** @param {Page} page @param {string} layer */
const flip = (page, layer) =>
  page.evaluate((layer) => /** @type {HTMLElement} */ (document.querySelector(`input[name="exact-${layer}"]`)).click(), layer);

/** @param {Page} page */
const isStill = (page) => waitFor(page, "nothing is computed", () => document.querySelector(".microscope-view[aria-busy=false]") !== null);

test("the most damaged layer comes first, and setting layers back to f32 gives the exact model again", async () => {
  const browser = await launch();
  const server = await servePage();
  try {
    const page = await open(browser, server.url, { query: "?test" });
    await useRecipe(page, await smallRecipe(page, { quantization: { scheme: "ternary" }, evaluation: { latency_secs: 0.02 } }));
    await run(page);
    await press(page, "Microscope", "assay-this-run");
    await says(page, "Layers, the most damaged first");
    const before = await layers(page);
    const decibels = before.map(({ sqnr }) => Number.parseFloat(sqnr)).filter((it) => !Number.isNaN(it));
    assert.ok(decibels.length > 1 && decibels.every((it, index) => index === 0 || it >= (decibels[index - 1] ?? 0)), decibels.join());
    const [record] = await records(page);
    const { flips, paired } = record?.results.damage;
    assert.ok(flips.length > 0);
    await says(page, `${flips.length} of ${flips.length} images`, { within: "assay-flips" });
    await says(page, /right with f32 only.*with the stored model only/, { within: ".facts" });
    await says(page, paired.verdict, { within: ".facts" });
    const drawn = () => [...document.querySelectorAll("assay-flips canvas")].filter((each) => /** @type {HTMLCanvasElement} */ (each).width > 1).length;
    assert.equal(await waitFor(page, "the pictures are drawn", drawn), Math.min(24, flips.length));

    // Every layer with weights back to f32: no error is left, no answer differs, nothing was trained or recorded.
    for (const { name } of before.filter(({ switched }) => switched === false)) {
      await flip(page, name);
      await isStill(page);
    }
    await says(page, "None: the stored model gives the same answer", { within: "assay-flips" });
    assert.ok((await layers(page)).every(({ sqnr }) => sqnr === "exact"), JSON.stringify(await layers(page)));
    assert.equal((await records(page)).length, 1);

    // One layer is switched again, and that variant recorded.
    const first = before.find(({ switched }) => switched === false)?.name ?? "";
    await flip(page, first);
    await isStill(page);
    await press(page, "Record this variant");
    await waitFor(page, "it is recorded", () => !document.body.innerText.includes("Record this variant"));
    const [, variant] = await records(page);
    assert.equal(variant?.digests.weights, record?.digests.weights);
    assert.ok(!(first in variant?.recipe.quantization.layers), JSON.stringify(variant?.recipe.quantization));

    // Another scheme at a press, without training.
    await page.select("select[name=scheme]", "int8");
    await isStill(page);
    await says(page, /int8/, { within: ".damaged-layers" });
  } finally {
    await browser.close();
    await server.close();
  }
});

test("layers are walked by arrow keys, every chart has its table, and a phone shows all of it", async () => {
  const browser = await launch();
  const server = await servePage();
  try {
    const page = await open(browser, server.url, { query: "?test" });
    await useRecipe(page, await smallRecipe(page, { quantization: { scheme: "int4" }, evaluation: { latency_secs: 0.02 } }));
    await run(page);
    await press(page, "Microscope", "assay-this-run");
    await says(page, "Layers, the most damaged first");
    const [first, second] = await layers(page);
    await page.focus(".damaged-layers tbody button");
    await page.keyboard.press("ArrowDown");
    await waitFor(page, "the second layer is shown", (name) => document.querySelector("assay-damaged-layers assay-chart:last-of-type")?.textContent?.includes(`Values of ${name}`), { args: [second?.name ?? ""] });
    await page.keyboard.press("ArrowUp");
    await waitFor(page, "the first again", (name) => document.querySelector("assay-damaged-layers assay-chart:last-of-type")?.textContent?.includes(`Values of ${name}`), { args: [first?.name ?? ""] });
    await press(page, "Table", "assay-damaged-layers assay-chart:last-of-type");
    await says(page, /from.*to.*before.*after/s, { within: "assay-damaged-layers .chart-table" });
    await page.setViewport({ width: 360, height: 740 });
    await new Promise((resolve) => setTimeout(resolve, 500));
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 360);
    assert.match(await text(page, "assay-microscope-view"), /Classes, the most damaged first/);
  } finally {
    await browser.close();
    await server.close();
  }
});
