// @ts-check
/** @file The table of cases in a worker of this Node; a new worker follows one that trapped or hung. */

import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";

/** Far above the slowest case, far below the patience of whoever waits for the suite. */
const CASE_LIMIT_MILLIS = 120_000;

/**
 * @param {string} moduleFolder where bindgen left the module
 * @returns {Promise<{ cases: Cases, close: () => Promise<void> }>}
 */
export async function casesInNode(moduleFolder) {
  const module = await WebAssembly.compile(new Uint8Array(await readFile(resolve(moduleFolder, "cases_bg.wasm"))));
  const glue = pathToFileURL(resolve(moduleFolder, "cases.js")).href;
  /** @type {{ worker: Worker, names: string[] } | undefined} */
  let running;

  const start = async () => {
    if (running === undefined) {
      const worker = new Worker(new URL("./cases/node_worker.mjs", import.meta.url), { workerData: { module, glue } });
      running = { worker, names: await answer(worker) };
    }
    return running;
  };
  const close = async () => {
    await running?.worker.terminate();
    running = undefined;
  };
  const cases = {
    names: async () => (await start()).names,
    run: async (/** @type {number} */ index) => {
      const { worker } = await start();
      try {
        const answered = answer(worker);
        worker.postMessage(index);
        return await answered;
      } catch (error) {
        await close();
        return error instanceof Error ? error.message : String(error);
      }
    },
  };
  return { cases, close };
}

/**
 * @param {Worker} worker
 * @returns {Promise<any>} what the worker says next; rejects if it breaks or takes too long
 */
async function answer(worker) {
  const limit = AbortSignal.timeout(CASE_LIMIT_MILLIS);
  const [message] = await once(worker, "message", { signal: limit }).catch((error) => {
    throw limit.aborted ? new Error(`no answer within ${CASE_LIMIT_MILLIS / 1000} s`) : error;
  });
  if ("broke" in message) throw new Error(message.broke);
  return message.answer;
}
