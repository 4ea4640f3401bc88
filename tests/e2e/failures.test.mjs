// @ts-check
/** @file What goes wrong is said in words with the next step, and nothing that was logged is lost. */

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { launch, newPage, servePage } from "./harness/index.mjs";
import { open, paste, press, records, run, runIsOver, saved, says, smallRecipe, text, useRecipe, waitFor } from "./person.mjs";

/** @typedef {import("./person.mjs").Page} Page */

/** @type {import("puppeteer-core").Browser} */
let browser;
/** @type {import("puppeteer-core").BrowserContext} */
let profile;
/** @type {{ url: string, close: () => Promise<void> }} */
let server;
before(async () => {
  browser = await launch();
  server = await servePage();
  profile = await browser.createBrowserContext();
});
afterEach(async () => {
  for (const page of await profile.pages()) await page.close();
});
after(async () => {
  await browser.close();
  await server.close();
});

/** Lets the lab fail as only a page opened for tests can. @param {Page} page @param {"crash" | "hang"} type */
const fail = (page, type) =>
  page.evaluate((type) => void /** @type {any} */ (globalThis).assay.lab.command({ type }).done.catch(() => {}), type);

for (const [type, words] of /** @type {const} */ ([
  ["crash", /The lab crashed/],
  ["hang", /The lab stopped answering/],
])) {
  test(`a lab that fails (${type}) is started again, the run is resumable, the log is whole and the next run works`, async () => {
    const page = await open(profile, server.url, { query: "?test" });
    const before = await records(page);
    await useRecipe(page, await smallRecipe(page, { training: { epochs: 400, batch_size: 4 } }));
    await press(page, "Run");
    await waitFor(page, "an epoch is over", () => /epoch ([3-9]|\d\d)/i.test(document.querySelector("assay-progress")?.textContent ?? ""));
    await fail(page, type);
    await says(page, words, { within: "assay-notices" });
    await says(page, /It was started again\. Epoch \d+ was kept; resume the run from there/);
    await waitFor(page, "the lab is ready", () => document.querySelector("button.run:not([disabled])"));
    const kept = await records(page);
    assert.equal(kept.length, before.length + 1);
    assert.equal(kept.filter(({ status }) => status === "interrupted").length, before.filter(({ status }) => status === "interrupted").length + 1);
    await useRecipe(page, await smallRecipe(page));
    assert.equal((await run(page)).status, "complete");
    await press(page, "Discard", "assay-interrupted");
  });
}

test("a training that becomes non-finite names the step and keeps what was measured", async () => {
  const page = await open(profile, server.url);
  await useRecipe(page, await smallRecipe(page, { training: { optimizer: "sgd", momentum: 0.999, learning_rate: 10, epochs: 30, warmup_epochs: 0, schedule: "constant" }, preprocessing: { scale: "standardize" }, architecture: { family: "mlp", depth: 8, width: 64, activation: "relu" } }));
  const record = await run(page);
  await says(page, /The loss became NaN or infinite at step \d+\. What was measured before is kept/);
  assert.equal(record.status, "non-finite");
  assert.doesNotMatch(await text(page), /diverged/);
});

for (const [what, change, words] of /** @type {[string, (recipe: any) => unknown, RegExp][]} */ ([
  ["no JSON", () => "{ this is no recipe", /JSON/],
  ["no seed", ({ seed, ...recipe }) => recipe, /seed/],
  ["a wrong type", (recipe) => ({ ...recipe, training: { ...recipe.training, epochs: "many" } }), /training\.epochs: .*(number|whole)/],
  ["a negative size", (recipe) => ({ ...recipe, training: { ...recipe.training, batch_size: -1 } }), /training\.batch_size: /],
  ["NaN", (recipe) => JSON.stringify(recipe).replace(/"learning_rate":[^,]+/, '"learning_rate":NaN'), /JSON|NaN/],
  ["an absurd size", (recipe) => ({ ...recipe, architecture: { ...recipe.architecture, width: 1e12 } }), /architecture\.width: /],
])) {
  test(`a pasted recipe with ${what} is refused in words`, async () => {
    const page = await open(profile, server.url);
    const bad = change(await smallRecipe(page));
    await paste(page, typeof bad === "string" ? bad : JSON.stringify(bad));
    const said = await waitFor(page, "a problem", () => /** @type {HTMLElement | null} */ (document.querySelector("#recipe-json-problems ul"))?.innerText);
    assert.match(said, words);
    assert.equal(await page.evaluate(() => [...document.querySelectorAll("dialog[open] button")].find((each) => each.textContent === "Use this recipe")?.matches(":disabled")), true);
    assert.deepEqual(page.problems, []);
  });
}

test("a wrong number in the form is said at its field, and Run says why it waits", async () => {
  const page = await open(profile, server.url);
  await page.evaluate(() => {
    const dense = /** @type {HTMLInputElement} */ (document.querySelector("#field-architecture-dense"));
    dense.value = "-5";
    dense.dispatchEvent(new Event("change", { bubbles: true }));
  });
  await waitFor(page, "the problem", () => document.querySelector("#field-architecture-dense-problem")?.textContent?.includes("4096"));
  assert.equal(await page.evaluate(() => document.querySelector("#field-architecture-dense")?.getAttribute("aria-invalid")), "true");
  await says(page, "Mend the marked fields first");
});

test("what the browser lacks is a sentence", async () => {
  /** @type {[string, () => void, RegExp][]} */
  const cases = [
    ["WebGPU", () => Object.defineProperty(Object.getPrototypeOf(navigator), "gpu", { value: undefined, configurable: true }), /WebGPU: not offered by this browser/],
    ["SIMD", () => void (WebAssembly.validate = () => false), /WebAssembly has no SIMD.*Update the browser/],
    ["Worker", () => Object.assign(globalThis, { Worker: undefined }), /no Worker, in which the lab runs.*current browser/],
  ];
  for (const [what, take, words] of cases) {
    const page = await newPage(profile);
    await page.evaluateOnNewDocument(take);
    await page.goto(server.url);
    await says(page, words, { millis: 15_000 });
    assert.deepEqual(page.problems, [], what);
  }
});

test("a chart has a table twin, and can be saved as SVG and as PNG", async () => {
  const page = await open(profile, server.url);
  await useRecipe(page, await smallRecipe(page));
  await press(page, "Run");
  await runIsOver(page);
  const curves = "assay-figures [data-figure=curves]";
  await press(page, "Table", curves);
  const cells = await waitFor(page, "the table", (curves) => [...document.querySelectorAll(`${curves} tbody tr`)].map((row) => row.textContent), { args: [curves] });
  assert.equal(cells.length, 2);
  await press(page, "Table", curves);
  await press(page, /Save .* as SVG/, curves);
  const svg = await saved(page);
  assert.match(svg.name, /\.svg$/);
  assert.match(svg.text, /^(<\?xml.*\?>\s*)?<svg[^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
  await press(page, /Save .* as PNG/, curves);
  await waitFor(page, "the PNG", () => /** @type {any} */ (globalThis).kept.saved.at(-1).name.endsWith(".png"));
  const png = await saved(page);
  assert.ok(png.size > 2000 && png.type === "image/png", `${png.size} bytes`);
  assert.deepEqual(page.problems, []);
});
