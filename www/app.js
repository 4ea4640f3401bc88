// @ts-check
/** @file What the page consists of: one of each, filled in by main.js before any element is made; it builds nothing. */

/** @import { Store } from "./store.js" */
/** @import { Router } from "./router.js" */
/** @import { LabClient } from "./lab_client.js" */
/** @import { RunLog } from "./run_log.js" */
/** @import { Drafts } from "./drafts.js" */
/** @import { Runs } from "./runs.js" */
/** @import { Sweeps } from "./sweeps.js" */
/** @import { Variants } from "./variants.js" */
/** @import { Links } from "./links.js" */
/** @import { OwnFiles } from "./own_files.js" */
/** @import { PageWasm } from "./page_wasm.js" */

/**
 * @typedef {Object} App
 * @property {Store} store State that views show.
 * @property {Router} router
 * @property {PageWasm} wasm The module's synchronous functions.
 * @property {LabClient} lab Commands to the worker.
 * @property {RunLog} log Records, annotations, weights.
 * @property {Drafts} drafts The recipe being edited.
 * @property {Runs} runs The run in progress, the queue, what can be resumed.
 * @property {Sweeps} sweeps Runs of the queue side by side.
 * @property {Variants} variants One model stored in many ways.
 * @property {OwnFiles} ownFiles Files of a person's own.
 * @property {Links} links Opening and copying links.
 */

/** @type {App} */
export const app = /** @type {any} */ ({});
