// @ts-check
/** @file Links, good and bad: what they carry, how long they are, and that a bad one is words on a page that still works. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { deflateRawSync } from "node:zlib";
import { launch, servePage } from "./harness/index.mjs";
import { copied, open, press, records, run, says, smallRecipe, text, useRecipe, waitFor } from "./person.mjs";

/** @type {import("puppeteer-core").Browser} */
let browser;
/** @type {{ url: string, close: () => Promise<void> }} */
let server;
/** @type {Record<string, any>} */
let recipe;
/** Of the claim of a run. */
let claimLink = "";

before(async () => {
  browser = await launch();
  server = await servePage();
});
after(async () => {
  await browser.close();
  await server.close();
});

/** @param {unknown} content @param {string} [start] */
const pack = (content, start = "#r1.") =>
  start + deflateRawSync(typeof content === "string" ? content : JSON.stringify(content)).toString("base64url");

/** @param {Record<string, any>} changes sections with fields */
function changed(changes) {
  const copy = structuredClone(recipe);
  for (const [section, fields] of Object.entries(changes)) copy[section] = typeof fields === "object" ? { ...copy[section], ...fields } : fields;
  return copy;
}

test("a link to the recipe carries the recipe, and a changed field changes the address", async () => {
  const page = await open(browser, server.url);
  recipe = await smallRecipe(page);
  await useRecipe(page, recipe);
  const address = await waitFor(page, "the address is the recipe's link", () => (/#r1\./.test(location.href) ? location.href : ""));
  await press(page, "Share", "header");
  await press(page, "Copy link to the recipe", "dialog[open]");
  assert.equal(await copied(page), address);
  await says(page, /It carries:/, { within: "dialog[open]" });
  const elsewhere = await browser.createBrowserContext();
  const fresh = await open(elsewhere, address);
  await says(fresh, "A recipe from a link");
  await says(fresh, "Nothing runs until you say so");
  assert.equal(await fresh.evaluate(() => /** @type {HTMLInputElement} */ (document.querySelector("#field-training-epochs")).value), "2");
  assert.deepEqual(await records(fresh), []);
  assert.deepEqual(fresh.problems, []);
  await elsewhere.close();
  await page.close();
});

test("the claim of the default run is short, and carries a name only if one was typed", async () => {
  const elsewhere = await browser.createBrowserContext();
  const page = await open(elsewhere, server.url);
  const record = await run(page);
  await press(page, "Share", "header");
  await press(page, "Copy link to this run", "dialog[open]");
  claimLink = await copied(page);
  console.log(`link: the claim of the default run has ${claimLink.length} characters (limit 2,000)`);
  assert.ok(claimLink.length < 2000, `${claimLink.length}`);
  await says(page, /It carries: .*(no|not).*(raw|rows|samples)/i, { within: "dialog[open]" });
  await page.type("dialog[open] input[type=text]", "Ada");
  await press(page, "Copy link to this run", "dialog[open]");
  const named = await waitFor(page, "another link", (first) => /** @type {any} */ (globalThis).kept.copied !== first && /** @type {any} */ (globalThis).kept.copied, { args: [claimLink] });
  await says(page, /It carries: .*Ada/, { within: "dialog[open]" });
  const readers = [await open(elsewhere, claimLink), await open(elsewhere, named)];
  assert.doesNotMatch(await text(/** @type {any} */ (readers[0]), "assay-claim-banner"), /Recorded by/);
  assert.match(await text(/** @type {any} */ (readers[1]), "assay-claim-banner"), /Recorded by Ada \(as the sender typed it\)/);
  assert.equal(record.status, "complete");
  await elsewhere.close();
});

for (const { what, fragment, words, field = false } of [
  { what: "a truncated recipe", fragment: () => pack(recipe).slice(0, 80), words: /incomplete|cut|truncated|ends|missing/i },
  { what: "a truncated claim", fragment: () => claimLink.slice(claimLink.indexOf("#"), -200), words: /incomplete|cut|truncated|ends|missing/i },
  { what: "a link that is not base64url", fragment: () => "#r1.not*base64!", words: /base64|character/i },
  { what: "a link that inflates beyond 256 KiB", fragment: () => pack(" ".repeat(300 * 1024)), words: /256|262,144/ },
  { what: "a link of another version", fragment: () => pack(recipe, "#r9."), words: /version|newer/i },
  { what: "a link of another app", fragment: () => "#section-2", words: /not a link that Assay made/ },
  { what: "a link that is no recipe inside", fragment: () => pack("{}"), words: /recipe/i },
  { what: "an altered claim", fragment: () => pack({ assay: "claim", version: 1 }, "#c1."), words: /does not match its digest/ },
  { what: "a recipe on an unknown dataset", fragment: () => pack(changed({ data: { set: "mnist" } })), words: /expected one of digits, chess, vibration, own, got "mnist"/ },
  {
    what: "a recipe that asks for too much work",
    fragment: () => pack(changed({ architecture: { family: "mlp", depth: 16, width: 4096 }, training: { epochs: 1000 } })),
    words: /too (much|large|many)|at most|limit/i,
    field: true,
  },
]) {
  test(`${what} is answered in words, and the page can still be used`, async () => {
    const page = await open(browser, server.url, { fragment: fragment(), usable: false });
    const said = await waitFor(
      page,
      "the page answers",
      () => /** @type {HTMLElement[]} */ ([...document.querySelectorAll("assay-claim-banner [role=alert], .recipe-problems, .recipe-field .problem")]).map((each) => each.innerText).join("\n"),
    );
    console.log(`${what}: ${said.replace(/\s+/g, " ")}`);
    assert.match(said, words);
    assert.doesNotMatch(said, /undefined|\[object|panicked|unreachable|RuntimeError/);
    if (field) await press(page, "Default", "assay-recipe-form");
    else await press(page, "Start with the recipe below");
    await waitFor(page, "Run can be pressed", () => document.querySelector("button.run:not([disabled])"));
    assert.doesNotMatch(await text(page), /cannot be opened/);
    assert.deepEqual(page.problems, []);
    await page.close();
  });
}
