// @ts-check
/** @file Generated sets and checks of data as a person meets them: signals are drawn, findings shown, a failing set needs a reason. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, servePage } from "./harness/index.mjs";
import { watchMemory } from "./memory.mjs";
import { goTo, open, press, recipeText, run, says, smallRecipe, useRecipe, waitFor } from "./person.mjs";

/** What a page with 10,000 squares may take, all of its process: engine, Worker and both modules. */
const MOST_MEGABYTES = 300;

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
  assert.equal(record.findings.findings.length, 14);
  assert.deepEqual(page.problems, []);
});

test("leaked rows stop a run until somebody says why, and the reason is in the record", async () => {
  const page = await open(browser, server.url);
  const faulty = await smallRecipe(page, { data: { set: "digits", faults: { leakage: 0.3 } } });
  await useRecipe(page, faulty);
  await goTo(page, "Data");
  await press(page, /^Show \d+, leakage$/, "assay-findings");
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

test("sliders put faults in, the checks fire at once, and a run's accuracy falls", async () => {
  const page = await open(browser, server.url);
  await useRecipe(page, await smallRecipe(page, { training: { epochs: 6, batch_size: 16 } }));
  const clean = await run(page);
  await goTo(page, "Data");
  await press(page, /^Faults/, "assay-data-view");
  for (const [fault, percent, check] of /** @type {[string, number, string][]} */ ([
    ["label-flips", 50, "consistency"],
    ["missing-values", 20, "missing"],
  ])) {
    await page.evaluate(
      (fault, percent) => {
        const slider = /** @type {HTMLInputElement} */ (document.querySelector(`#fault-${fault}`));
        slider.value = String(percent);
        slider.dispatchEvent(new Event("input", { bubbles: true }));
      },
      fault,
      percent,
    );
    await waitFor(page, `${check} fires`, (check) => [...document.querySelectorAll("assay-findings li")].some((each) => each.querySelector("strong")?.textContent === check && /warn|fail/.test(each.querySelector(".status")?.textContent ?? "")), { args: [check] });
  }
  await goTo(page, "Experiment");
  const recipe = JSON.parse(await recipeText(page));
  assert.deepEqual(recipe.data.faults, { "label flips": 0.5, "missing values": 0.2 });
  recipe.data.reason = "to see what faults do";
  await useRecipe(page, recipe);
  const faulty = await run(page);
  const share = (/** @type {any} */ { results: { accuracy } }) => accuracy.correct / accuracy.total;
  console.log(`accuracy ${share(clean).toFixed(3)}, with faults ${share(faulty).toFixed(3)}`);
  assert.ok(share(faulty) < share(clean) - 0.02, `${share(faulty)} against ${share(clean)}`);
  await goTo(page, "Data");
  await press(page, "Take all out", "assay-faults");
  await says(page, /None of the \d+ checks that could be made found anything/, { within: "assay-findings" });
  assert.deepEqual(page.problems, []);
  await page.close();
});

test("10,000 squares of chess boards are made and checked within 30 s", async () => {
  const page = await open(browser, server.url);
  await useRecipe(page, await smallRecipe(page, { data: { set: "chess", size: 156 } }));
  const memory = watchMemory(browser);
  const began = performance.now();
  await goTo(page, "Data");
  await says(page, "9,984 of 32 × 32 pixels", { within: "assay-data-view" });
  const made = performance.now() - began;
  await says(page, /checks found something|checks that could be made/, { within: "assay-findings" });
  const checked = performance.now() - began;
  console.log(`chess: 9,984 squares made in ${(made / 1e3).toFixed(1)} s, ${Math.round(9984 / (made / 1e3))} a second, and checked after ${(checked / 1e3).toFixed(1)} s`);
  assert.ok(9984 / (made / 1e3) > 2000, `${made} ms`);
  assert.ok(checked < 30_000, `${checked} ms`);
  const most = await memory.most();
  if (most) {
    console.log(`chess: the page's process had ${Math.round(most)} MB of its own at most`);
    assert.ok(most < MOST_MEGABYTES, `${most} MB`);
  }
  assert.deepEqual(page.problems, []);
  await page.close();
});

test("a set that is being made can be stopped", async () => {
  const page = await open(browser, server.url);
  await useRecipe(page, await smallRecipe(page, { data: { set: "chess", size: 2000 } }));
  await goTo(page, "Data");
  await says(page, /making the data … \d+ %/, { within: "assay-data-view" });
  await press(page, "Stop", "assay-data-view");
  await says(page, "was stopped", { within: "assay-data-view" });
  assert.deepEqual(page.problems, []);
  await page.close();
});
