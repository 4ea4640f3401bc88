// @ts-check
/** @file Several Workers, each with its own instance of the module: answers in shards, trains side by side. What comes out never depends on how many there are; no shared memory, no time is measured. */

import { AssayError } from "./pkg/assay.js";

/** @import { EvaluateOptions, Evaluation, ModelInfo, ModelOptions, TrainOptions, TrainResult } from "./pkg/assay.js" */

/** @typedef {{ input: Float32Array, labels: Uint16Array }} Rows Rows one after another, and the class of each. */

/**
 * One training of a sweep.
 * @typedef {Object} SweepJob
 * @property {string} graph JSON text.
 * @property {Uint8Array|number} [weights] A safetensors file, or the seed of first weights; seed 0 if not given.
 * @property {ModelOptions} [options]
 * @property {TrainOptions} training
 * @property {number} [confidence] Of the evaluation's interval.
 */

/** @typedef {{ trained: TrainResult, evaluation: Evaluation, weightsDigest: string, weights: Uint8Array|null }} SweepResult `weights` is null where the training was not finite. */

/** What this module needs of a Worker. @typedef {Pick<Worker, "postMessage"|"terminate"|"onmessage"|"onerror">} PoolWorker */

/**
 * @typedef {Object} PoolOptions
 * @property {number} [workers] How many; one less than the machine has cores if not given, at least 1.
 * @property {WebAssembly.Module} [module] Compiled already; otherwise `pkg/assay_bg.wasm` is fetched.
 * @property {() => PoolWorker} [makeWorker]
 */

export class WorkerPool {
  /** @param {PoolOptions} [options] */
  constructor({ workers = coresBeside(), module, makeWorker = makeModuleWorker } = {}) {
    if (!Number.isInteger(workers) || workers < 1 || workers > 256) throw new AssayError("bad-input", `workers: expected a whole number from 1 to 256, got ${workers}`);
    /** @type {Member[]} */
    this.members = Array.from({ length: workers }, () => new Member(makeWorker()));
    /** @type {ModelInfo|null} */
    this.info = null;
    const compiled = module ? Promise.resolve(module) : WebAssembly.compileStreaming(fetch(new URL("./pkg/assay_bg.wasm", import.meta.url)));
    this.started = compiled.then((it) => this.everywhere("start", it));
    // Told by the call that waits for it.
    this.started.catch(() => {});
  }

  /** How many Workers compute. */
  get workers() {
    return this.members.length;
  }

  /**
   * As `Model.load`, in every Worker.
   * @param {string} graph
   * @param {Uint8Array} weights
   * @param {ModelOptions} [options]
   * @returns {Promise<ModelInfo>}
   */
  load(graph, weights, options) {
    return this.make(graph, weights, options);
  }

  /**
   * As `Model.create`, in every Worker.
   * @param {string} graph
   * @param {number} seed
   * @param {ModelOptions} [options]
   * @returns {Promise<ModelInfo>}
   */
  create(graph, seed, options) {
    return this.make(graph, seed, options);
  }

  /**
   * @param {string} graph
   * @param {Uint8Array|number} weights
   * @param {ModelOptions} [options]
   * @returns {Promise<ModelInfo>}
   */
  async make(graph, weights, options) {
    await this.started;
    const [info] = await this.everywhere("make", graph, weights, options);
    this.info = info;
    return info;
  }

  /**
   * As `Model.predict`: each Worker takes rows that follow one another, and the logits come together in the rows' order.
   * @param {Float32Array} input
   * @param {number} batch
   * @returns {Promise<Float32Array>}
   */
  async predict(input, batch) {
    await this.started;
    const length = this.info?.rowLength ?? 0;
    // What does not fit is refused by the model, in its own words.
    if (length === 0 || input.length !== batch * length || batch < 2) return this.members[0].call("predict", input, batch);
    const parts = await Promise.all(
      shards(batch, this.workers).map(([first, end], index) => this.members[index].call("predict", input.slice(first * length, end * length), end - first)),
    );
    const logits = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      logits.set(part, at);
      at += part.length;
    }
    return logits;
  }

  /**
   * As `Model.evaluate`: the answers come in shards and are scored together, so that loss and digest are those of one call.
   * @param {Float32Array} input
   * @param {Uint16Array} labels
   * @param {EvaluateOptions} [options]
   * @returns {Promise<Evaluation>}
   */
  async evaluate(input, labels, options) {
    const logits = await this.predict(input, labels.length);
    return this.members[0].call("score", logits, labels, this.info?.classes ?? 0, options);
  }

  /**
   * Trains and evaluates on the same rows, each job in one Worker from beginning to end.
   * @param {Rows} learn
   * @param {Rows} test
   * @param {SweepJob[]} jobs
   * @param {(done: number) => void} [onProgress] How many jobs have ended.
   * @returns {Promise<SweepResult[]>} In the order of the jobs; rejects with the first failure, when no job runs any more.
   */
  async sweep(learn, test, jobs, onProgress = () => {}) {
    await this.started;
    await this.everywhere("keep", learn, test);
    /** @type {SweepResult[]} */
    const results = new Array(jobs.length);
    let [next, done] = [0, 0];
    const work = async (/** @type {Member} */ member) => {
      while (next < jobs.length) {
        const index = next++;
        try {
          results[index] = await member.call("run", jobs[index]);
        } catch (error) {
          next = jobs.length;
          throw error;
        }
        onProgress(++done);
      }
    };
    const ended = await Promise.allSettled(this.members.map(work));
    for (const each of ended) if (each.status === "rejected") throw each.reason;
    return results;
  }

  /**
   * @param {string} call
   * @param {...any} args
   * @returns {Promise<any[]>}
   */
  everywhere(call, ...args) {
    return Promise.all(this.members.map((member) => member.call(call, ...args)));
  }

  /** Ends the Workers; what is under way fails. */
  close() {
    for (const member of this.members) member.fail("closed", "the pool was closed");
  }
}

/** One Worker, its calls and their answers. */
class Member {
  /** @param {PoolWorker} worker */
  constructor(worker) {
    this.worker = worker;
    /** @type {Map<number, { resolve: (value: any) => void, reject: (error: Error) => void }>} */
    this.pending = new Map();
    this.lastId = 0;
    /** @type {AssayError|null} */
    this.ended = null;
    worker.onmessage = (/** @type {MessageEvent} */ { data }) => this.receive(data);
    worker.onerror = (/** @type {any} */ event) => {
      event.preventDefault?.();
      this.fail("crashed", event.message || "the worker could not be loaded");
    };
  }

  /**
   * @param {string} call
   * @param {...any} args
   * @returns {Promise<any>}
   */
  call(call, ...args) {
    if (this.ended) return Promise.reject(this.ended);
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve, reject });
      this.worker.postMessage({ id, call, args });
    });
  }

  /** @param {{ id: number, value?: any, error?: { kind: string, message: string } }} answer */
  receive({ id, value, error }) {
    const call = this.pending.get(id);
    this.pending.delete(id);
    if (error?.kind === "unexpected") {
      // A panic leaves the instance unusable: this Worker answers nothing more.
      this.fail("crashed", error.message);
      call?.reject(/** @type {AssayError} */ (this.ended));
    } else if (error) {
      call?.reject(new AssayError(error.kind, error.message));
    } else {
      call?.resolve(value);
    }
  }

  /**
   * @param {string} kind
   * @param {string} message
   */
  fail(kind, message) {
    if (this.ended) return;
    this.ended = new AssayError(kind, message);
    this.worker.terminate();
    for (const { reject } of this.pending.values()) reject(this.ended);
    this.pending.clear();
  }
}

/**
 * @param {number} rows
 * @param {number} workers
 * @returns {[number, number][]} First row and end of each shard, as even as whole rows allow; none is empty.
 */
export function shards(rows, workers) {
  const count = Math.min(rows, workers);
  const at = (/** @type {number} */ index) => Math.floor((rows * index) / count);
  return Array.from({ length: count }, (_, index) => [at(index), at(index + 1)]);
}

/** @returns {number} One core stays for the page. */
export function coresBeside() {
  return Math.max(1, (globalThis.navigator?.hardwareConcurrency ?? 2) - 1);
}

function makeModuleWorker() {
  return new Worker(new URL("./pool_worker.js", import.meta.url), { type: "module", name: "assay-pool" });
}
