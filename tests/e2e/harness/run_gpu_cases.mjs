// @ts-check
/**
 * @file Runs the table of GPU cases, compiled to wasm, in a browser's worker: `node run_gpu_cases.mjs chromium|firefox MODULE_FOLDER`.
 * The last line names the adapter, or says NOT RUN and why; `ASSAY_GPU` decides whether that is a failure.
 */

import { casesInBrowser } from "./cases_in_browser.mjs";
import { gpuWish } from "./gpu_wish.mjs";
import { notRun } from "./not_run.mjs";
import { runAll } from "./run_all.mjs";

const [, , browser, moduleFolder] = process.argv;
if ((browser !== "chromium" && browser !== "firefox") || moduleFolder === undefined) {
  throw new Error("usage: node run_gpu_cases.mjs chromium|firefox MODULE_FOLDER");
}
const wish = gpuWish();

/** @param {string} reason */
function without(reason) {
  notRun(`the GPU cases in ${browser}`, reason);
  console.log(`GPU in ${browser}: NOT RUN, ${reason}`);
  process.exitCode = wish === "require" ? 1 : 0;
}

if (wish === "off") {
  without("ASSAY_GPU=off");
} else {
  const { cases, close } = await casesInBrowser(browser, moduleFolder, { webgpu: true });
  try {
    /** @type {string | undefined} */
    let reason;
    const adapter = await cases.adapter().catch((error) => (reason = error.message.split("\n")[0]));
    if (reason === undefined) {
      process.exitCode = (await runAll(cases)) === 0 ? 0 : 1;
      console.log(`GPU in ${browser}: ${adapter || "an adapter without a name"}`);
    } else {
      without(reason);
    }
  } finally {
    await close();
  }
}
