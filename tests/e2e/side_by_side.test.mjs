// @ts-check
/** @file The queue in several Workers at once: every run is recorded with the digests that it has alone, latencies included. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, servePage } from "./harness/index.mjs";
import { open, press, run, says, smallRecipe, useRecipe, waitFor } from "./person.mjs";

/** @type {import("puppeteer-core").Browser} */
let browser;
/** @type {Awaited<ReturnType<typeof servePage>>} */
let server;
before(async () => {
  server = await servePage();
  browser = await launch();
});
after(async () => {
  await browser.close();
  await server.close();
});

/** Runs in the page: what the log says of each run. */
function logged() {
  /** @type {any} */
  const { assay } = globalThis;
  return assay.store.state.runs.map((/** @type {any} */ { seed, status, weightsDigest, p50Millis }) => ({ seed, status, weightsDigest, timed: p50Millis > 0 }));
}

test("queued runs go side by side, each is timed, and none differs from one that ran alone", async () => {
  const page = await open(browser, server.url, {
    query: "?test",
    before: (page) => page.evaluateOnNewDocument(() => Object.defineProperty(navigator, "hardwareConcurrency", { value: 4 })),
  });
  for (const seed of [1, 2, 3, 4]) {
    await useRecipe(page, await smallRecipe(page, { seed }));
    await press(page, "Add to queue");
  }
  await press(page, "3 at a time", "assay-queue");
  await says(page, "at work", { within: "assay-queue" });
  await waitFor(page, "four records", () => /** @type {any} */ (globalThis).assay.store.state.runs.length === 4 && !(/** @type {any} */ (globalThis).assay.store.state.sweep));
  const side = await page.evaluate(logged);
  assert.deepEqual(side.map((/** @type {any} */ { seed }) => seed).sort(), [1, 2, 3, 4]);
  for (const each of side) assert.deepEqual([each.status, each.timed], ["complete", true]);

  await useRecipe(page, await smallRecipe(page, { seed: 3 }));
  await run(page);
  const [alone] = await page.evaluate(logged);
  assert.equal(alone.weightsDigest, side.find((/** @type {any} */ { seed }) => seed === 3)?.weightsDigest);
  assert.deepEqual(page.problems, []);
});
