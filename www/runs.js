// @ts-check
/** @file Runs recipes one after the other: the queue, the run in progress, and what was interrupted. The lab does the work. */

/** @import { Drafts } from "./drafts.js" */
/** @import { LabClient } from "./lab_client.js" */
/** @import { RunLog } from "./run_log.js" */
/** @import { PageWasm } from "./page_wasm.js" */
/** @import { Store } from "./store.js" */

export class Runs {
  /** @param {{ store: Store, wasm: PageWasm, lab: LabClient, log: RunLog, drafts: Drafts }} parts */
  constructor({ store, wasm, lab, log, drafts }) {
    this.store = store;
    this.wasm = wasm;
    this.lab = lab;
    this.log = log;
    this.drafts = drafts;
    /** Weights of the last run's record that the lab holds to play with; null until a run ended or `load` was asked. @type {string|null} */
    this.loadedWeights = null;
  }
}
