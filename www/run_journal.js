// @ts-check
/** @file Keeps the newest checkpoint of a run that is going on, so that a closed tab or a dead worker loses nothing; each is guarded by a Web Lock. */

/** @import { Checkpoint } from "./types.js" */
/** @import { LogDb } from "./log_db.js" */
/** @import { PageWasm } from "./page_wasm.js" */
/** @import { RunLog } from "./run_log.js" */

/** What this module needs of `navigator.locks`. @typedef {Pick<LockManager, "request">} Locks */

/** @param {string} runId */
const lockName = (runId) => `assay-run-${runId}`;

export class RunJournal {
  /**
   * @param {{ db: LogDb, wasm: Pick<PageWasm, "sealRecord">, log: Pick<RunLog, "append">, locks?: Locks|null }} parts
   *   Without locks (they need https or localhost) every checkpoint that this tab is not writing counts as interrupted.
   */
  constructor({ db, wasm, log, locks = globalThis.navigator?.locks ?? null }) {
    this.db = db;
    this.wasm = wasm;
    this.log = log;
    this.locks = locks;
    /** Runs of this tab, and what ends their lock. @type {Map<string, () => void>} */
    this.held = new Map();
    /** Runs of other tabs. @type {Set<string>} */
    this.watched = new Set();
    /** The newest checkpoint of each run of this tab. @type {Map<string, Checkpoint>} */
    this.newest = new Map();
    /** Being written. @type {Promise<void>|null} */
    this.writing = null;
    /** Waiting to be written; a newer one replaces it. @type {Checkpoint|null} */
    this.waiting = null;
  }

  /**
   * Starts to keep a run.
   * @param {Checkpoint} checkpoint Of a new run without bytes; of a resumed one as it was.
   * @returns {Promise<boolean>} False when another tab has this run.
   */
  async begin(checkpoint) {
    const { runId } = checkpoint;
    if (!(await this.acquire(runId))) return false;
    this.newest.set(runId, checkpoint);
    await this.write(checkpoint);
    return true;
  }

  /**
   * Keeps a newer state of a run; of several that come while one is written, only the last is.
   * @param {string} runId
   * @param {Partial<Checkpoint>} change
   */
  keep(runId, change) {
    const known = this.newest.get(runId);
    if (!known) return;
    const checkpoint = { ...known, ...change };
    this.newest.set(runId, checkpoint);
    return this.write(checkpoint);
  }

  /**
   * The run ended with a record: nothing to go on from.
   * @param {string} runId
   */
  async end(runId) {
    this.newest.delete(runId);
    if (this.waiting?.runId === runId) this.waiting = null;
    await this.writing;
    await this.db.deleteCheckpoint(runId);
    this.release(runId);
  }

  /**
   * The worker died under a run of this tab.
   * @param {string} runId
   * @returns {Promise<Checkpoint|null>} What can be resumed.
   */
  async interrupt(runId) {
    const checkpoint = this.newest.get(runId) ?? null;
    const sealed = checkpoint && (await this.sealed(checkpoint));
    this.newest.delete(runId);
    this.release(runId);
    return sealed;
  }

  /**
   * Runs that nobody is working on: each gets its record of what was measured, and can be resumed.
   * @param {() => void} [onLater] Called when a run of another tab is no longer worked on: ask again then.
   * @returns {Promise<Checkpoint[]>} Newest first.
   */
  async findInterrupted(onLater = () => {}) {
    /** @type {Checkpoint[]} */
    const found = [];
    for (const checkpoint of await this.db.checkpoints()) {
      if (this.held.has(checkpoint.runId)) continue;
      const sealed = await this.ifFree(checkpoint.runId, () => this.sealed(checkpoint));
      if (sealed) found.push(sealed);
      else this.watch(checkpoint.runId, onLater);
    }
    return found.sort((a, b) => (a.started < b.started ? 1 : -1));
  }

  /**
   * Waits until another tab has ended with a run, however it ended.
   * @param {string} runId
   * @param {() => void} onFree
   */
  watch(runId, onFree) {
    if (!this.locks || this.held.has(runId) || this.watched.has(runId)) return;
    this.watched.add(runId);
    const free = () => {
      this.watched.delete(runId);
      onFree();
    };
    // Only waits for its turn: what is to be done takes the lock again.
    this.locks.request(lockName(runId), () => {}).then(free, free);
  }

  /**
   * Forgets an interrupted run's checkpoint; its record stays in the log.
   * @param {string} runId
   */
  async discard(runId) {
    await this.ifFree(runId, () => this.db.deleteCheckpoint(runId));
  }

  /**
   * Appends the record of what was measured, once.
   * @param {Checkpoint} checkpoint
   * @returns {Promise<Checkpoint>}
   */
  async sealed(checkpoint) {
    if (checkpoint.interruptedDigest || !checkpoint.record) return checkpoint;
    const { record, digest } = this.wasm.sealRecord(checkpoint.record);
    await this.log.append(record);
    const sealed = { ...checkpoint, interruptedDigest: digest };
    await this.write(sealed);
    return sealed;
  }

  /** @param {Checkpoint} checkpoint */
  async write(checkpoint) {
    this.waiting = checkpoint;
    while (this.writing) await this.writing;
    if (this.waiting !== checkpoint) return;
    this.waiting = null;
    this.writing = this.db.putCheckpoint(checkpoint).finally(() => {
      this.writing = null;
    });
    await this.writing;
  }

  /** @param {string} runId @returns {Promise<boolean>} */
  acquire(runId) {
    return new Promise((resolve, reject) => {
      if (!this.locks) {
        this.held.set(runId, () => {});
        return resolve(true);
      }
      this.locks
        .request(lockName(runId), { ifAvailable: true }, (lock) => {
          if (!lock) return resolve(false);
          return new Promise((release) => {
            this.held.set(runId, () => release(undefined));
            resolve(true);
          });
        })
        .catch(reject);
    });
  }

  /** @param {string} runId */
  release(runId) {
    this.held.get(runId)?.();
    this.held.delete(runId);
  }

  /**
   * @template T
   * @param {string} runId
   * @param {() => Promise<T>} work
   * @returns {Promise<T|null>} Null when another tab, or this one, has the run.
   */
  async ifFree(runId, work) {
    if (this.held.has(runId)) return null;
    if (!this.locks) return work();
    return this.locks.request(lockName(runId), { ifAvailable: true }, (lock) => (lock ? work() : null));
  }
}
