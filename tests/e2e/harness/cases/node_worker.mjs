// @ts-check
/** @file Runs cases in a worker of Node: says their names first, then answers the number of a case with its result. */

import { parentPort, workerData } from "node:worker_threads";

if (parentPort === null) throw new Error("this file is for a worker");
const port = parentPort;

/** A panic is told on the console before it traps; its words say more than the trap's. */
let lastError = "";
console.error = (...parts) => (lastError = parts.join(" "));

const { default: init, case_names, run_case } = await import(workerData.glue);
await init({ module_or_path: workerData.module });
port.on("message", async (index) => {
  lastError = "";
  try {
    port.postMessage({ answer: await run_case(index) });
  } catch (error) {
    port.postMessage({ broke: lastError || String(error) });
  }
});
port.postMessage({ answer: case_names() });
