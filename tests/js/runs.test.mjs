// @ts-check
/** @file Runs, queue and journal: a run is recorded once, a dead worker or a closed tab leaves something to resume. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { LabError } from "../../www/lab_client.js";
import { LogDb } from "../../www/log_db.js";
import { RunJournal } from "../../www/run_journal.js";
import { Runs } from "../../www/runs.js";
import { Store } from "../../www/store.js";

/** @import { Checkpoint } from "../../www/types.js" */

const RECIPE = { seed: 1, architecture: { family: "mlp", depth: 1, width: 8 }, training: { epochs: 3, optimizer: "sgd" }, quantization: { scheme: "f32" } };
const TEXT = JSON.stringify(RECIPE);

const wasm = /** @type {any} */ ({
  checkRecipe: (/** @type {string} */ text) => ({ recipe: JSON.parse(text), text, digest: `d${text.length}`, cost: {} }),
  sealRecord: (/** @type {string} */ text) => ({ record: text, digest: JSON.parse(text).digest }),
  readRecord: (/** @type {string} */ text) => ({ record: JSON.parse(text), altered: false, digest: "" }),
  judge: () => ({ overall: "reproduced", metrics: [] }),
});

/** A lab whose runs end when the test says so. */
class FakeLab extends EventTarget {
  constructor() {
    super();
    /** @type {{ id: number, body: any, bytes?: Uint8Array, onEvent: (event: any) => void, resolve: (value: any) => void, reject: (error: LabError) => void }[]} */
    this.given = [];
  }

  /** @param {any} body @param {any} [options] */
  command(body, { bytes, onEvent = () => {} } = {}) {
    const id = this.given.length + 1;
    const done = new Promise((resolve, reject) => this.given.push({ id, body, bytes, onEvent, resolve, reject }));
    return { id, done };
  }

  runs() {
    return this.given.filter(({ body }) => body.type === "run");
  }
}

/** Web Locks of one browser: shared between pages. */
class FakeLocks {
  constructor() {
    /** @type {Map<string, Promise<unknown>>} */
    this.held = new Map();
  }

  /** @param {string} name @param {any} options @param {any} [callback] @returns {Promise<any>} */
  async request(name, options, callback = options) {
    while (this.held.has(name)) {
      if (options.ifAvailable) return callback(null);
      await this.held.get(name);
    }
    const work = Promise.resolve(callback({ name })).finally(() => this.held.delete(name));
    this.held.set(name, work);
    return work;
  }
}

/** A database in memory that other test files do not hear of. */
function memory() {
  const db = new LogDb(null, "memory");
  db.close();
  return db;
}

/** @param {{ db?: LogDb, locks?: FakeLocks }} [shared] */
function page({ db = memory(), locks = new FakeLocks() } = {}) {
  const store = new Store();
  const lab = new FakeLab();
  /** @type {string[]} */
  const appended = [];
  const log = /** @type {any} */ ({
    db,
    async append(/** @type {string} */ text, /** @type {(Uint8Array|undefined)[]} */ ...[, fineTuned]) {
      const { digest } = JSON.parse(text);
      appended.push(digest);
      const summary = /** @type {any} */ ({ digest, weightsDigest: "w", scheme: "f32", recipe: {}, ...(fineTuned ? { fineTunedDigest: `t${fineTuned}` } : {}) });
      await db.appendRecords([{ text, summary }]);
      return summary;
    },
    recordText: (/** @type {string} */ digest) => db.recordText(digest),
  });
  const journal = new RunJournal({ db, wasm, log, locks: /** @type {any} */ (locks) });
  const runs = new Runs({ store, wasm, lab: /** @type {any} */ (lab), log, journal });
  store.update({ lab: "ready" });
  return { store, lab, runs, journal, db, locks, appended };
}

const settle = () => new Promise((resolve) => setTimeout(resolve, 5));

/** @param {string} digest @param {string} status @param {number} epochs */
const record = (digest, status, epochs) =>
  JSON.stringify({ digest, status, results: { training: { curve: Array.from({ length: epochs }, (_, index) => ({ epoch: index + 1 })) } } });

/** @param {ReturnType<typeof page>} on @param {number} epoch */
function checkpoint(on, epoch) {
  on.lab.runs().at(-1)?.onEvent({ id: 1, type: "checkpoint", epoch, bytes: new Uint8Array([epoch]), record: record(`partial${epoch}`, "interrupted", epoch) });
}

/** @param {ReturnType<typeof page>} on @param {string} digest @param {string} [status] */
async function finish(on, digest, status = "complete") {
  const run = on.lab.runs().at(-1);
  run?.onEvent({ id: 1, type: "recorded", digest, record: record(digest, status, 3), bytes: new Uint8Array([9]) });
  run?.resolve({ digest });
  await settle();
}

test("a run is recorded once, shown, and leaves no checkpoint", async () => {
  const on = page();
  void on.runs.start(TEXT);
  await settle();
  checkpoint(on, 1);
  await finish(on, "r1");
  assert.deepEqual(on.appended, ["r1"]);
  assert.equal(on.store.state.run?.status, "complete");
  assert.equal(on.store.state.shown?.digest, "r1");
  assert.deepEqual(await on.db.checkpoints(), []);
  assert.equal(on.locks.held.size, 0);
});

test("the model to play with is that of the run, told apart by what fine-tuning left", async () => {
  const on = page();
  for (const [fineTuned, key] of [[undefined, ""], [new Uint8Array([7]), "t7"]]) {
    void on.runs.start(TEXT);
    await settle();
    const run = on.lab.runs().at(-1);
    run?.onEvent({ id: 1, type: "recorded", digest: `r${key}`, record: record(`r${key}`, "complete", 3), bytes: new Uint8Array([9]), ...(fineTuned ? { fineTuned } : {}) });
    run?.resolve({ digest: `r${key}` });
    await settle();
    assert.equal(on.runs.loadedModel, `w quantization.scheme=f32 ${key}`);
  }
});

test("keeps only the newest checkpoint of a run", async () => {
  const on = page();
  void on.runs.start(TEXT);
  await settle();
  for (const epoch of [1, 2, 3]) checkpoint(on, epoch);
  await settle();
  assert.deepEqual((await on.db.checkpoints()).map(({ epoch }) => epoch), [3]);
});

test("stop and pause are shown at once, and asked of the lab", async () => {
  const on = page();
  void on.runs.start(TEXT);
  await settle();
  on.runs.pause();
  assert.equal(on.store.state.run?.status, "paused");
  on.runs.continue();
  assert.equal(on.store.state.run?.status, "running");
  on.runs.stop();
  assert.equal(on.store.state.run?.status, "stopping");
  assert.deepEqual(on.lab.given.slice(1).map(({ body }) => [body.type, body.target]), [["pause", 1], ["continue", 1], ["stop", 1]]);
  await finish(on, "r1", "stopped");
  assert.equal(on.store.state.run?.status, "stopped");
});

test("a worker that dies leaves an interrupted record and something to resume", async () => {
  const on = page();
  void on.runs.start(TEXT);
  await settle();
  checkpoint(on, 2);
  on.lab.runs()[0]?.reject(new LabError("crashed", "The lab crashed (x)."));
  await settle();
  assert.deepEqual(on.appended, ["partial2"]);
  assert.equal(on.store.state.run?.status, "interrupted");
  assert.equal(on.store.state.interrupted[0]?.epoch, 2);
  assert.match(on.store.state.notices[0]?.text ?? "", /Epoch 2 was kept/);

  void on.runs.resumeInterrupted(on.store.state.interrupted[0]?.runId ?? "");
  await settle();
  const resumed = on.lab.runs()[1];
  assert.deepEqual([resumed?.body.resume, resumed?.body.resumedFrom, resumed?.bytes], [true, "partial2", new Uint8Array([2])]);
  assert.deepEqual(on.store.state.run?.curve.map(({ epoch }) => epoch), [1, 2]);
  assert.deepEqual(on.store.state.interrupted, []);
  await finish(on, "r1");
  assert.deepEqual(on.appended, ["partial2", "r1"]);
  assert.deepEqual(await on.db.checkpoints(), []);
});

test("a failed run says why and does not count as interrupted", async () => {
  const on = page();
  void on.runs.start(TEXT);
  await settle();
  on.lab.runs()[0]?.reject(new LabError("too-large", "work would be 9"));
  await settle();
  assert.equal(on.store.state.run?.status, "failed");
  assert.match(on.store.state.notices[0]?.text ?? "", /work would be 9/);
  assert.deepEqual(await on.db.checkpoints(), []);
});

test("a closed tab's run is found by the next one, sealed once, and not while it is still going", async () => {
  const first = page();
  void first.runs.start(TEXT);
  await settle();
  checkpoint(first, 2);
  await settle();

  const second = page({ db: first.db, locks: first.locks });
  await second.runs.findInterrupted();
  assert.equal(second.store.state.interrupted.length, 0);

  // The browser releases a closed tab's locks.
  for (const runId of [...first.journal.held.keys()]) first.journal.held.get(runId)?.();
  await settle();
  assert.equal(second.store.state.interrupted[0]?.interruptedDigest, "partial2");
  await second.runs.findInterrupted();
  assert.deepEqual(second.appended, ["partial2"]);
});

test("a run that was closed before its first epoch can be run again, from the start", async () => {
  const shared = { db: memory(), locks: new FakeLocks() };
  /** @type {Checkpoint} */
  const started = { runId: "r", recipeText: TEXT, recipeDigest: "d", started: "", epoch: 0, bytes: null, record: null };
  await shared.db.putCheckpoint(started);
  const on = page(shared);
  await on.runs.findInterrupted();
  assert.deepEqual(on.appended, []);
  void on.runs.resumeInterrupted("r");
  await settle();
  assert.deepEqual([on.lab.runs()[0]?.body.resume, on.lab.runs()[0]?.body.resumedFrom], [false, null]);
});

test("two tabs cannot resume the same run", async () => {
  const shared = { db: memory(), locks: new FakeLocks() };
  await shared.db.putCheckpoint({ runId: "r", recipeText: TEXT, recipeDigest: "d", started: "", epoch: 1, bytes: new Uint8Array([1]), record: record("p", "interrupted", 1) });
  const [a, b] = [page(shared), page(shared)];
  await a.runs.findInterrupted();
  await b.runs.findInterrupted();
  void a.runs.resumeInterrupted("r");
  await settle();
  await b.runs.resumeInterrupted("r");
  assert.equal(a.lab.runs().length, 1);
  assert.equal(b.lab.runs().length, 0);
  assert.match(b.store.state.notices[0]?.text ?? "", /another tab/);
});

test("a discarded run is forgotten; its record stays", async () => {
  const shared = { db: memory(), locks: new FakeLocks() };
  await shared.db.putCheckpoint({ runId: "r", recipeText: TEXT, recipeDigest: "d", started: "", epoch: 1, bytes: new Uint8Array([1]), record: record("p", "interrupted", 1) });
  const on = page(shared);
  await on.runs.findInterrupted();
  await on.runs.discardInterrupted("r");
  assert.deepEqual([on.store.state.interrupted, await on.db.checkpoints()], [[], []]);
  assert.deepEqual(on.appended, ["p"]);
});

/** @param {ReturnType<typeof page>} on @param {number} seed */
function enqueue(on, seed) {
  const recipe = { ...RECIPE, seed };
  on.store.update({ draft: { text: JSON.stringify(recipe), recipe, digest: `q${seed}`, cost: null, problems: [], message: "" } });
  on.runs.enqueueDraft();
}

test("the queue runs one recipe after the other, in the order it was put in", async () => {
  const on = page();
  for (const seed of [1, 2, 3]) enqueue(on, seed);
  const ids = on.store.state.queue.map(({ id }) => id);
  on.runs.moveQueued(ids[2] ?? 0, -1);
  on.runs.moveQueued(ids[0] ?? 0, -1);
  on.runs.cancelQueued(ids[0] ?? 0);
  assert.deepEqual(on.store.state.queue.map(({ recipeDigest }) => recipeDigest), ["q3", "q2"]);
  on.runs.startQueue();
  await settle();
  await finish(on, "r3");
  assert.deepEqual(on.lab.runs().map(({ body }) => body.recipe.seed), [3, 2]);
  assert.equal(on.store.state.queue.length, 0);
  await finish(on, "r2");
  assert.deepEqual(on.appended, ["r3", "r2"]);
});

test("stopping a run holds the queue", async () => {
  const on = page();
  enqueue(on, 1);
  void on.runs.start(TEXT);
  await settle();
  await finish(on, "r", "stopped");
  assert.equal(on.lab.runs().length, 1);
  assert.equal(on.store.state.notices.at(-1)?.action?.label, "Start the queue");
});

test("an unchanged claim is checked, a modified one is not", async () => {
  for (const modified of [false, true]) {
    const on = page();
    on.store.update({
      draft: { text: TEXT, recipe: RECIPE, digest: "d", cost: null, problems: [], message: "" },
      link: { fragment: "#c1.x", modified, opened: { kind: "claim", recipeText: TEXT, recipeDigest: "d", claimText: '{"assay":"claim"}' } },
    });
    on.runs.runDraft();
    await settle();
    assert.deepEqual(on.lab.runs()[0]?.body.claim, modified ? null : { assay: "claim" });
    await finish(on, "r");
    assert.equal(on.store.state.run?.verdict?.overall, modified ? undefined : "reproduced");
  }
});

test("a second run is refused in words while one is going", async () => {
  const on = page();
  void on.runs.start(TEXT);
  await settle();
  await on.runs.start(TEXT);
  assert.equal(on.lab.runs().length, 1);
  assert.match(on.store.state.notices[0]?.text ?? "", /queue/);
});

const LOST = { id: 1, type: "gpuLost", reason: "the GPU ran out of memory", epoch: 2, smallerBatch: 32, decided: null };

test("a lost GPU is decided on once, and the same run goes on to its record", async () => {
  const on = page();
  void on.runs.start(TEXT);
  await settle();
  on.lab.runs()[0]?.onEvent(LOST);
  on.runs.show();
  assert.equal(on.store.state.run?.gpuLost?.smallerBatch, 32);
  on.runs.pause();
  on.runs.decide("smaller batch");
  on.runs.decide("cpu");
  assert.deepEqual([on.store.state.run?.gpuLost, on.store.state.run?.status], [null, "running"]);
  const decisions = on.lab.given.filter(({ body }) => body.type === "decide");
  assert.deepEqual(decisions.map(({ body }) => [body.target, body.choice]), [[1, "smaller batch"]]);
  assert.deepEqual(on.store.state.notices, []);
  await finish(on, "r1");
  assert.deepEqual(on.appended, ["r1"]);
});

test("a run that waits without its GPU can be stopped", async () => {
  const on = page();
  void on.runs.start(TEXT);
  await settle();
  on.lab.runs()[0]?.onEvent(LOST);
  on.runs.stop();
  assert.equal(on.store.state.run?.status, "stopping");
  on.runs.decide("cpu");
  assert.deepEqual(on.lab.given.slice(1).map(({ body }) => body.type), ["stop"]);
});

test("where the recipe decided, a message says what was lost, what was kept and how it goes on", async () => {
  const on = page();
  void on.runs.start(TEXT);
  await settle();
  on.lab.runs()[0]?.onEvent({ ...LOST, decided: "cpu" });
  on.runs.show();
  assert.equal(on.store.state.run?.gpuLost, null);
  assert.equal(on.store.state.notices[0]?.text, "The GPU ran out of memory. Kept epoch 2. The run goes on on the CPU, as its recipe says.");
});

test("a worker that dies while a run waits for a decision leaves it interrupted, with nothing to decide", async () => {
  const on = page();
  void on.runs.start(TEXT);
  await settle();
  checkpoint(on, 2);
  on.lab.runs()[0]?.onEvent(LOST);
  /** What the run was when the message came. @type {(string|undefined)[]} */
  const told = [];
  on.store.subscribe(["notices"], () => told.push(on.store.state.run?.status));
  on.lab.runs()[0]?.reject(new LabError("crashed", "The lab crashed (x)."));
  await settle();
  assert.equal(on.store.state.run?.status, "interrupted");
  assert.deepEqual(told, ["interrupted"]);
  const given = on.lab.given.length;
  on.runs.decide("cpu");
  assert.equal(on.lab.given.length, given);
  assert.equal(on.store.state.interrupted[0]?.epoch, 2);
});
