// @ts-check
/** @file Whole boards of chess as a person has them read: the rule is chosen in the form, the run shows a table of both ways, its details show boards, and another tab bears the link out. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { everybodyCanUse } from "./everybody.mjs";
import { launch, servePage } from "./harness/index.mjs";
import { copied, open, press, recipeText, run, says, smallRecipe, text, useRecipe, waitFor } from "./person.mjs";

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

test("the rule is chosen, boards are read both ways, and a link is borne out", async () => {
  const page = await open(browser, server.url);
  const small = { data: { set: "chess", size: 60 }, architecture: { family: "lenet", channels: 4, kernel: 3, dense: 16, activation: "relu" }, training: { epochs: 1, warmup_epochs: 0.5, batch_size: 32 } };
  await useRecipe(page, await smallRecipe(page, small));
  await waitFor(page, "the form has the rule", () => document.querySelector("#field-reading-rule"));
  assert.equal(await page.evaluate(() => document.querySelector("#field-reading-kept")), null);
  await page.evaluate(() => {
    const select = /** @type {HTMLSelectElement} */ (document.querySelector("#field-reading-rule"));
    select.value = "legal";
    select.dispatchEvent(new Event("change", { bubbles: true }));
  });
  await waitFor(page, "its numbers are there", () => document.querySelector("#field-reading-kept") && document.querySelector("#field-reading-change"));
  assert.deepEqual(JSON.parse(await recipeText(page)).reading, { rule: "legal" });

  const record = await run(page);
  const { reading } = record.results;
  assert.equal(record.status, "complete");
  assert.equal(reading.positions.length, 12);
  assert.equal(reading.without.squares.correct, record.results.accuracy.correct);
  assert.ok(reading.with.boards.correct > reading.without.boards.correct, JSON.stringify([reading.with.boards, reading.without.boards]));
  assert.ok(reading.with.macs < reading.without.macs / 2);
  for (const way of [reading.without, reading.with]) assert.ok(way.latency.p50_millis > 0);
  console.log(`boards right: ${reading.without.boards.correct} alone, ${reading.with.boards.correct} by the rule, of 12; ${(reading.with.macs / reading.without.macs).toFixed(2)} of the work; p50 ${reading.without.latency.p50_millis} and ${reading.with.latency.p50_millis} ms a board`);
  const table = (await text(page, "assay-this-run assay-boards")).replace(/\s+/g, " ");
  for (const words of ["Square by square", "By the rule", "if independent", "squares asked", "p50 per board", `The rule repairs ${reading.repaired} and spoils ${reading.spoiled} of 12 boards`]) assert.ok(table.includes(words), `${words}: ${table}`);

  await press(page, "Copy link", "assay-this-run");
  const link = await copied(page);
  await page.goto(`${server.url}#/runs/${record.digest}`);
  await waitFor(page, "boards are drawn", () => document.querySelectorAll("assay-run-details .board-diagram").length >= 2);
  const seen = await page.evaluate(() => {
    const [alone, rule] = [...document.querySelectorAll("assay-run-details .board-diagram")];
    return { squares: alone?.childElementCount, wrong: alone?.querySelectorAll("[data-wrong]").length, right: rule?.querySelectorAll("[data-wrong]").length, label: alone?.getAttribute("aria-label") };
  });
  assert.equal(seen.squares, 64);
  assert.ok((seen.wrong ?? 0) > 0 && seen.right === 0, JSON.stringify(seen));
  assert.equal(seen.label, `Position read square by square: ${seen.wrong} of 64 squares wrong`);
  assert.deepEqual(await everybodyCanUse(page, "boards of a run"), []);
  assert.deepEqual(page.problems, []);
  await page.close();

  const other = await open(browser, server.url, { fragment: link.slice(link.indexOf("#")) });
  await press(other, "Run it here");
  await says(other, "reproduced", { within: "assay-verdict" });
  await says(other, "Positions read", { within: "assay-verdict" });
  await says(other, "Boards with the rule", { within: "assay-verdict" });
  assert.deepEqual(other.problems, []);
  await other.close();
});

test("a recipe without the rule reads no boards and shows none", async () => {
  const page = await open(browser, server.url);
  await useRecipe(page, await smallRecipe(page));
  assert.equal(await page.evaluate(() => document.querySelector("#field-reading-rule")), null);
  const record = await run(page);
  assert.equal(record.results.reading, undefined);
  assert.equal(await page.evaluate(() => document.querySelector("assay-boards")), null);
  assert.deepEqual(page.problems, []);
  await page.close();
});
