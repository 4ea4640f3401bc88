// @ts-check
/** @file A set edited as a person does it, by keyboard: labels, dropped rows and slices, undone one by one, run, and carried by a link. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, servePage } from "./harness/index.mjs";
import { copied, goTo, open, press, pressable, records, recipeText, run, says, smallRecipe, useRecipe, waitFor } from "./person.mjs";

/** @typedef {import("./person.mjs").Page} Page */

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

const VIEW = "assay-data-view";

/** Chooses which rows are shown. @param {Page} page @param {string} id */
async function choose(page, id) {
  await waitFor(page, `there are rows ${id}`, (id) => [...document.querySelectorAll(".rows-chooser option")].some((each) => /** @type {HTMLOptionElement} */ (each).value === id), { args: [id] });
  await page.select(".rows-chooser", id);
}

/** Puts the keyboard on the picture that Tab reaches. @param {Page} page */
async function reachPictures(page) {
  await page.focus("assay-image-grid button.image:not([tabindex])");
}

/** Puts the keyboard on a button and presses Enter. @param {Page} page @param {string|RegExp} name @param {string} within */
async function enter(page, name, within) {
  await (await pressable(page, name, within)).focus();
  await page.keyboard.press("Enter");
}

/** Rows whose pictures are selected. @param {Page} page @returns {Promise<number[]>} */
function selected(page) {
  return page.evaluate(() => [...document.querySelectorAll('assay-image-grid button[aria-pressed="true"] canvas')].map((each) => Number(/** @type {HTMLElement} */ (each).dataset.row)));
}

/** The recipe's edits, as they would be run. @param {Page} page */
async function edits(page) {
  await goTo(page, "Experiment");
  const { data } = JSON.parse(await recipeText(page));
  await goTo(page, "Data");
  return data.edits;
}

test("by keyboard rows are dropped, relabelled and sliced, undone, run, and carried by a link", async () => {
  const page = await open(browser, server.url);
  await useRecipe(page, await smallRecipe(page));
  const plain = await run(page);
  await press(page, "Copy link", "assay-this-run");
  const oldLink = await copied(page);
  await goTo(page, "Data");
  await says(page, "None. Select rows", { within: "assay-edits" });
  await choose(page, "test");
  await reachPictures(page);
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press(" ");
  await page.keyboard.down("Shift");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.up("Shift");
  const { rows: test } = plain.predictions;
  assert.deepEqual(await selected(page), test.slice(1, 3));
  await enter(page, "Drop", "assay-edit-bar");
  await says(page, "2 rows dropped", { within: "assay-edits" });
  await enter(page, `Undo: row ${test[2]} is dropped`, "assay-edits");
  await says(page, "1 row dropped", { within: "assay-edits" });
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), "Edits", "the keyboard stays with the list");

  await choose(page, "train");
  await says(page, "0 selected", { within: "assay-edit-bar" });
  await enter(page, "Change label", "assay-edit-bar");
  await says(page, "Select rows first", { within: "assay-edit-bar" });
  await reachPictures(page);
  await page.keyboard.press(" ");
  const [row] = await selected(page);
  assert.notEqual(row, undefined);
  await page.select(".right-class", "3");
  await enter(page, "Change label", "assay-edit-bar");
  await says(page, new RegExp(`row ${row}: \\d becomes 3`), { within: "assay-edits" });

  await choose(page, "wrong");
  await enter(page, /^Select all/, "assay-edit-bar");
  const missed = test.filter((/** @type {number} */ row, /** @type {number} */ at) => row !== test[1] && plain.predictions.labels[at] !== plain.predictions.predicted[at]);
  await page.focus(".slice-name");
  await page.keyboard.type("missed");
  await page.keyboard.press("Enter");
  await says(page, "1 label, 1 row dropped, 1 slice", { within: "assay-edits" });
  await waitFor(page, "the version is told", () => document.querySelectorAll("assay-edits assay-digest").length === 2);
  assert.deepEqual(await edits(page), { labels: { [String(row)]: 3 }, dropped: [test[1]], slices: { missed } });

  await goTo(page, "Experiment");
  assert.match(await page.evaluate(() => location.hash), /^#r1\./);
  const address = await page.evaluate(() => location.href);
  const changed = await run(page);
  assert.equal(changed.digests.source, plain.digests.data);
  assert.notEqual(changed.digests.data, plain.digests.data);
  assert.ok(!changed.predictions.rows.includes(test[1]));
  assert.equal(changed.results.slices[0].accuracy.total, missed.length);
  await goTo(page, "Runs");
  await page.evaluate(() => /** @type {HTMLElement} */ (document.querySelector("assay-run-table tbody .first button")).click());
  await says(page, "Slice missed", { within: "assay-run-details" });
  await says(page, "Edited from", { within: "assay-run-details" });
  assert.deepEqual(page.problems, []);
  await page.close();

  const colleague = await open(await browser.createBrowserContext(), address);
  await colleague.waitForSelector("button.run");
  const again = await run(colleague);
  assert.deepEqual(again.digests, changed.digests);
  await colleague.close();
  const old = await open(await browser.createBrowserContext(), oldLink);
  await press(old, "Run it here");
  await says(old, "reproduced", { within: "assay-verdict" });
  assert.equal((await records(old))[0]?.digests.data, plain.digests.data);
  await old.close();
});

test("labels that a check doubts are changed as suggested, and it warns no more", async () => {
  const page = await open(browser, server.url);
  await useRecipe(page, await smallRecipe(page, { data: { set: "digits", faults: { "label flips": 0.1 } } }));
  await goTo(page, "Data");
  await press(page, /^Show \d+, consistency$/, "assay-findings");
  await says(page, "Rows that consistency names", { within: VIEW });
  await press(page, /^Select all \d+$/, "assay-edit-bar");
  await press(page, "Label as suggested", "assay-edit-bar");
  await says(page, /^Edits \d+ labels\./, { within: "assay-edits" });
  const calm = () => [...document.querySelectorAll("assay-findings li")].some((each) => each.querySelector("strong")?.textContent === "consistency" && /pass/.test(each.querySelector(".status")?.textContent ?? ""));
  await waitFor(page, "consistency passes", calm);
  await press(page, "Undo all", "assay-edits");
  await waitFor(page, "consistency warns again", () => [...document.querySelectorAll("assay-findings button")].some((each) => /consistency$/.test(each.getAttribute("aria-label") ?? "") && /^Show \d{2,}/.test(each.textContent ?? "")));
  // One that is repaired goes from the rows that the check names; the keyboard goes on with the next.
  await reachPictures(page);
  await page.keyboard.press(" ");
  const [row] = await selected(page);
  await press(page, "Label as suggested", "assay-edit-bar");
  await waitFor(page, "its picture is gone", (row) => document.querySelector(`assay-image-grid canvas[data-row="${row}"]`) === null, { args: [row] });
  assert.equal(await page.evaluate(() => document.activeElement?.className), "image");
  await press(page, "Undo all", "assay-edits");
  assert.equal(await edits(page), undefined);
  assert.deepEqual(page.problems, []);
  await page.close();
});

test("edits go with the set that they are of, and come back", async () => {
  const page = await open(browser, server.url);
  const recipe = await smallRecipe(page);
  await useRecipe(page, { ...recipe, data: { set: "digits", edits: { dropped: [4] } } });
  await page.select("assay-recipe-field select", "vibration");
  await says(page, "What was edited in the set (1 row dropped) went with it");
  assert.equal(JSON.parse(await recipeText(page)).data.edits, undefined);
  await press(page, "Undo", "assay-notices");
  await waitFor(page, "the digits are back", () => /** @type {HTMLSelectElement|null} */ (document.querySelector("assay-recipe-field select"))?.value === "digits");
  assert.deepEqual(JSON.parse(await recipeText(page)).data, { set: "digits", edits: { dropped: [4] } });
  assert.deepEqual(page.problems, []);
  await page.close();
});
