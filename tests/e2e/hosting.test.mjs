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
    const { build, isolated, evaluates } = await page.evaluate(() => {
      const evaluates = () => {
        try {
          return new Function("return true")();
        } catch {
          return false;
        }
      };
      return {
        build: document.querySelector("meta[name=assay-build]")?.getAttribute("content"),
        isolated: crossOriginIsolated,
        evaluates: evaluates(),
      };
    });
    // The attempt to evaluate is a problem that this test made itself.
    const problems = page.problems.filter((problem) => !/unsafe-eval|Content.Security.Policy/i.test(problem));
    const seen = { build, isolated, evaluates, problems, requests: [...page.requests], strangers: strangers(page, server.url) };
    await page.close();
    return { ...seen, url: server.url };
  } finally {
    await server.close();
  }
}

for (const { host, options, isolated } of [
  { host: "the project's own server", options: { headers: true }, isolated: true },
  { host: "a plain static host", options: { headers: false }, isolated: false },
  { host: "a plain static host, under a sub-path", options: { headers: false, prefix: "/lab/" }, isolated: false },
]) {
  test(`loads without a problem from ${host}`, async () => {
    const seen = await visit(options);
    assert.deepEqual(seen.problems, []);
    assert.match(seen.build ?? "", /^[0-9a-f]{16}$/);
    assert.equal(seen.isolated, isolated);
  });

  test(`asks nobody but its host for anything: ${host}`, async () => {
    const seen = await visit(options);
    assert.deepEqual(seen.strangers, []);
    const outside = seen.requests.filter((request) => request.startsWith("http") && !request.startsWith(seen.url));
    assert.deepEqual(outside, [], "every address is relative to the page");
    assert.ok(seen.requests.some((request) => request.endsWith(".wasm")), "the watch sees requests at all");
  });

  test(`forbids evaluating text as code: ${host}`, async () => {
    assert.equal((await visit(options)).evaluates, false);
  });
}
