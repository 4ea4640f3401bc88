// @ts-check
/** @file Runs recipes one after the other: the queue, the run in progress, and what was interrupted. The lab does the work. */

import { quantizationKey } from "./variants.js";
import { afterEvent, isGoing, newRun, recipeWords, waitsForDecision } from "./live_run.js";
import { errorFrom } from "./errors.js";
import { decidedWords, lossWords } from "./gpu_words.js";

/** @import { AssayError, Checkpoint, EpochPoint, LabEvent } from "./types.js" */
/** @import { LabClient } from "./lab_client.js" */
/** @import { RunJournal } from "./run_journal.js" */
/** @import { RunLog } from "./run_log.js" */
/** @import { PageWasm } from "./page_wasm.js" */
/** @import { LiveRun, Store } from "./store.js" */

/** The store hears of a run in progress at most this often. */
const SHOW_MILLIS = 100;

export class Runs {
  /**
   * @param {{ store: Store, wasm: PageWasm, lab: LabClient, log: RunLog, journal: RunJournal, announce?: (text: string, important?: boolean) => void }} parts
   */
  constructor({ store, wasm, lab, log, journal, announce = () => {} }) {
    this.store = store;
    this.wasm = wasm;
    this.lab = lab;
    this.log = log;
    this.journal = journal;
    this.announce = announce;
    /** The {@link modelKey} of the model that the lab holds to play with; null where that is not known. @type {string|null} */
    this.loadedModel = null;
    this.lastQueueId = 0;
    /** Of the lab's command. */
    this.commandId = 0;
    /** The newest state of the run in progress; the store follows it. @type {LiveRun|null} */
    this.live = null;
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    this.showTimer = undefined;
    /** The record's way into the log. @type {Promise<void>|null} */
    this.appended = null;
    log.db.addEventListener("change", (event) => {
      const { kind, digests } = /** @type {CustomEvent} */ (event).detail;
      if (kind === "checkpoint") this.onCheckpoint(digests[0]);
    });
    lab.addEventListener("restarted", () => {
      this.loadedModel = null;
    });
  }

  get going() {
    return isGoing(this.live);
  }

  /**
   * Runs a recipe now, or puts it first in the queue while another is going.
   * @param {string} recipeText
   * @param {{ claimText?: string|null, checkpoint?: Checkpoint|null }} [options] A claim to check; a checkpoint to go on from.
   * @returns {Promise<void>} Resolves when the run has ended, however it ended.
   */
  async start(recipeText, { claimText = null, checkpoint = null } = {}) {
    if (this.store.state.sweep) return this.store.notify("info", "Runs are going on side by side. Wait for their end, or stop them.");
    if (this.store.state.variants) return this.store.notify("info", "Variants are being recorded. Wait for their end, or stop them.");
    if (this.going) return this.store.notify("info", "A run is going on. Add the recipe to the queue, or stop the run first.");
    let checked;
    try {
      checked = this.wasm.checkRecipe(recipeText);
    } catch (error) {
      return this.store.notify("error", errorFrom(error).message);
    }
    const { recipe, text, digest: recipeDigest } = checked;
    const runId = checkpoint?.runId ?? newRunId();
    this.live = { ...newRun({ runId, recipeText: text, recipeDigest, recipe, claimText }), curve: curveOf(checkpoint) };
    this.appended = null;
    this.store.update({ shown: null });
    this.show();
    const kept = checkpoint ?? { runId, recipeText: text, recipeDigest, started: "", epoch: 0, bytes: null, record: null, ...(claimText ? { claimText } : {}) };
    if (!(await this.journal.begin(kept))) {
      this.live = null;
      this.store.update({ run: null });
      return this.store.notify("warn", "This run is already going on in another tab.");
    }
    this.forget(runId);
    // The bytes are moved to the worker; the journal's own stay until there are newer ones.
    const bytes = checkpoint?.bytes?.slice();
    const command = this.lab.command(
      {
        type: "run",
        recipe,
        claim: claimText ? JSON.parse(claimText) : null,
        resume: bytes !== undefined,
        resumedFrom: (bytes && checkpoint?.interruptedDigest) ?? null,
      },
      { bytes, onEvent: (event) => this.onEvent(event) },
    );
    this.commandId = command.id;
    try {
      await command.done;
      await this.appended;
      this.judge();
      this.announce(`The run has ended: ${this.live.status}.`, true);
    } catch (error) {
      await this.onFailure(errorFrom(error));
    }
    const stopped = this.live.status === "stopped" || this.live.error !== null;
    this.show();
    if (!stopped) this.startQueue();
    else if (this.store.state.queue.length > 0) this.store.notify("info", "The queue waits. Start it when you are ready.", { label: "Start the queue", run: () => this.startQueue() });
  }

  /** Runs the draft; where it is the open claim, unchanged, the run is also a check of it. */
  runDraft() {
    const { draft, link, lab } = this.store.state;
    if (!draft) return;
    if (lab !== "ready") return this.announce("The lab is still starting.", true);
    if (!draft.digest) return this.announce("The recipe has problems; mend them first.", true);
    const claimText = link && !link.modified ? (link.opened.claimText ?? null) : null;
    void this.start(draft.text, { claimText });
  }

  /** Runs the open link's own recipe, and checks its claim if it has one. */
  runLink() {
    const { link } = this.store.state;
    if (link) void this.start(link.opened.recipeText, { claimText: link.opened.claimText ?? null });
  }

  /** @param {LabEvent} event */
  onEvent(event) {
    if (!this.live) return;
    if (event.type === "gpuLost") this.tellLoss(event);
    this.live = afterEvent(this.live, event);
    const { runId } = this.live;
    if (event.type === "planned") {
      // A resumed run keeps the checkpoint that it goes on from until it has a newer one.
      this.journal.keep(runId, { started: event.started, ...(this.live.curve.length > 0 ? {} : { record: event.record }) });
    } else if (event.type === "checkpoint") {
      this.journal.keep(runId, { epoch: event.epoch, bytes: event.bytes ?? null, record: event.record, interruptedDigest: undefined });
    } else if (event.type === "recorded") {
      this.appended = this.onRecord(event);
    } else if (event.type === "epoch") {
      const { epoch, validation_accuracy: accuracy } = event.point;
      this.announce(`Epoch ${epoch} of ${this.live.epochs}: validation accuracy ${(accuracy * 100).toFixed(1)} percent.`);
    }
    this.showTimer ??= setTimeout(() => this.show(), SHOW_MILLIS);
  }

  /** Where the recipe has decided, a message says so; else assay-gpu-lost asks. @param {LabEvent} event */
  tellLoss({ reason, epoch, smallerBatch = null, decided = null }) {
    if (!decided) return;
    const loss = { reason, epoch, smallerBatch };
    const words = `${lossWords(loss, this.live?.engine)} ${decidedWords(decided, loss)}`;
    this.store.notify("warn", words);
    this.announce(words, true);
  }

  /** Judges a checked run where the lab did not. */
  judge() {
    const { claimText, recordText, verdict, status } = this.live ?? {};
    if (!this.live || !claimText || !recordText || verdict || status !== "complete") return;
    this.live = { ...this.live, verdict: this.wasm.judge(claimText, recordText) };
  }

  /** @param {LabEvent} event */
  async onRecord({ record, bytes, fineTuned }) {
    const summary = await this.log.append(record, bytes, fineTuned);
    if (bytes) this.loadedModel = modelKey(summary.weightsDigest, quantizationKey(summary), summary.fineTunedDigest);
    if (this.live) await this.journal.end(this.live.runId);
    await this.showRecord(summary.digest);
  }

  /** @param {AssayError} error */
  async onFailure(error) {
    const run = this.live;
    if (!run) return;
    if (run.recordDigest) return this.store.notify("error", `${error.message} The run had been recorded; nothing is lost.`);
    if (error.kind === "crashed" || error.kind === "hung") {
      const checkpoint = await this.journal.interrupt(run.runId);
      const kept = checkpoint?.epoch ? `Epoch ${checkpoint.epoch} was kept; resume the run from there.` : "No epoch had ended; run it again.";
      this.live = { ...run, status: "interrupted", error };
      // Before anything is told of it, so that nothing is asked any more of a run that is over.
      this.show();
      this.store.notify("error", `${error.message} It was started again. ${kept}`);
      if (checkpoint) this.store.update({ interrupted: [checkpoint, ...this.store.state.interrupted] });
      if (checkpoint?.interruptedDigest) await this.showRecord(checkpoint.interruptedDigest);
      this.announce("The run was interrupted.", true);
    } else {
      await this.journal.end(run.runId);
      this.live = { ...run, status: error.kind === "stopped" ? "stopped" : "failed", error };
      if (error.kind !== "stopped") this.store.notify("error", `The run failed: ${error.message}`);
    }
  }

  /** Acknowledged at once, honoured at the next step. */
  stop() {
    this.ask("stop", "stopping");
  }

  pause() {
    if (this.live?.status === "running") this.ask("pause", "paused");
  }

  continue() {
    if (this.live?.status === "paused") this.ask("continue", "running");
  }

  /** Says how the run goes on without its GPU; `stop` ends it instead. @param {"cpu"|"smaller batch"} choice */
  decide(choice) {
    if (!this.live || !waitsForDecision(this.live)) return;
    this.live = { ...this.live, status: "running", gpuLost: null };
    this.show();
    this.lab.command({ type: "decide", target: this.commandId, choice }).done.catch(() => {});
  }

  /**
   * @param {"stop"|"pause"|"continue"} type
   * @param {LiveRun["status"]} status
   */
  ask(type, status) {
    if (!this.live || !this.going) return;
    this.live = { ...this.live, status };
    this.show();
    // A worker that dies over it fails the run itself, which is told there.
    this.lab.command({ type, target: this.commandId }).done.catch(() => {});
  }

  /** Adds the draft to the end of the queue. */
  enqueueDraft() {
    const { draft, queue } = this.store.state;
    if (!draft?.digest) return;
    const { text: recipeText, digest: recipeDigest, recipe } = draft;
    this.store.update({ queue: [...queue, { id: ++this.lastQueueId, recipeText, recipeDigest, label: recipeWords(recipe) }] });
    this.announce(`Added to the queue, place ${queue.length + 1}.`, true);
  }

  /** Runs what waits first, if nothing is going on. */
  startQueue() {
    const [next, ...queue] = this.store.state.queue;
    if (!next || this.going || this.store.state.sweep || this.store.state.variants) return;
    this.store.update({ queue });
    void this.start(next.recipeText);
  }

  /**
   * @param {number} id
   * @param {-1|1} by Up or down.
   */
  moveQueued(id, by) {
    const queue = [...this.store.state.queue];
    const from = queue.findIndex((item) => item.id === id);
    const to = from + by;
    if (from < 0 || to < 0 || to >= queue.length) return;
    queue.splice(to, 0, ...queue.splice(from, 1));
    this.store.update({ queue });
    this.announce(`Moved to place ${to + 1} of ${queue.length}.`, true);
  }

  /** @param {number} id */
  cancelQueued(id) {
    this.store.update({ queue: this.store.state.queue.filter((item) => item.id !== id) });
    this.announce("Taken out of the queue.", true);
  }

  /** Looks for runs that were closed in the middle. */
  async findInterrupted() {
    this.store.update({ interrupted: await this.journal.findInterrupted(() => void this.findInterrupted()) });
  }

  /**
   * Goes on with an interrupted run, or from the start where no epoch had ended.
   * @param {string} runId
   */
  async resumeInterrupted(runId) {
    if (this.going) return this.store.notify("info", "A run is going on. Stop it or wait for its end, then resume.");
    const checkpoint = (await this.log.db.checkpoint(runId)) ?? this.store.state.interrupted.find((each) => each.runId === runId);
    if (!checkpoint) return this.forget(runId);
    await this.start(checkpoint.recipeText, { claimText: checkpoint.claimText ?? null, checkpoint });
  }

  /** @param {string} runId */
  async discardInterrupted(runId) {
    await this.journal.discard(runId);
    this.forget(runId);
  }

  /** @param {string} runId */
  forget(runId) {
    this.store.update({ interrupted: this.store.state.interrupted.filter((each) => each.runId !== runId) });
  }

  /** Another tab wrote or deleted a checkpoint. @param {string} runId */
  onCheckpoint(runId) {
    if (this.live?.runId === runId) return;
    if (this.store.state.interrupted.some((each) => each.runId === runId)) void this.findInterrupted();
    else this.journal.watch(runId, () => void this.findInterrupted());
  }

  /**
   * Shows a record of the log in the experiment view.
   * @param {string|null} digest
   */
  async showRecord(digest) {
    const text = digest && (await this.log.recordText(digest));
    if (!digest || !text) return this.store.update({ shown: null });
    const { record, altered } = this.wasm.readRecord(text);
    this.store.update({ shown: { digest, text, record, altered } });
  }

  /** Tells the store what the run looks like now. */
  show() {
    clearTimeout(this.showTimer);
    this.showTimer = undefined;
    this.store.update({ run: this.live });
  }
}

/**
 * What tells one stored model from another.
 * @param {string|null|undefined} weights Digest of the trained ones.
 * @param {string} quantization Its key.
 * @param {string} [fineTuned] Digest of what fine-tuning left, or `anew` where that was done again.
 */
export function modelKey(weights, quantization, fineTuned = "") {
  return `${weights} ${quantization} ${fineTuned}`;
}

/**
 * @param {Checkpoint|null} checkpoint
 * @returns {EpochPoint[]} What had been measured.
 */
function curveOf(checkpoint) {
  return (checkpoint?.record && JSON.parse(checkpoint.record).results?.training?.curve) || [];
}

/** @returns {string} Names a run's checkpoint and lock in this browser; nothing else knows it. */
function newRunId() {
  return [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
