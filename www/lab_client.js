// @ts-check
/** @file The page's side of the lab: the only file that makes a Worker. Sends commands, tells crashes and hangs, starts the lab again. */

/** @import { Environment, LabEvent } from "./types.js" */
/** @import { OwnFile } from "./set_source.js" */

/** No sign of life for this long, or for ten times the longest step so far, and the worker counts as hung. */
const HANG_MILLIS = 5000;
const HANG_STEPS = 10;
/** A worker that has not said that it is ready: compiling is done by then, so only a very slow device takes longer. */
const START_MILLIS = 20_000;
const PING_MILLIS = 500;
/** Restarts without one command done in between, after which the lab is given up. */
const MAX_RESTARTS = 3;

/** A failure that has a kind, as the wasm module's errors do. */
export class LabError extends Error {
  /**
   * @param {string} kind
   * @param {string} message
   */
  constructor(kind, message) {
    super(message);
    this.kind = kind;
  }
}

/**
 * @typedef {Object} Command
 * @property {number} id
 * @property {Promise<any>} done The value of `done` (with `bytes`, where it names a buffer); rejects with a LabError.
 */

/**
 * @typedef {Object} Options
 * @property {WebAssembly.Module|null} module
 * @property {Environment} environment
 * @property {string} [gpuMissing] Why there is no GPU, as far as the page knows.
 * @property {string} [tiles] What the last `tuned` of this adapter said.
 * @property {(() => Worker)} [makeWorker]
 * @property {() => number} [now] Milliseconds.
 * @property {number} [pingMillis]
 * @property {number} [hangMillis]
 * @property {(identity: string) => Promise<OwnFile[]|null>} [findFiles] The files that a recipe names, where they are at hand.
 */

/**
 * Events: `ready` (also after each restart), `restarted` (a CustomEvent whose detail is `{ kind, message }`),
 * `unavailable` (the lab was given up; detail `{ message }`), `tuned` (tiles were chosen; detail `{ tiles }`).
 */
export class LabClient extends EventTarget {
  /** @param {Options} options */
  constructor(options) {
    super();
    this.module = options.module;
    this.environment = options.environment;
    this.gpuMissing = options.gpuMissing ?? "";
    this.tiles = options.tiles ?? "";
    this.makeWorker = options.makeWorker ?? makeModuleWorker;
    this.now = options.now ?? (() => performance.now());
    this.pingMillis = options.pingMillis ?? PING_MILLIS;
    this.hangMillis = options.hangMillis ?? HANG_MILLIS;
    this.findFiles = options.findFiles ?? (async () => null);
    /** @type {Map<number, { onEvent: (event: LabEvent) => void, resolve: (value: any) => void, reject: (error: LabError) => void }>} */
    this.pending = new Map();
    /** @type {Worker|null} */
    this.worker = null;
    this.lastId = 0;
    this.ready = false;
    this.unavailable = "";
    this.longestMillis = 0;
    this.lastSign = 0;
    this.lastCheck = 0;
    this.restarts = 0;
    /** @type {ReturnType<typeof setInterval>|undefined} */
    this.timer = undefined;
  }

  /** Starts the worker; commands may be given at once. */
  start() {
    const worker = this.makeWorker();
    this.worker = worker;
    this.ready = false;
    this.longestMillis = 0;
    this.lastSign = this.now();
    worker.onmessage = ({ data }) => this.worker === worker && this.receive(data);
    worker.onerror = (event) => {
      event.preventDefault?.();
      if (this.worker === worker) this.fail("crashed", event.message || "the worker could not be loaded");
    };
    worker.postMessage({ module: this.module });
    // A lab that cannot be opened fails the commands that follow, so this answer says nothing new.
    const { environment, gpuMissing, tiles } = this;
    this.command({ type: "open", environment, gpuMissing, tiles }).done.catch(() => {});
    this.watch();
  }

  /**
   * Gives a command.
   * @param {{ type: string } & Record<string, any>} body `lab::protocol::CommandBody`.
   * @param {{ bytes?: Uint8Array, files?: OwnFile[], onEvent?: (event: LabEvent) => void }} [options] `bytes` are moved to the
   *   worker: the caller's array is empty afterwards. `files` are for `openFiles`, which is the Worker's own command. `onEvent`
   *   hears every event but `done` and `error`.
   * @returns {Command}
   */
  command(body, { bytes, files, onEvent = () => {} } = {}) {
    const id = ++this.lastId;
    if (!this.worker) {
      return { id, done: Promise.reject(new LabError("closed", this.unavailable || "The lab has not started.")) };
    }
    const done = new Promise((resolve, reject) => this.pending.set(id, { onEvent, resolve, reject }));
    if (this.pending.size === 1) this.lastSign = this.now();
    this.worker.postMessage({ command: { id, ...body }, bytes, ...(files ? { files } : {}) }, bytes ? [bytes.buffer] : []);
    this.watch();
    return { id, done };
  }

  /** Ends the worker for good; what is under way fails. */
  close() {
    this.worker?.terminate();
    this.worker = null;
    this.unavailable = "The lab was closed.";
    for (const command of this.pending.values()) command.reject(new LabError("closed", this.unavailable));
    this.pending.clear();
    this.check();
  }

  /** @param {any} data */
  receive(data) {
    this.lastSign = this.now();
    if (data.crash) return this.fail("crashed", data.crash);
    if (data.want) return void this.provide(data.want);
    if (data.pong) {
      this.longestMillis = Math.max(this.longestMillis, data.longestMillis);
    } else if (data.ready) {
      this.ready = true;
      this.dispatchEvent(new Event("ready"));
    } else if (data.event) {
      this.deliver(data.event, data.bytes, data.fineTuned);
    }
  }

  /** Answers the worker's question for a recipe's files. @param {string} identity */
  async provide(identity) {
    const { worker } = this;
    const files = await this.findFiles(identity).catch(() => null);
    if (this.worker === worker) worker?.postMessage({ found: identity, files });
  }

  /**
   * @param {LabEvent} event
   * @param {Uint8Array} [bytes]
   * @param {Uint8Array} [fineTuned] What fine-tuning left, of a `recorded`.
   */
  deliver(event, bytes, fineTuned) {
    const command = this.pending.get(event.id);
    if (!command) return;
    if (event.type === "done") {
      this.pending.delete(event.id);
      this.restarts = 0;
      command.resolve(bytes ? { ...event.value, bytes } : event.value);
    } else if (event.type === "error") {
      this.pending.delete(event.id);
      command.reject(new LabError(event.kind, event.message));
    } else {
      if (event.type === "tuned") {
        // Kept here too, so that a lab that is started again need not measure again.
        this.tiles = event.tiles;
        this.dispatchEvent(new CustomEvent("tuned", { detail: { tiles: event.tiles } }));
      }
      command.onEvent({ ...event, ...(bytes ? { bytes } : {}), ...(fineTuned ? { fineTuned } : {}) });
    }
  }

  /** Asks for a sign of life while something is under way. */
  watch() {
    if (this.timer !== undefined) return;
    this.lastCheck = this.now();
    this.timer = setInterval(() => this.check(), this.pingMillis);
  }

  check() {
    if (!this.worker || this.pending.size === 0) {
      clearInterval(this.timer);
      this.timer = undefined;
      return;
    }
    const now = this.now();
    // A check that comes late itself (a sleeping laptop, a hidden tab) says nothing about the worker.
    if (now - this.lastCheck > 4 * this.pingMillis) this.lastSign = now;
    this.lastCheck = now;
    const silentMillis = now - this.lastSign;
    if (silentMillis > this.limitMillis()) {
      this.fail("hung", `no sign of life for ${Math.round(silentMillis / 1000)} s`);
    } else {
      this.worker.postMessage({ ping: true });
    }
  }

  limitMillis() {
    if (!this.ready) return Math.max(START_MILLIS, this.hangMillis);
    return Math.max(this.hangMillis, HANG_STEPS * this.longestMillis);
  }

  /**
   * Ends the worker, fails what was under way and starts another.
   * @param {"crashed"|"hung"} kind
   * @param {string} reason
   */
  fail(kind, reason) {
    this.worker?.terminate();
    this.worker = null;
    clearInterval(this.timer);
    this.timer = undefined;
    const message = kind === "hung" ? `The lab stopped answering (${reason}).` : `The lab crashed (${reason}).`;
    const commands = [...this.pending.values()];
    this.pending.clear();
    this.restarts += 1;
    if (this.restarts > MAX_RESTARTS) {
      this.unavailable = `${message} It was started ${MAX_RESTARTS} times and given up. Reload the page to try again; the log is untouched.`;
    } else {
      this.start();
    }
    for (const command of commands) command.reject(new LabError(kind, message));
    if (this.unavailable) this.dispatchEvent(new CustomEvent("unavailable", { detail: { message: this.unavailable } }));
    else this.dispatchEvent(new CustomEvent("restarted", { detail: { kind, message } }));
  }
}

function makeModuleWorker() {
  const address = new URL("./worker.js", import.meta.url);
  // The lab crashes and hangs on command only where the page was opened for tests.
  if (new URLSearchParams(location.search).has("test")) address.search = "?test";
  return new Worker(address, { type: "module", name: "assay-lab" });
}
