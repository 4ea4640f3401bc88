// @ts-check
/**
 * @file Runs the table of cases, compiled to wasm: `node run_cases.mjs chromium|firefox|node MODULE_FOLDER`.
 * A failure names its case; the last line counts.
 */

import { casesInBrowser } from "./cases_in_browser.mjs";
import { casesInNode } from "./cases_in_node.mjs";
import { runAll } from "./run_all.mjs";

const [, , place, moduleFolder] = process.argv;
if ((place !== "chromium" && place !== "firefox" && place !== "node") || moduleFolder === undefined) {
  throw new Error("usage: node run_cases.mjs chromium|firefox|node MODULE_FOLDER");
}

const { cases, close } = await (place === "node" ? casesInNode(moduleFolder) : casesInBrowser(place, moduleFolder));
try {
  process.exitCode = (await runAll(cases)) === 0 ? 0 : 1;
} finally {
  await close();
}
