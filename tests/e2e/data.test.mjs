// @ts-check
/** @file Generated sets and checks of data as a person meets them: signals are drawn, findings shown, a failing set needs a reason. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, servePage } from "./harness/index.mjs";
import { goTo, open, press, run, says, smallRecipe, useRecipe, waitFor } from "./person.mjs";

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

/** Runs in the page: whether every image of the grid has something drawn on it. */
function drawn() {
  const canvases = [...document.querySelectorAll("assay-data-view canvas")].map((each) => /** @type {HTMLCanvasElement} */ (each));
  const inked = (/** @type {HTMLCanvasElement} */ canvas) => canvas.width > 1 && canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height).data.some((value) => value > 0);
  return canvases.length > 0 && canvases.every(inked) && canvases[0]?.width;
}

test("a machine's signal is made, checked, drawn and learned from, and its run says what was found", async () => {
  const page = await open(browser, server.url);
  await useRecipe(page, await smallRecipe(page, { data: { set: "vibration", size: 600 } }));
  await goTo(page, "Data");
  await says(page, "256 numbers", { within: "assay-data-view" });
  await says(page, /checks found something|checks that could be made/, { within: "assay-findings" });
  assert.equal(await waitFor(page, "every signal is drawn", drawn), 256);
  await goTo(page, "Experiment");
  const record = await run(page);
  assert.equal(record.status, "complete");
  assert.equal(record.findings.findings.length, 13);
  assert.deepEqual(page.problems, []);
});

test("leaked rows stop a run until somebody says why, and the reason is in the record", async () => {
  const page = await open(browser, server.url);
  const faulty = await smallRecipe(page, { data: { set: "digits", fault: "leakage", severity: 0.3 } });
  await useRecipe(page, faulty);
  await goTo(page, "Data");
  await press(page, "Show leakage", "assay-findings");
  await says(page, "Rows that leakage names", { within: "assay-data-view" });
  await goTo(page, "Experiment");
  await press(page, "Run");
  await says(page, "a reason in data.reason");
  faulty.data.reason = "to see what leakage does";
  await useRecipe(page, faulty);
  const record = await run(page);
  assert.equal(record.recipe.data.reason, "to see what leakage does");
  assert.ok(record.findings.findings.some((/** @type {any} */ { check, status }) => check === "leakage" && status === "fail"));
});
