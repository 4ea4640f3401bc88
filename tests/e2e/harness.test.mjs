// @ts-check
/** @file The harness sees what it claims to see: a watch that notices nothing would let every other test pass. */

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { casesInNode } from "./harness/cases_in_node.mjs";
import { launch, newPage, strangers } from "./harness/index.mjs";
import { serveFolders } from "./harness/static_server.mjs";

const BROKEN_PAGE = `<!doctype html><meta charset="utf-8"><title>Broken</title>
<link rel="icon" href="data:,">
<script>console.error("told on the console");</script>
<script>throw new Error("thrown by a script");</script>
<script>new Worker("worker.js");</script>
<img src="missing.png" alt="">
<img src="http://elsewhere.invalid/picture.png" alt="">`;

/** @type {import("puppeteer-core").Browser} */
let browser;
/** @type {{ origin: string, close: () => Promise<void> }} */
let server;
/** @type {string} */
let folder;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "assay-harness-"));
  await writeFile(join(folder, "index.html"), BROKEN_PAGE);
  await writeFile(join(folder, "worker.js"), `fetch("asked-by-worker.json");`);
  server = await serveFolders({ "/lab/": folder });
  browser = await launch();
});
after(async () => {
  await browser.close();
  await server.close();
  await rm(folder, { recursive: true });
});

test("a page's watch sees errors, exceptions, missing files and requests, those of workers included", async () => {
  const page = await newPage(browser);
  await page.goto(`${server.origin}/lab/`, { waitUntil: "networkidle0" });
  const { problems, requests } = page;
  for (const expected of [
    "console: told on the console",
    /^exception: .*thrown by a script/,
    `answer 404: ${server.origin}/lab/missing.png`,
    /^request failed: http:\/\/elsewhere\.invalid\/picture\.png/,
  ]) {
    const isSeen = problems.some((problem) => (typeof expected === "string" ? problem === expected : expected.test(problem)));
    assert.ok(isSeen, `${expected} is not among\n${problems.join("\n")}`);
  }
  assert.ok(requests.includes(`${server.origin}/lab/asked-by-worker.json`), requests.join("\n"));
  assert.deepEqual(strangers(page, server.origin), ["http://elsewhere.invalid/picture.png"]);
});

test("the plain host serves its folder, with a type and nothing more, and nothing outside it", async () => {
  const answer = await fetch(`${server.origin}/lab/`);
  assert.equal(answer.headers.get("content-type"), "text/html");
  assert.equal(answer.headers.get("cross-origin-opener-policy"), null);
  assert.equal(answer.headers.get("content-security-policy"), null);
  for (const path of ["/", "/lab/nothing.js", "/lab/..%2f..%2fetc/passwd", "/lab/%2e%2e%2f%2e%2e%2fetc/passwd"]) {
    assert.equal((await fetch(`${server.origin}${path}`)).status, 404, path);
  }
});

/** Stands for the table of cases: one passes, one fails, one panics, one says on which start of the worker it ran. */
const GLUE = `
export default async () => {};
export const case_names = () => ["passes", "fails", "panics", "again"];
export async function run_case(index) {
  globalThis.runs = (globalThis.runs ?? 0) + 1;
  if (index === 2) {
    console.error("panicked at a line");
    throw new WebAssembly.RuntimeError("unreachable");
  }
  return ["", "expected 1, got 2", "", "run " + globalThis.runs][index];
}`;

test("the cases in Node tell what failed and what a panic said, and go on in a new worker", async () => {
  const module = await mkdtemp(join(tmpdir(), "assay-cases-"));
  await writeFile(join(module, "package.json"), `{"type":"module"}`);
  await writeFile(join(module, "cases.js"), GLUE);
  await writeFile(join(module, "cases_bg.wasm"), Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
  const { cases, close } = await casesInNode(module);
  try {
    const names = await cases.names();
    assert.deepEqual(names, ["passes", "fails", "panics", "again"]);
    const answers = [];
    for (const index of names.keys()) answers.push(await cases.run(index));
    assert.deepEqual(answers, ["", "expected 1, got 2", "panicked at a line", "run 1"]);
  } finally {
    await close();
    await rm(module, { recursive: true });
  }
});
