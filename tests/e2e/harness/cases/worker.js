// @ts-check
/** @file Runs cases in a dedicated worker, as the page runs its engines. */

import * as cases from "./pkg/cases.js";

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
      await cases.default({ module_or_path: data.module });
      // Before the names: a table that needs an adapter has none without one.
      const adapter = (await cases.adapter?.()) ?? "";
      postMessage({ answer: { adapter, names: cases.case_names() } });
    } else {
      postMessage({ answer: await cases.run_case(data.index) });
    }
  } catch (error) {
    report(error);
  }
});
