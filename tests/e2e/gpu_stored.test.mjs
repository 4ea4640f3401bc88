// @ts-check
/** @file A model that was trained on a GPU in the variants view, under the microscope, in the search, fine-tuned and exported so. Chromium's software adapter stands in for a GPU, so the model is tiny. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { browserName, launch, notRun, servePage } from "./harness/index.mjs";
import { exported, hearStages, looked, played, stagesHeard } from "./kept_weights.mjs";
import { open, press, records, run, says, smallRecipe, useRecipe, waitFor } from "./person.mjs";

const skip = browserName() !== "chromium";
if (skip) notRun("stored models on a GPU", "this Firefox offers WebGPU by a preference only, which a person has not set");

/** A step of it takes milliseconds in software. */
const TINY = {
  architecture: { family: "mlp", depth: 1, width: 8, activation: "relu" },
  training: { epochs: 2, batch_size: 64 },
  evaluation: { latency_secs: 0.02 },
  execution: { engine: "gpu" },
};

test("a GPU's model is stored in many ways on it, looked at, searched and fine-tuned", { skip }, async () => {
  const browser = await launch("chromium", { webgpu: true });
  const server = await servePage();
  try {
    const page = await open(browser, server.url, { query: "?test" });
    await useRecipe(page, await smallRecipe(page, TINY));
    const base = await run(page);
    assert.equal(base.environment.engine, "gpu");

    await press(page, "Variants", "assay-this-run");
    await waitFor(page, "schemes are offered", () => document.querySelectorAll("input[name=scheme]").length > 10);
    await page.evaluate(() => {
      const wanted = ["int8", "int8-dynamic", "int4"];
      for (const box of /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll("input[name=scheme]"))) if (!box.disabled && !wanted.includes(box.value)) box.click();
    });
    await press(page, "Record 3 variants");
    await waitFor(page, "all are in the table", () => document.querySelectorAll(".variants-table tbody tr").length === 4, { millis: 120_000 });
    const [, ...variants] = await records(page);
    assert.deepEqual(variants.map(({ recipe }) => recipe.quantization.scheme).sort(), ["int4", "int8", "int8-dynamic"]);
    for (const { recipe, environment, results } of variants) {
      const what = JSON.stringify([recipe.quantization, results.execution, results.agreement]);
      assert.equal(environment.engine, "gpu", what);
      assert.equal(results.agreement.agrees, true, what);
      const rows = results.agreement.probes.find((/** @type {any} */ { name }) => name === "test rows");
      // Integers have the CPU's bits here as everywhere.
      if (recipe.quantization.scheme === "int8") assert.equal(rows.max_absolute, 0, what);
      assert.ok(rows.within, what);
    }

    // The search, by its button: points are measured and what is found is recorded, on the GPU.
    await press(page, "Search", "assay-search");
    await waitFor(page, "the search has ended", () => document.querySelector("assay-search")?.textContent?.match(/Found and recorded|no layer can take/u), { millis: 120_000 });

    const searched = (await records(page)).filter(({ recipe }) => recipe.quantization.layers);
    for (const { environment } of searched) assert.equal(environment.engine, "gpu");

    // Fine-tuned, as a variant with a recipe of its own; stopped variants and their progress are held elsewhere.
    const tuned = await page.evaluate(async () => {
      const { log, variants } = /** @type {any} */ (globalThis).assay;
      const [digest] = log.summaries.keys();
      return variants.start(digest, [{ scheme: "int4", fine_tune_epochs: 1 }, { scheme: "ternary", fine_tune_epochs: 1 }]);
    });
    assert.equal(tuned.length, 2);
    const made = (await records(page)).filter(({ digest }) => tuned.includes(digest));
    const by = Object.fromEntries(made.map(({ recipe, results }) => [recipe.quantization.scheme, results.execution.fine_tuning]));
    assert.equal(by.int4.engine, "gpu");
    assert.equal(by.ternary.engine, "cpu");
    assert.match(by.ternary.reason, /ternary/u);

    // What the GPU fine-tuned is what is exported and looked at; once it is gone it is another model, and that is said.
    const own = made.find(({ recipe }) => recipe.quantization.scheme === "int4");
    await hearStages(page);
    await page.evaluate((digest) => /** @type {any} */ (globalThis).assay.router.go("microscope", [digest]), own?.digest);
    assert.deepEqual(await looked(page), { stored: own?.digests.stored, note: "" });
    assert.equal((await exported(page)).stored_digest, own?.digests.stored);
    assert.equal(await played(page, own?.digest), "");
    assert.ok(!(await stagesHeard(page)).includes("fine-tuning"));
    await page.evaluate((digest) => /** @type {any} */ (globalThis).assay.router.go("microscope", [digest]), own?.digest);
    await page.evaluate((digest) => /** @type {any} */ (globalThis).assay.log.db.write(["weights"], async (/** @type {any} */ stores) => stores.weights.delete(digest)), own?.digests.fine_tuned);
    const anew = await looked(page);
    assert.notEqual(anew.stored, own?.digests.stored);
    await says(page, /The weights that a GPU fine-tuned for this run are not stored in this browser/, { within: ".microscope-view" });
    assert.notEqual((await exported(page)).stored_digest, own?.digests.stored);
    await says(page, /the weights that a GPU fine-tuned for this run are not stored in this browser/, { within: "assay-notices" });
    assert.match(await played(page, own?.digest), /^The weights that a GPU fine-tuned for this run are not stored/u);
    assert.ok((await stagesHeard(page)).includes("fine-tuning"));

    await page.evaluate((digest) => /** @type {any} */ (globalThis).assay.router.go("microscope", [digest]), variants[0]?.digest);
    await says(page, "Layers, the most damaged first");
    await page.evaluate(() => /** @type {HTMLElement} */ (document.querySelector("input[role=switch]:not(:disabled)")).click());
    await waitFor(page, "it was computed anew", () => document.querySelector(".microscope-view[aria-busy=false]") !== null && document.body.innerText.includes("Record this variant"));
    assert.deepEqual(page.problems, []);
  } finally {
    await browser.close();
    await server.close();
  }
});
