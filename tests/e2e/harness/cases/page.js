// @ts-check
/** @file Hands cases to a worker one by one, and starts a new worker after one that trapped or hung. */

/** Far above the slowest case, far below the patience of whoever waits for the suite. */
const CASE_LIMIT_MILLIS = 120_000;

const module = WebAssembly.compileStreaming(fetch("pkg/cases_bg.wasm"));

/** @type {Promise<{ worker: Worker, adapter: string, names: string[] }> | undefined} */
let running;

/** The worker, started if none is running. */
function start() {
  running ??= (async () => {
    const worker = new Worker("worker.js", { type: "module" });
    return { worker, ...(await answer(worker, { module: await module })) };
  })();
  return running;
}

/**
 * @param {Worker} worker
 * @param {unknown} message
 * @returns {Promise<any>} what the worker answers; rejects if it breaks or takes too long
 */
function answer(worker, message) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${CASE_LIMIT_MILLIS / 1000} s`)), CASE_LIMIT_MILLIS);
    worker.onmessage = ({ data }) => {
      clearTimeout(timer);
      if ("broke" in data) reject(new Error(data.broke));
      else resolve(data.answer);
    };
    worker.onerror = (event) => {
      clearTimeout(timer);
      reject(new Error(event.message || "the worker could not be loaded"));
    };
    worker.postMessage(message);
  });
}

window.cases = {
  async names() {
    return (await start()).names;
  },
  async adapter() {
    return (await start()).adapter;
  },
  async run(index) {
    const { worker } = await start();
    try {
      return await answer(worker, { index });
    } catch (error) {
      worker.terminate();
      running = undefined;
      return error instanceof Error ? error.message : String(error);
    }
  },
};
