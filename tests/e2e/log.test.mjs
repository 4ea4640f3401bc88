// @ts-check
/** @file The log keeps what was measured: over reloads, between tabs, through files, and where the database refuses. */

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { launch, servePage } from "./harness/index.mjs";
import { goTo, isUsable, open, press, records, run, runIsOver, saved, says, smallRecipe, text, useRecipe, waitFor } from "./person.mjs";

/** @type {import("puppeteer-core").Browser} */
let browser;
/** @type {{ url: string, close: () => Promise<void> }} */
let server;
/** @type {import("./person.mjs").Page} */
let page;
let exported = "";
/** Digest of the run that gets a name. */
let named = "";

before(async () => {
  browser = await launch();
  server = await servePage();
});
after(async () => {
  await browser.close();
  await server.close();
});

test("a reload in the middle leaves an interrupted run that resumes to the digest of an uninterrupted one", async () => {
  page = await open(browser, server.url);
  await useRecipe(page, await smallRecipe(page, { architecture: { family: "lenet", channels: 8, kernel: 3, dense: 32, activation: "relu" }, training: { epochs: 80, batch_size: 8 } }));
  await press(page, "Run");
  await waitFor(page, "two epochs are kept", () => [...document.querySelectorAll("assay-progress")].some((each) => /epoch ([3-9]|[1-7]\d) /i.test(each.textContent ?? "")));
  await page.reload();
  await isUsable(page);
  await says(page, /interrupted .*Epoch [1-7]?\d of 80 is kept/, { within: "assay-interrupted" });
  const [interrupted, ...others] = await records(page);
  assert.equal(others.length, 0);
  assert.equal(interrupted.status, "interrupted");
  assert.ok(interrupted.results.training.curve.length >= 1);
  const resumed = await run(page, { button: "Resume" });
  const uninterrupted = await run(page);
  assert.equal(resumed.status, "complete");
  assert.equal(resumed.resumed_from, interrupted.digest);
  assert.deepEqual({ ...resumed.digests }, { ...uninterrupted.digests });
});

test("two tabs append at once and both runs survive", async () => {
  const other = await open(browser, server.url);
  const tabs = [page, other];
  for (const [seed, tab] of tabs.entries()) {
    await tab.bringToFront();
    await useRecipe(tab, await smallRecipe(tab, { seed: seed + 7 }));
  }
  await Promise.all(tabs.map((tab) => press(tab, "Run")));
  for (const tab of tabs) {
    await tab.bringToFront();
    await runIsOver(tab);
  }
  const seeds = (await records(page)).map(({ recipe }) => recipe.seed);
  assert.deepEqual(seeds.sort(), [1, 1, 1, 7, 8]);
  for (const tab of tabs) await says(tab, "All 5 runs");
  await other.close();
});

test("a deleted run can be brought back", async () => {
  await page.bringToFront();
  await goTo(page, "Runs");
  await says(page, "5 runs", { within: "assay-runs-view" });
  await page.evaluate(() => /** @type {HTMLElement} */ (document.querySelector("assay-run-table tbody input[type=checkbox]")).click());
  await press(page, "Delete", "assay-runs-view");
  await says(page, "4 runs", { within: "assay-runs-view" });
  await press(page, "Undo", "assay-notices");
  await says(page, "5 runs", { within: "assay-runs-view" });
});

test("name, note and pin survive a reload", async () => {
  named = (await records(page))[1]?.digest;
  await page.goto(`${server.url}#/runs/${named}`);
  await waitFor(page, "the details are open", () => document.querySelector("assay-run-details textarea"));
  await page.evaluate(() => {
    for (const [selector, words] of [["input[type=text]", "the good one"], ["textarea", "tried twice"]]) {
      const field = /** @type {HTMLInputElement} */ (document.querySelector(`assay-run-details ${selector}`));
      field.value = words ?? "";
      field.dispatchEvent(new Event("change", { bubbles: true }));
    }
  });
  await press(page, "Pin as baseline", "assay-run-details");
  await waitFor(page, "it is pinned", () => /^Baseline$/m.test(/** @type {HTMLElement | null} */ (document.querySelector("assay-run-details [aria-pressed=true]"))?.innerText.trim() ?? ""));
  await page.reload();
  await says(page, "the good one", { within: "assay-run-details h2" });
  await says(page, "baseline", { within: "assay-run-table" });
  assert.equal(await waitFor(page, "the note", () => /** @type {HTMLTextAreaElement | null} */ (document.querySelector("assay-run-details textarea"))?.value), "tried twice");
});

test("the log is exported as JSON Lines and as CSV", async () => {
  await press(page, "Export as JSON Lines", "assay-runs-view");
  const file = await saved(page);
  assert.match(file.name, /^assay-runs-.*\.jsonl$/);
  exported = file.text;
  const kinds = exported.trimEnd().split("\n").map((line) => JSON.parse(line).assay);
  assert.equal(kinds.filter((kind) => kind === "record").length, 5);
  assert.ok(kinds.includes("annotation"));
  await press(page, "Export as CSV", "assay-runs-view");
  await waitFor(page, "the CSV", () => /** @type {any} */ (globalThis).kept.saved.at(-1).name.endsWith(".csv"));
  const [head, ...rows] = (await saved(page)).text.trimEnd().split(/\r?\n/);
  assert.match(head ?? "", /accuracy/);
  assert.equal(rows.length, 5);
  assert.ok(rows.some((row) => row.includes("the good one")), "names are in the CSV");
});

test("an import keeps the good lines, lists the broken one by its number, and marks the altered one", async () => {
  const folder = await mkdtemp(join(tmpdir(), "assay-log-"));
  const lines = exported.trimEnd().split("\n");
  const last = lines.findLastIndex((line) => JSON.parse(line).status === "complete" && JSON.parse(line).digest !== named);
  const honest = lines[last] ?? "";
  lines[last] = honest.replace(/"correct":(\d+)/, (_, correct) => `"correct":${Number(correct) + 1}`);
  assert.notEqual(lines[last], honest);
  const file = join(folder, "log.jsonl");
  await writeFile(file, [...lines.slice(0, 2), "{broken", ...lines.slice(2)].join("\n"));
  const elsewhere = await browser.createBrowserContext();
  const fresh = await open(elsewhere, server.url);
  await goTo(fresh, "Runs");
  const input = await fresh.waitForSelector("assay-log-import input[type=file]");
  await /** @type {any} */ (input).uploadFile(file);
  await says(fresh, /Imported log\.jsonl: 5 new runs.*1 altered.*1 line that could not be read/);
  await says(fresh, /Line 3: /);
  await says(fresh, "altered", { within: "assay-run-table" });
  await says(fresh, "the good one", { within: "assay-run-table" });
  assert.equal((await records(fresh)).length, 5);
  assert.deepEqual(fresh.problems, []);
  await elsewhere.close();
  await rm(folder, { recursive: true });
});

test("without a database the page says so and goes on in memory", async () => {
  const before = (/** @type {import("./person.mjs").Page} */ fresh) =>
    fresh.evaluateOnNewDocument(() => Object.defineProperty(globalThis, "indexedDB", { value: undefined }));
  const fresh = await open(browser, server.url, { before });
  await says(fresh, /no database here, so the log lives until the page is closed/);
  await useRecipe(fresh, await smallRecipe(fresh));
  await press(fresh, "Run");
  await runIsOver(fresh);
  await goTo(fresh, "Runs");
  await says(fresh, "1 run", { within: "assay-runs-view" });
  await says(fresh, "In memory only");
  await fresh.close();
});

test("a full disk is said, and the run is kept until the page is closed", async () => {
  const elsewhere = await browser.createBrowserContext();
  const fresh = await open(elsewhere, server.url);
  await useRecipe(fresh, await smallRecipe(fresh));
  await run(fresh);
  await fresh.evaluate(() => {
    IDBObjectStore.prototype.put = () => {
      throw new DOMException("simulated", "QuotaExceededError");
    };
  });
  await press(fresh, "Run");
  await says(fresh, /The browser's storage is full\. New runs are kept until the page is closed; export the log/);
  await runIsOver(fresh);
  await goTo(fresh, "Runs");
  await says(fresh, "2 runs", { within: "assay-runs-view" });
  assert.equal((await records(fresh)).length, 1);
  assert.doesNotMatch(await text(fresh), /undefined|\[object/);
  await elsewhere.close();
});
