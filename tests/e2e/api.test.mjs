// @ts-check
/** @file The documented example of the public API, served as it stands: it must come to the committed digests here too. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { launch, newPage } from "./harness/index.mjs";
import { serveFolders } from "./harness/static_server.mjs";

const ROOT = new URL("../../", import.meta.url);

/** @type {import("puppeteer-core").Browser} */
let browser;
/** @type {{ origin: string, close: () => Promise<void> }} */
let server;
before(async () => {
  const folder = (/** @type {string} */ path) => fileURLToPath(new URL(path, ROOT));
  server = await serveFolders({ "/docs/api-example/": folder("docs/api-example/"), "/www/pkg/": folder("www/pkg/") });
  browser = await launch();
});
after(async () => {
  await browser.close();
  await server.close();
});

test("a page with nothing of Assay's own makes, trains, scores, exports and loads a model", async () => {
  const page = await newPage(browser);
  await page.goto(`${server.origin}/docs/api-example/`);
  await page.waitForFunction(() => document.querySelector("pre")?.textContent?.startsWith("{"));
  const text = await page.evaluate(() => document.querySelector("pre")?.textContent ?? "");
  assert.deepEqual(page.problems, []);
  const { info, weights, predictionsDigest, accuracy, trained } = JSON.parse(text);
  const golden = JSON.parse(await readFile(new URL("tests/golden/api-example.json", ROOT), "utf8"));
  assert.deepEqual({ arithmetic: info.arithmetic, predictions: predictionsDigest, weights }, golden);
  assert.ok(accuracy > 0.98);
  assert.equal(trained.nonFinite, null);
});
