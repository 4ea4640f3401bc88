// @ts-check
/** @file Knowledge in a chess model as a person meets it: the form offers it where it applies, a run has the bits of the native one, what does not go with it is said. */

import assert from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { launch, servePage } from "./harness/index.mjs";
import { open, paste, press, recipeText, run, says, text, useRecipe, waitFor } from "./person.mjs";

/** Of the native run: `tests/chess_model.rs` holds it to the same file. */
const GOLDEN = new URL("../golden/chess-two-stages.json", import.meta.url);
/** Where a picture of the finished run goes, for eyes to judge; none without it. */
const FOLDER = process.env.ASSAY_SCREENSHOTS_DIR;

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

/** Runs in the page: the labels of the form's fields, folded ones included. */
function labels() {
  return [...document.querySelectorAll("assay-recipe-form assay-recipe-field")].map((each) => (each.textContent ?? "").trim().split(/\s{2,}|\n/u)[0] ?? "");
}

/** @param {import("./person.mjs").Page} page @param {string} label */
async function offers(page, label) {
  return (await page.evaluate(labels)).some((each) => each.startsWith(label));
}

test("the form offers colours and stages on chess only, and narrowing where there are two stages", async () => {
  const page = await open(browser, server.url);
  for (const label of ["Augmentation", "Stages", "Narrowing"]) assert.equal(await offers(page, label), false, label);
  const digits = JSON.parse(await recipeText(page));
  const chess = { ...digits, data: { set: "chess" } };
  await useRecipe(page, chess);
  for (const label of ["Augmentation", "Stages"]) assert.equal(await offers(page, label), true, label);
  assert.equal(await offers(page, "Narrowing"), false);
  await useRecipe(page, { ...chess, architecture: { ...chess.architecture, stages: "two" } });
  assert.equal(await offers(page, "Narrowing"), true);
  await paste(page, JSON.stringify({ ...chess, architecture: { ...chess.architecture, stages: "two" }, execution: { engine: "gpu" } }));
  await says(page, "gpu does not go with two stages", { within: "dialog[open]" });
  assert.deepEqual(page.problems, []);
});

test("a run of two stages with colours has the native run's digests, and says what each stage did", async () => {
  const { recipe, digests } = JSON.parse(await readFile(GOLDEN, "utf8"));
  const page = await open(browser, server.url);
  await useRecipe(page, recipe);
  const record = await run(page);
  assert.equal(record.status, "complete");
  assert.deepEqual(record.digests, digests);
  assert.deepEqual(record.results.stages.training.map((/** @type {any} */ { name }) => name), ["occupancy", "piece"]);
  await says(page, "Two stages: ", { within: "assay-this-run" });
  assert.match(await text(page, "assay-this-run"), /The second stage saw \d+\.\d\s% of the squares/u);
  await says(page, "After epoch 4");
  if (FOLDER) {
    await mkdir(FOLDER, { recursive: true });
    await page.setViewport({ width: 1280, height: 1000 });
    await page.screenshot({ path: join(FOLDER, "chess-two-stages.png") });
  }
  await press(page, "Microscope", "assay-this-run");
  await waitFor(page, "the microscope offers schemes", () => document.querySelector("select[name=scheme]"));
  await page.evaluate(() => {
    const select = /** @type {HTMLSelectElement} */ (document.querySelector("select[name=scheme]"));
    select.value = "int8";
    select.dispatchEvent(new Event("change", { bubbles: true }));
  });
  await says(page, "int8 does not go with two stages");
  assert.deepEqual(page.problems, []);
});
