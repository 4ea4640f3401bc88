// @ts-check
/**
 * @file Runs the table of cases, compiled to wasm, in a browser: `node run_cases.mjs BROWSER MODULE_FOLDER`.
 * A failure names its case; the last line counts.
 */

import { fileURLToPath } from "node:url";
import { launch, newPage } from "./browsers.mjs";
import { notRun } from "./not_run.mjs";
import { serveFolders } from "./static_server.mjs";

const [, , browserName, moduleFolder] = process.argv;
if ((browserName !== "chromium" && browserName !== "firefox") || moduleFolder === undefined) {
  throw new Error("usage: node run_cases.mjs chromium|firefox MODULE_FOLDER");
}

const server = await serveFolders({
  "/": fileURLToPath(new URL("./cases/", import.meta.url)),
  "/pkg/": moduleFolder,
});
const browser = await launch(browserName);
try {
  const page = await newPage(browser);
  await page.goto(`${server.origin}/`);
  const names = await page.evaluate(() => window.cases.names());
  let [passed, failed] = [0, 0];
  for (const [index, name] of names.entries()) {
    const failure = await page.evaluate((index) => window.cases.run(index), index);
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
  await browser.close();
  await server.close();
}
