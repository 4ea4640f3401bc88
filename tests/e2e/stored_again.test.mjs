// @ts-check
/** @file Layers with schemes of their own in the recipe's form and in the table of runs; fine-tuning for a look or a file, watched and stopped. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { launch, servePage } from "./harness/index.mjs";
import { goTo, open, press, recipeText, records, run, says, smallRecipe, text, useRecipe, waitFor } from "./person.mjs";

/** @typedef {import("./person.mjs").Page} Page */

/** @param {(page: Page) => Promise<void>} body */
async function withPage(body) {
  const browser = await launch();
  const server = await servePage();
  try {
    await body(await open(browser, server.url, { query: "?test" }));
  } finally {
    await browser.close();
    await server.close();
  }
}

/** @param {Page} page */
const quantization = async (page) => JSON.parse(await recipeText(page)).quantization;

test("layers with schemes of their own are listed, taken back, told when they go, and one column of the table", () =>
  withPage(async (page) => {
    const layers = { conv1: "int8", conv2: "f32", dense: "int4" };
    const architecture = { family: "lenet", activation: "relu", channels: 4, kernel: 3, dense: 16 };
    await useRecipe(page, await smallRecipe(page, { architecture, quantization: { scheme: "ternary", layers }, evaluation: { latency_secs: 0 } }));
    await run(page);
    await page.evaluate(() => {
      const sections = [.../** @type {NodeListOf<HTMLDetailsElement>} */ (document.querySelectorAll("assay-recipe-form details.section"))];
      for (const section of sections) section.open = section.querySelector(".section-title")?.textContent === "Quantization";
    });
    await says(page, /conv1 int8.*conv2 f32.*dense int4/s, { within: "assay-recipe-layers" });
    // One of them computes in integers, whose ranges can be chosen.
    await waitFor(page, "the choice of ranges", () => document.querySelector("assay-recipe-form")?.textContent?.includes("Calibration"));
    await press(page, "Give conv1 the scheme of the others", "assay-recipe-layers");
    assert.deepEqual((await quantization(page)).layers, { conv2: "f32", dense: "int4" });
    await press(page, "Clear", "assay-recipe-layers");
    assert.deepEqual(await quantization(page), { scheme: "ternary" });
    await run(page);

    await useRecipe(page, await smallRecipe(page, { architecture, quantization: { scheme: "ternary", layers: { dense: "int4" } } }));
    await page.evaluate(() => /** @type {any} */ (globalThis).assay.drafts.setField("architecture.family", "mlp"));
    await says(page, "dense no longer has a scheme of its own: the new family has other layers.", { within: "assay-recipe-layers" });
    assert.equal((await quantization(page)).layers, undefined);

    await goTo(page, "Runs");
    await says(page, "2 runs");
    const heads = await page.evaluate(() => [...document.querySelectorAll("assay-run-table th")].map((head) => head.textContent?.trim()));
    assert.equal(heads.filter((head) => head?.startsWith("Layers")).length, 1, heads.join());
    assert.ok(!heads.some((head) => head?.includes("conv1")), heads.join());
    await says(page, "int8: conv1; f32: conv2; int4: dense", { within: "assay-run-table" });
  }));

test("fine-tuning for the Microscope and for a file says how far it is, and Stop leaves everything as it was", () =>
  withPage(async (page) => {
    const wide = { family: "lenet", activation: "relu", channels: 64, kernel: 3, dense: 64 };
    await useRecipe(page, await smallRecipe(page, { architecture: wide, quantization: { scheme: "int4" }, evaluation: { latency_secs: 0 } }));
    await run(page);
    await press(page, "Microscope", "assay-this-run");
    await says(page, "Layers, the most damaged first");
    const tuned = { scheme: "int4", fine_tune_epochs: 20 };
    /** @type {[string, (view: any, tuned: object) => void][]} */
    const ways = [
      ["for the Microscope", (view, tuned) => void view.look(tuned)],
      ["for the file", (view, tuned) => {
        Object.assign(view, { quantization: tuned });
        void view.save(view.record, "safetensors");
      }],
    ];
    for (const [purpose, begin] of ways) {
      await page.evaluate(`(${begin})(document.querySelector("assay-microscope-view"), ${JSON.stringify(tuned)})`);
      await says(page, new RegExp(`Fine-tuning ${purpose}: [1-9][\\d.]*\\s%`), { within: "assay-storing" });
      await press(page, "Stop", "assay-storing");
      await waitFor(page, "it is over", () => document.querySelector("assay-storing .storing") === null);
      const shown = await page.evaluate(() => /** @type {any} */ (document.querySelector("assay-microscope-view")).quantization);
      // A look that was stopped is taken back; a file changes nothing of what is looked at.
      assert.deepEqual(shown, purpose === "for the file" ? tuned : { scheme: "int4" });
    }
    const left = await page.evaluate(() => {
      const view = /** @type {any} */ (document.querySelector("assay-microscope-view"));
      return { problem: view.problem, notices: /** @type {any} */ (globalThis).assay.store.state.notices.length };
    });
    assert.deepEqual(left, { problem: "", notices: 0 });
    assert.equal((await records(page)).length, 1);
    assert.doesNotMatch(await text(page, ".microscope-view"), /stopped/i);
  }));
