// @ts-check
/** @file Layers with schemes of their own in the recipe's form and in the table of runs; fine-tuning for a look or a file, watched and stopped; what a run's fine-tuning left, kept for both. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { launch, servePage } from "./harness/index.mjs";
import { exported, hearStages, looked, played, stagesHeard } from "./kept_weights.mjs";
import { goTo, isUsable, open, press, recipeText, records, run, says, smallRecipe, text, useRecipe, waitFor } from "./person.mjs";

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

test("a run's fine-tuned model is exported, looked at and played with as it was measured, without fine-tuning it again", () =>
  withPage(async (page) => {
    await useRecipe(page, await smallRecipe(page, { quantization: { scheme: "int4", fine_tune_epochs: 1 }, evaluation: { latency_secs: 0 } }));
    const record = await run(page);
    assert.match(record.digests.fine_tuned, /^[0-9a-f]{64}$/);
    // A page that is opened again has what the browser kept, and no model in its lab.
    await page.reload();
    await isUsable(page);
    await hearStages(page);
    await page.evaluate((digest) => /** @type {any} */ (globalThis).assay.router.go("microscope", [digest]), record.digest);
    await says(page, "Layers, the most damaged first");
    const file = await exported(page);
    await says(page, "the file gave the same answers on all 359 test images, as the record says", { within: "assay-notices" });
    assert.deepEqual([file.stored_digest, file.predictions_digest], [record.digests.stored, record.digests.predictions]);
    assert.equal((await looked(page)).stored, record.digests.stored);

    assert.equal(await played(page, record.digest), "");
    const stages = await stagesHeard(page);
    assert.ok(stages.includes("proving the file") && stages.includes("looking for damage"), stages.join());
    assert.ok(!stages.includes("fine-tuning"), stages.join());

    // Where what fine-tuning left is gone, the CPU makes the same again.
    await page.evaluate((digest) => /** @type {any} */ (globalThis).assay.log.db.write(["weights"], async (/** @type {any} */ stores) => stores.weights.delete(digest)), record.digests.fine_tuned);
    await page.evaluate((digest) => /** @type {any} */ (globalThis).assay.router.go("microscope", [digest]), record.digest);
    const again = await looked(page);
    assert.equal(again.stored, record.digests.stored);
    assert.equal(again.note, "");
    assert.ok((await stagesHeard(page)).includes("fine-tuning"));
    assert.deepEqual(page.problems, []);
  }));
