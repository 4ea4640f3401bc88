// @ts-check
/** @file One trained model under many schemes at a press: the table fills, Stop keeps what was recorded, a reload loses nothing, a search keeps its budget. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { launch, servePage } from "./harness/index.mjs";
import { open, press, records, run, says, smallRecipe, text, useRecipe, waitFor } from "./person.mjs";

/** @typedef {import("./person.mjs").Page} Page */

/** @param {(page: Page) => Promise<void>} use @param {object} [changes] Of the small recipe. */
async function withTrained(use, changes = {}) {
  const browser = await launch();
  const server = await servePage();
  try {
    const page = await open(browser, server.url, { query: "?test" });
    await useRecipe(page, await smallRecipe(page, { evaluation: { latency_secs: 0.02 }, ...changes }));
    await run(page);
    await press(page, "Variants", "assay-this-run");
    await says(page, "One trained model, stored in many ways");
    await use(page);
  } finally {
    await browser.close();
    await server.close();
  }
}

/** Leaves only some schemes ticked. @param {Page} page @param {string[]} schemes */
async function tick(page, schemes) {
  await waitFor(page, "schemes are offered", () => document.querySelectorAll("input[name=scheme]").length > 10);
  await page.evaluate((schemes) => {
    for (const box of /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll("input[name=scheme]"))) if (!box.disabled && !schemes.includes(box.value)) box.click();
  }, schemes);
}

/** @param {Page} page */
const rows = (page) => page.evaluate(() => [...document.querySelectorAll(".variants-table tbody tr")].map((row) => [...row.children].map((cell) => /** @type {HTMLElement} */ (cell).innerText.trim())));

test("variants are recorded one by one, judged against f32, and still there after a reload", () =>
  withTrained(async (page) => {
    await tick(page, ["int8", "int4"]);
    await press(page, "Record 2 variants");
    await waitFor(page, "both are in the table", () => document.querySelectorAll(".variants-table tbody tr").length === 3);
    await waitFor(page, "they are judged", () => document.querySelectorAll(".variants-table .delta[data-verdict]").length === 2);
    const table = await rows(page);
    assert.deepEqual(table.map(([scheme]) => scheme), ["f32", "int8", "int4"]);
    assert.match(table[2]?.[2] ?? "", /pp.*(better|worse|can't tell)/s);
    assert.match(table[2]?.[3] ?? "", /µs|ms/);
    const all = await records(page);
    assert.equal(all.length, 3);
    assert.equal(new Set(all.map(({ digests }) => digests.weights)).size, 1);
    assert.deepEqual(all[1].results.training.curve, all[0].results.training.curve);
    assert.ok(all[1].results.damage.layers.length > 0 && all[0].results.damage === undefined);
    await says(page, /3 runs with accuracy and size/);
    await page.reload();
    await waitFor(page, "the table is there again", () => document.querySelectorAll(".variants-table tbody tr").length === 3);
    assert.deepEqual((await rows(page)).map(([scheme]) => scheme), ["f32", "int8", "int4"]);
    // What is recorded is not offered again.
    assert.doesNotMatch(await text(page, ".scheme-list"), /int8$|int4$/m);
  }));

test("Stop keeps what was recorded", () =>
  withTrained(async (page) => {
    // The lab pauses nowhere by itself: it is stopped when the first variant is in the log.
    await page.evaluate(() => {
      const { log, variants } = /** @type {any} */ (globalThis).assay;
      const append = log.append.bind(log);
      log.append = (/** @type {any[]} */ ...record) => {
        variants.stop();
        return append(...record);
      };
    });
    await press(page, /^Record \d+ variants$/);
    await waitFor(page, "it has ended", () => document.querySelector("assay-variants-view progress") === null && document.querySelectorAll(".variants-table tbody tr").length > 1);
    const all = await records(page);
    assert.ok(all.length >= 2 && all.length <= 4, `${all.length} records`);
    assert.ok(all.every(({ results }) => results.accuracy));
    await press(page, /^Record \d+ variants$/);
    await waitFor(page, "more are recorded", (before) => document.querySelectorAll(".variants-table tbody tr").length > before, { args: [(await rows(page)).length] });
  }));

test("fine-tuning that takes longer than a worker may be silent is watched, and Stop ends it", () =>
  withTrained(async (page) => {
    const told = await page.evaluate(async () => {
      const { lab, log, variants, store } = /** @type {any} */ (globalThis).assay;
      Object.assign(lab, { hangMillis: 300, pingMillis: 50 });
      const [digest] = log.summaries.keys();
      const fractions = new Set();
      let began = 0;
      let stopped = 0;
      const watch = setInterval(() => {
        const { stage, fraction } = store.state.variants ?? {};
        if (stage !== "fine-tuning") return;
        began ||= performance.now();
        fractions.add(fraction);
        if (stopped || performance.now() - began < 2 * lab.limitMillis()) return;
        stopped = performance.now();
        variants.stop();
      }, 20);
      const digests = await variants.start(digest, [{ scheme: "int8", fine_tune_epochs: 20 }, { scheme: "f16" }]);
      clearInterval(watch);
      return { count: digests.length, fractions: fractions.size, millis: stopped ? performance.now() - stopped : null };
    });
    assert.ok(told.millis !== null, "it was over before it could be stopped");
    assert.ok(told.count === 1 && told.fractions > 5 && told.millis < 2000, JSON.stringify(told));
    const [, record] = await records(page);
    assert.equal(record.status, "stopped");
    assert.ok(record.results.training && !record.results.accuracy);
  }, { architecture: { family: "lenet", activation: "relu", channels: 64, kernel: 3, dense: 64 } }));

test("a search shows its path and records what it found; after a reload it goes on", () =>
  withTrained(async (page) => {
    // Held when three points are measured, and the page goes away.
    await page.evaluate(() => {
      const { lab, variants } = /** @type {any} */ (globalThis).assay;
      const keep = variants.keep.bind(variants);
      variants.keep = (/** @type {string} */ digest, /** @type {any} */ kept) => {
        if (kept.points.length > 3) return;
        keep(digest, kept);
        if (kept.points.length < 3) return;
        lab.command({ type: "pause", target: variants.commandId });
        Object.assign(globalThis, { held: true });
      };
    });
    await press(page, "Search", "assay-search");
    await waitFor(page, "three points are kept", () => /** @type {any} */ (globalThis).held);
    await page.reload();
    await waitFor(page, "the search can go on", () => document.querySelector("assay-search button:not([disabled])")?.textContent?.includes("Go on after"));
    assert.equal((await records(page)).length, 1);
    await press(page, "Go on after 3 points", "assay-search");
    await says(page, "Found and recorded", { within: "assay-search" });
    const [, found] = await records(page);
    const layers = Object.keys(found?.recipe.quantization.layers);
    assert.ok(layers.length > 0, JSON.stringify(found?.recipe.quantization));
    const path = await page.evaluate(() => [...document.querySelectorAll(".search-path tbody th")].map((cell) => cell.textContent));
    assert.equal(path[0], "f32");
    assert.ok(path.length > layers.length);
    assert.ok(found?.results.cost.weight_bytes < found?.results.cost.f32_bytes);
  }));
