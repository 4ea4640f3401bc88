// @ts-check
/** @file Runs www/pool_worker.js in a thread of Node, which lacks a Worker's `self` and `postMessage`. */

import { parentPort } from "node:worker_threads";

/** @type {{ onmessage?: (event: { data: any }) => void }} */
const self = {};
Object.assign(globalThis, { self, postMessage: (/** @type {any} */ message) => parentPort?.postMessage(message) });
await import("../../www/pool_worker.js");
parentPort?.on("message", (data) => self.onmessage?.({ data }));
