// @ts-check
/** @file A host that lost the file of the GPU's programs: the run is made on the CPU, and says why. */

import assert from "node:assert/strict";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { browserName, launch, notRun } from "./harness/index.mjs";
import { serveFolders } from "./harness/static_server.mjs";
import { open, run, smallRecipe, useRecipe } from "./person.mjs";

const PAGE = process.env.ASSAY_PAGE_DIR ?? new URL("../../target/www", import.meta.url).pathname;

const skip = browserName() !== "chromium";
if (skip) notRun("the file of a GPU's programs", "this Firefox offers WebGPU by a preference only, which a person has not set");

test("without the GPU's programs the CPU does the work, and the record says why", { skip }, async () => {
  const folder = await mkdtemp(join(tmpdir(), "assay-page-"));
  await cp(PAGE, folder, { recursive: true, filter: (file) => !/pkg\/kernels\.js/.test(file) });
  const server = await serveFolders({ "/": folder });
  const browser = await launch("chromium", { webgpu: true });
  try {
    const page = await open(browser, `${server.origin}/`);
    await useRecipe(page, await smallRecipe(page, { execution: { engine: "gpu" } }));
    const record = await run(page);
    assert.equal(record.status, "complete");
    assert.equal(record.environment.engine, "cpu");
    assert.match(record.results.execution.reason, /its programs could not be loaded .*; check the connection and reload the page, or compute on the CPU/);
  } finally {
    await browser.close();
    await server.close();
    await rm(folder, { recursive: true });
  }
});
