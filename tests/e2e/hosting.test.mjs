// @ts-check
/** @file The same page works on the project's own server and on any static host, under any path. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, newPage, servePage, strangers } from "./harness/index.mjs";

/** @type {import("puppeteer-core").Browser} */
let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

/**
 * Opens the page on a server and reports what it is like there.
 *
 * @param {{ headers: boolean, prefix?: string }} options
 */
async function visit(options) {
  const server = await servePage(options);
  try {
    const page = await newPage(browser);
    await page.goto(server.url, { waitUntil: "networkidle0" });
    const build = await page.evaluate(() => document.querySelector("meta[name=assay-build]")?.getAttribute("content"));
    const isolated = await page.evaluate(() => crossOriginIsolated);
    const seen = { url: server.url, build, isolated, problems: [...page.problems], requests: [...page.requests] };
    const refused = await page.evaluate(tryWhatIsForbidden);
    await page.close();
    return { ...seen, strangers: strangers(seen, server.url), refused };
  } finally {
    await server.close();
  }
}

/**
 * Runs in the page: a script that was not shipped, a fetch and a picture from elsewhere.
 *
 * @returns {Promise<string[]>} the directives that refused them
 */
async function tryWhatIsForbidden() {
  /** @type {Set<string>} */
  const refused = new Set();
  document.addEventListener("securitypolicyviolation", (event) => refused.add(event.effectiveDirective));
  const script = document.createElement("script");
  script.textContent = "document.title = 'a script ran that was not shipped'";
  document.head.append(script);
  const picture = new Image();
  picture.src = "http://elsewhere.invalid/picture.png";
  await fetch("http://elsewhere.invalid/").catch(() => undefined);
  for (let waits = 0; waits < 50 && refused.size < 3; waits++) await new Promise((resolve) => setTimeout(resolve, 20));
  return [...refused].sort();
}

for (const { host, options, isolated } of [
  { host: "the project's own server", options: { headers: true }, isolated: true },
  { host: "a plain static host", options: { headers: false }, isolated: false },
  { host: "a plain static host, under a sub-path", options: { headers: false, prefix: "/lab/" }, isolated: false },
]) {
  test(`loads without a problem, asks only its host, and runs only what was shipped: ${host}`, async () => {
    const seen = await visit(options);
    assert.deepEqual(seen.problems, []);
    assert.match(seen.build ?? "", /^[0-9a-f]{16}$/);
    assert.equal(seen.isolated, isolated);
    assert.deepEqual(seen.strangers, []);
    const outside = seen.requests.filter((request) => request.startsWith("http") && !request.startsWith(seen.url));
    assert.deepEqual(outside, [], "every address is relative to the page");
    assert.ok(seen.requests.some((request) => request.endsWith(".wasm")), "the watch sees requests at all");
    assert.deepEqual(seen.refused, ["connect-src", "img-src", "script-src-elem"]);
  });
}
