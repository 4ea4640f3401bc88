// @ts-check
/** @file Nothing leaves the machine: no request but to the page's own host, none after it is loaded but what was asked for, no broken policy; and a plain host will do. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { launch, servePage, strangers } from "./harness/index.mjs";
import { copied, goTo, open, press, run, says, smallRecipe, text, useRecipe, waitFor } from "./person.mjs";

/** @typedef {import("./person.mjs").Page} Page */

/** Runs in the page before all else. */
function watchPolicy() {
  /** @type {string[]} */
  const refused = [];
  Object.assign(globalThis, { refused });
  document.addEventListener("securitypolicyviolation", (event) => refused.push(`${event.effectiveDirective}: ${event.blockedURI}`));
}

/** @param {Page} page */
async function useEverything(page) {
  await useRecipe(page, await smallRecipe(page));
  await run(page);
  await press(page, /^Try the model/);
  await waitFor(page, "pictures", () => document.querySelector("assay-play-panel canvas, assay-play-panel img"));
  await press(page, "Copy link", "assay-this-run");
  await copied(page);
  for (const view of /** @type {const} */ (["Runs", "Data"])) await goTo(page, view);
  await says(page, "Samples per class");
  await press(page, "Help and keys");
}

for (const { host, options } of [
  { host: "the project's own server", options: { headers: true } },
  { host: "a plain static host under /lab/", options: { headers: false, prefix: "/lab/" } },
]) {
  test(`a run, its link and every view ask nobody for anything: ${host}`, async () => {
    const browser = await launch();
    const server = await servePage(options);
    try {
      const page = await open(browser, server.url, { before: (page) => page.evaluateOnNewDocument(watchPolicy) });
      // The browser asks for the icon when it likes.
      const asked = () => page.requests.filter((request) => request.startsWith("http") && !request.endsWith("icon.svg"));
      const loaded = asked().length;
      if (!options.headers) {
        await press(page, /coarse: why\?$/, "assay-surroundings");
        await says(page, /(isolation|COOP)[^]*coarse|coarse[^]*(isolation|COOP)/i, { within: "dialog[open]" });
        await press(page, "Close", "dialog[open]");
      } else {
        assert.doesNotMatch(await text(page, "assay-surroundings"), /coarse/);
      }
      await useEverything(page);
      const later = asked().slice(loaded).filter((request) => !/\/(worker\.js(\?test)?|pkg\/assay\.js)$/.test(request));
      assert.deepEqual(later, [], "after it is loaded the page asks for nothing; only its Worker is loaded when it starts");
      assert.deepEqual(strangers(page, server.url), []);
      assert.deepEqual(asked().filter((request) => !request.startsWith(server.url)), []);
      assert.deepEqual(await page.evaluate(() => /** @type {any} */ (globalThis).refused), []);
      assert.deepEqual(await page.evaluate(() => document.cookie), "");
      assert.deepEqual(page.problems, []);
    } finally {
      await browser.close();
      await server.close();
    }
  });
}
