// @ts-check
/** @file Runs cases in a dedicated worker, as the page runs its engines. */

import init, { case_names, run_case } from "./pkg/cases.js";

/** A panic is told on the console before it traps; its words say more than the trap's. */
let lastError = "";
const tell = console.error;
console.error = (...parts) => {
  lastError = parts.join(" ");
  tell(...parts);
};

/** @param {unknown} error */
function report(error) {
  postMessage({ broke: lastError || String(error) });
}

addEventListener("error", (event) => report(event.message));
addEventListener("unhandledrejection", (event) => report(event.reason));
addEventListener("message", async ({ data }) => {
  lastError = "";
  try {
    if ("module" in data) {
      await init({ module_or_path: data.module });
      postMessage({ answer: case_names() });
    } else {
      postMessage({ answer: await run_case(data.index) });
    }
  } catch (error) {
    report(error);
  }
});
