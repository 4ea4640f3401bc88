// @ts-check
/**
 * @file Runs the table of cases, compiled to wasm: `node run_cases.mjs chromium|firefox|node MODULE_FOLDER`.
 * A failure names its case; the last line counts.
 */

import { casesInBrowser } from "./cases_in_browser.mjs";
import { casesInNode } from "./cases_in_node.mjs";
import { notRun } from "./not_run.mjs";

const [, , place, moduleFolder] = process.argv;
if ((place !== "chromium" && place !== "firefox" && place !== "node") || moduleFolder === undefined) {
  throw new Error("usage: node run_cases.mjs chromium|firefox|node MODULE_FOLDER");
}

const { cases, close } = await (place === "node" ? casesInNode(moduleFolder) : casesInBrowser(place, moduleFolder));
try {
  let [passed, failed] = [0, 0];
  for (const [index, name] of (await cases.names()).entries()) {
    const failure = await cases.run(index);
    if (failure === "") {
      passed += 1;
    } else if (failure.startsWith("not run: ")) {
      notRun(name, failure.slice("not run: ".length));
    } else {
      failed += 1;
      console.log(`${name} FAILED\n  ${failure.trimEnd().replaceAll("\n", "\n  ")}`);
    }
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
} finally {
  await close();
}
