// @ts-check
/** @file 5,000 runs in the log: the table opens, sorts and filters at once. Times go from the action to the next frame painted. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { browserName, launch, servePage } from "./harness/index.mjs";
import { goTo, open, press, run, says, smallRecipe, useRecipe, waitFor } from "./person.mjs";

const RUNS = 5000;
const LIMIT_MILLIS = 200;

/** Runs in the page: varies its one record, sealed by the module, and appends the copies as the page does. @param {number} runs */
async function vary(runs) {
  const { wasm, log, store } = /** @type {any} */ (globalThis).assay;
  const record = JSON.parse(await log.recordText(store.state.runs[0].digest));
  const { accuracy, training, latency } = record.results;
  for (let from = 1; from < runs; from += 250) {
    const entries = [];
    for (let index = from; index < Math.min(runs, from + 250); index += 1) {
      accuracy.correct = 200 + ((index * 7919) % 150);
      accuracy.low = accuracy.correct / accuracy.total - 0.02;
      accuracy.high = accuracy.correct / accuracy.total + 0.02;
      latency.p50_millis = 0.05 + ((index * 104729) % 1000) / 2000;
      training.kept_epoch = 1 + (index % 2);
      record.recipe.seed = index;
      record.recipe.training.learning_rate = 0.001 * (1 + (index % 9));
      record.started = new Date(Date.UTC(2026, 0, 1) + index * 3_600_000).toISOString().replace(/\.\d+/, "");
      const text = wasm.sealRecord(JSON.stringify({ ...record, digest: "" })).record;
      entries.push({ text, summary: wasm.summarize(text) });
    }
    await log.db.appendRecords(entries);
  }
}

/**
 * Runs in the page.
 * @param {"open" | "sort" | "filter"} action
 * @param {number} turn
 */
async function timed(action, turn) {
  const view = () => document.querySelector("assay-runs-view");
  const painted = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  const content = () => view()?.querySelector("tbody")?.textContent + (view()?.querySelector(".runs-head")?.textContent ?? "");
  if (action === "open") {
    location.hash = "#/experiment";
    while (view()) await painted();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const before = content();
  const started = performance.now();
  if (action === "open") location.hash = "#/runs";
  if (action === "sort") {
    const header = [...(view()?.querySelectorAll("thead button") ?? [])].find((each) => each.textContent?.includes(turn % 2 ? "p50" : "Accuracy"));
    /** @type {HTMLElement} */ (header).click();
  }
  if (action === "filter") {
    const input = /** @type {HTMLInputElement} */ (view()?.querySelector("input[type=search]"));
    input.value = ["accuracy>0.9", "training.learning_rate>0.005", "lenet", "-status:stopped accuracy<0.8"][turn % 4] ?? "";
    input.dispatchEvent(new InputEvent("input", { bubbles: true }));
  }
  while (content() === before || (action === "open" && !view()?.querySelector("tbody td"))) {
    await painted();
    if (performance.now() - started > 20_000) throw new Error(`${action} ${turn} changed nothing`);
  }
  await painted();
  return performance.now() - started;
}

test("with 5,000 runs the table opens, sorts and filters within 200 ms each", async () => {
  const browser = await launch();
  const server = await servePage();
  try {
    const page = await open(browser, server.url, { query: "?test" });
    await useRecipe(page, await smallRecipe(page));
    await run(page);
    await page.evaluate(vary, RUNS);
    await goTo(page, "Runs");
    await says(page, "5,000 runs");
    for (const action of /** @type {const} */ (["open", "sort", "filter"])) {
      const millis = [];
      for (let turn = 0; turn < 4; turn += 1) millis.push(await page.evaluate(timed, action, turn));
      const quickest = Math.min(...millis);
      console.log(`5,000 runs, ${action}: ${millis.map((each) => Math.round(each)).join(", ")} ms (target ${LIMIT_MILLIS} ms)`);
      // What else runs on the machine only adds to a time, so the quickest says what the page needs.
      if (browserName() === "chromium") assert.ok(quickest < LIMIT_MILLIS, `${action}: ${quickest} ms`);
    }
    await press(page, /./, "thead");
    const drawn = await page.evaluate(() => document.querySelectorAll("assay-run-table tbody tr").length);
    assert.ok(drawn < 100, `${drawn} rows are drawn`);
    await page.reload();
    const started = Date.now();
    await waitFor(page, "5,000 runs after a reload", () => /[\d,]+ of 5,000 runs|5,000 runs/.test(document.querySelector("assay-runs-view")?.textContent ?? ""));
    console.log(`5,000 runs: read ${Date.now() - started} ms after a reload`);
    assert.deepEqual(page.problems, []);
  } finally {
    await browser.close();
    await server.close();
  }
});
