// @ts-check
/** @file Runs the queue side by side, in labs of its own that end with it; every record goes to the log. It keeps no checkpoints: only the run of the page's own lab can be resumed. */

import { errorFrom } from "./errors.js";
import { decidedWords, lossWords } from "./gpu_words.js";
import { SideBySide } from "./side_by_side.js";
import { coresBeside } from "./worker_pool.js";

/** @import { LabClient } from "./lab_client.js" */
/** @import { PageWasm } from "./page_wasm.js" */
/** @import { RunLog } from "./run_log.js" */
/** @import { QueueItem, Store } from "./store.js" */

/** Each lab holds the module, its data and a model: more than this is memory without need. */
const MOST_LABS = 8;

export class Sweeps {
  /**
   * @param {{ store: Store, wasm: Pick<PageWasm, "checkRecipe">, log: Pick<RunLog, "append">, makeLab: () => LabClient, announce?: (text: string, important?: boolean) => void, cores?: number }} parts
   *   `cores` that labs may use.
   */
  constructor({ store, wasm, log, makeLab, announce = () => {}, cores = coresBeside() }) {
    this.store = store;
    this.wasm = wasm;
    this.log = log;
    this.makeLab = makeLab;
    this.announce = announce;
    this.cores = cores;
    /** @type {LabClient[]} */
    this.labs = [];
    /** @type {SideBySide|null} */
    this.side = null;
  }

  /** How many labs so many recipes would take. @param {number} recipes */
  labsFor(recipes) {
    return Math.min(recipes, this.cores, MOST_LABS);
  }

  /** Runs what waits, and what is added meanwhile. @returns {Promise<void>} Resolves when all have ended. */
  async start() {
    const count = this.labsFor(this.store.state.queue.length);
    if (count < 1 || this.store.state.sweep || this.store.state.variants) return;
    this.labs = Array.from({ length: count }, this.makeLab);
    for (const lab of this.labs) {
      lab.addEventListener("ready", () => this.tellVisibility(lab));
      lab.start();
    }
    this.side = new SideBySide(this.labs);
    let failed = 0;
    this.store.update({ sweep: { labs: count, going: 0, done: 0, stopping: false } });
    await this.side.run({
      take: () => this.take(),
      onRecord: async ({ record, bytes, fineTuned }) => void (await this.log.append(record, bytes, fineTuned)),
      onGpuLost: ({ reason, epoch, smallerBatch = null, decided = null }, { label }) => {
        const loss = { reason, epoch, smallerBatch };
        this.store.notify("warn", `${label}: ${lossWords(loss)} ${decidedWords(decided ?? "cpu", loss, decided !== null)}`);
      },
      onEnd: (item, error) => {
        this.count(-1, 1);
        if (!error) return;
        failed += 1;
        this.store.notify("error", `${item.label}: ${errorFrom(error).message}`);
      },
    });
    const done = /** @type {Store["state"]} */ (this.store.state).sweep?.done ?? 0;
    for (const lab of this.labs) lab.close();
    this.labs = [];
    this.side = null;
    this.store.update({ sweep: null });
    this.announce(`${done - failed} of ${done} runs were recorded.`, true);
  }

  /** Soft: every run ends at its next step and keeps what was measured; the rest of the queue stays. */
  stop() {
    const { sweep } = this.store.state;
    if (!sweep) return;
    this.store.update({ sweep: { ...sweep, stopping: true } });
    this.side?.stop();
  }

  /** The first of the queue that can be run; what cannot is told and left out. @returns {{ item: QueueItem, recipe: import("./types.js").Recipe }|null} */
  take() {
    for (;;) {
      const [item, ...queue] = this.store.state.queue;
      if (!item) return null;
      this.store.update({ queue });
      try {
        const { recipe } = this.wasm.checkRecipe(item.recipeText);
        this.count(1, 0);
        return { item, recipe };
      } catch (error) {
        this.store.notify("error", `${item.label}: ${errorFrom(error).message}`);
      }
    }
  }

  /** @param {number} going @param {number} done By how much each changes. */
  count(going, done) {
    const { sweep } = this.store.state;
    if (sweep) this.store.update({ sweep: { ...sweep, going: sweep.going + going, done: sweep.done + done } });
  }

  /** Latencies measured while the page is hidden are flagged. @param {LabClient} [only] */
  tellVisibility(only) {
    const hidden = globalThis.document?.hidden ?? false;
    for (const lab of only ? [only] : this.labs) lab.command({ type: "visibility", hidden }).done.catch(() => {});
  }
}
