// @ts-check
/** @file Stored weights as files: what is saved was read back by the lab and has the size that is said; a form without the type says so. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { launch, servePage } from "./harness/index.mjs";
import { open, press, run, saved, says, smallRecipe, useRecipe, waitFor } from "./person.mjs";

test("stored weights are exported, proved and named", async () => {
  const browser = await launch();
  const server = await servePage();
  try {
    const page = await open(browser, server.url, { query: "?test" });
    await useRecipe(page, await smallRecipe(page, { quantization: { scheme: "Q4_0", rows: "padded" }, evaluation: { latency_secs: 0.02 } }));
    const record = await run(page);
    await press(page, "Microscope", "assay-this-run");
    await press(page, "Export safetensors");
    await says(page, "the file gave the same answers on all 359 test images, as the record says", { within: "assay-notices" });
    const file = await saved(page);
    assert.match(file.name, /^assay-mlp-Q4_0-[0-9a-f]{8}\.safetensors$/);
    assert.ok(file.size > record.results.cost.weight_bytes && file.size < record.results.cost.weight_bytes + 8000, `${file.size}`);
    const header = await page.evaluate(async () => {
      const bytes = await /** @type {any} */ (globalThis).kept.saved.at(-1).blob.arrayBuffer();
      const length = Number(new DataView(bytes).getBigUint64(0, true));
      return JSON.parse(new TextDecoder().decode(bytes.slice(8, 8 + length)));
    });
    assert.equal(header.__metadata__.recipe_digest, record.recipe_digest);
    assert.equal(header.__metadata__.scheme, "Q4_0");
    assert.equal(header.__metadata__.predictions_digest, record.digests.predictions);

    await press(page, "Export GGUF");
    await waitFor(page, "a GGUF file is saved", () => /** @type {any} */ (globalThis).kept.saved.at(-1)?.name.endsWith(".gguf"));
    assert.match((await saved(page)).text, /^GGUF/);

    // A scheme that GGUF has no type for: nothing is saved, and the message says what would do.
    await page.select("select[name=scheme]", "int4");
    await waitFor(page, "it is computed", () => document.querySelector(".microscope-view[aria-busy=false]") !== null && document.body.innerText.includes("Back to the record"));
    await press(page, "Export GGUF");
    await says(page, /GGUF has no such type.*export as safetensors/, { within: "assay-notices" });
    assert.equal(await page.evaluate(() => /** @type {any} */ (globalThis).kept.saved.length), 2);
  } finally {
    await browser.close();
    await server.close();
  }
});
