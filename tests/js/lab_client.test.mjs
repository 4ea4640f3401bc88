// @ts-check
/** @file The lab client against a worker that answers, crashes, hangs or never starts. */

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { LabClient } from "../../www/lab_client.js";

/** @import { Environment } from "../../www/types.js" */

/** Stands in for a Worker: keeps what it is sent, says what it is told to. */
class FakeWorker {
  constructor() {
    /** @type {any[]} */
    this.received = [];
    this.terminated = false;
    this.answersPings = true;
    /** @type {((event: { data: any }) => void)|null} */
    this.onmessage = null;
    /** @type {((event: { message: string }) => void)|null} */
    this.onerror = null;
  }

  /** @param {any} message */
  postMessage(message) {
    this.received.push(message);
    if (message.ping && this.answersPings) setTimeout(() => this.say({ pong: true, longestMillis: 1 }));
  }

  /** @param {any} data */
  say(data) {
    if (!this.terminated) this.onmessage?.({ data });
  }

  terminate() {
    this.terminated = true;
  }

  commands() {
    return this.received.filter(({ command }) => command).map(({ command }) => command);
  }
}

/** @type {LabClient[]} */
const started = [];

function startedClient({ answers = true } = {}) {
  /** @type {FakeWorker[]} */
  const workers = [];
  const client = new LabClient({
    module: null,
    environment: /** @type {Environment} */ ({ browser: "Test" }),
    pingMillis: 5,
    hangMillis: 40,
    makeWorker: () => {
      const worker = new FakeWorker();
      workers.push(worker);
      if (answers) setTimeout(() => worker.say({ ready: true }));
      return /** @type {any} */ (worker);
    },
  });
  client.start();
  started.push(client);
  return { client, workers };
}

afterEach(() => {
  for (const client of started.splice(0)) {
    clearInterval(client.timer);
    client.worker = null;
  }
});

/** @param {number} millis */
const wait = (millis) => new Promise((resolve) => setTimeout(resolve, millis));

/**
 * @param {EventTarget} target
 * @param {string} type
 * @returns {Promise<any>}
 */
const heard = (target, type) => new Promise((resolve) => target.addEventListener(type, resolve, { once: true }));

test("a record comes with its weights and with what fine-tuning left of them, each where it is", () => {
  const { client, workers } = startedClient();
  /** @type {any[]} */
  const heard = [];
  const { id } = client.command({ type: "run", recipe: {} }, { onEvent: (event) => heard.push(event) });
  const event = { id, type: "recorded", record: "{}" };
  const [bytes, fineTuned] = [new Uint8Array([1]), new Uint8Array([2])];
  for (const more of [{ bytes, fineTuned }, { fineTuned }, { bytes }, {}]) workers[0]?.say({ event, ...more });
  assert.deepEqual(heard, [{ ...event, bytes, fineTuned }, { ...event, fineTuned }, { ...event, bytes }, event]);
});

test("opens the lab with the environment before anything else", () => {
  const { client, workers } = startedClient();
  client.command({ type: "dataset", recipe: {} }).done.catch(() => {});
  const commands = workers[0]?.commands();
  assert.deepEqual(commands?.map(({ type }) => type), ["open", "dataset"]);
  assert.equal(commands?.[0].environment.browser, "Test");
});

test("tells the lab why there is no GPU, and the tiles that were chosen last, also after a crash", async () => {
  const { client, workers } = startedClient();
  assert.deepEqual([workers[0]?.commands()[0].gpuMissing, workers[0]?.commands()[0].tiles], ["", ""]);
  client.gpuMissing = "this browser offers no WebGPU";
  await heard(client, "ready");
  const tuned = heard(client, "tuned");
  /** @type {string[]} */
  const events = [];
  const { id, done } = client.command({ type: "run" }, { onEvent: ({ type }) => events.push(type) });
  workers[0]?.say({ event: { id, type: "tuned", tiles: "{}" } });
  assert.deepEqual((await tuned).detail, { tiles: "{}" });
  assert.deepEqual(events, ["tuned"]);
  workers[0]?.say({ crash: "unreachable" });
  await assert.rejects(done);
  const [open] = workers[1]?.commands() ?? [];
  assert.deepEqual([open.type, open.gpuMissing, open.tiles], ["open", "this browser offers no WebGPU", "{}"]);
});

test("gives each command its own id, its events and its answer", async () => {
  const { client, workers } = startedClient();
  /** @type {string[]} */
  const events = [];
  const first = client.command({ type: "run" }, { onEvent: ({ type }) => events.push(`first ${type}`) });
  const second = client.command({ type: "predict" }, { onEvent: ({ type }) => events.push(`second ${type}`) });
  assert.notEqual(first.id, second.id);
  workers[0]?.say({ event: { id: first.id, type: "epoch" } });
  workers[0]?.say({ event: { id: second.id, type: "done", value: { predicted: 3 } } });
  workers[0]?.say({ event: { id: first.id, type: "done", value: { digest: "d" } } });
  assert.deepEqual(await second.done, { predicted: 3 });
  assert.deepEqual(await first.done, { digest: "d" });
  assert.deepEqual(events, ["first epoch"]);
});

test("attaches bytes to the event or answer that names them", async () => {
  const { client, workers } = startedClient();
  /** @type {(Uint8Array|undefined)[]} */
  const bytes = [];
  const { id, done } = client.command({ type: "images" }, { onEvent: (event) => bytes.push(event.bytes) });
  workers[0]?.say({ event: { id, type: "checkpoint", buffer: 1 }, bytes: new Uint8Array([1]) });
  workers[0]?.say({ event: { id, type: "done", value: { buffer: 2, rows: 1 } }, bytes: new Uint8Array([2]) });
  assert.deepEqual((await done).bytes, new Uint8Array([2]));
  assert.deepEqual(bytes, [new Uint8Array([1])]);
});

test("rejects with the kind and the words of the lab's error", async () => {
  const { client, workers } = startedClient();
  const { id, done } = client.command({ type: "run" });
  workers[0]?.say({ event: { id, type: "error", kind: "too-large", message: "parameters would be 9" } });
  await assert.rejects(done, { kind: "too-large", message: "parameters would be 9" });
});

test("after a crash fails what was under way, starts again and answers", async () => {
  const { client, workers } = startedClient();
  await heard(client, "ready");
  const { done } = client.command({ type: "run" });
  const restarted = heard(client, "restarted");
  workers[0]?.say({ crash: "unreachable" });
  await assert.rejects(done, { kind: "crashed" });
  assert.match((await restarted).detail.message, /crashed \(unreachable\)/);
  assert.equal(workers[0]?.terminated, true);
  await heard(client, "ready");
  const again = client.command({ type: "predict" });
  workers[1]?.say({ event: { id: again.id, type: "done", value: 1 } });
  assert.equal(await again.done, 1);
});

test("takes an uncaught error in the worker for a crash", async () => {
  const { client, workers } = startedClient();
  const { done } = client.command({ type: "run" });
  workers[0]?.onerror?.({ message: "RuntimeError: unreachable" });
  await assert.rejects(done, { kind: "crashed" });
  assert.equal(workers.length, 2);
});

test("ends a worker that gives no sign of life, and says so", async () => {
  const { client, workers } = startedClient();
  await heard(client, "ready");
  if (workers[0]) workers[0].answersPings = false;
  const { done } = client.command({ type: "run" });
  await assert.rejects(done, { kind: "hung" });
  assert.equal(workers[0]?.terminated, true);
  assert.equal(workers.length, 2);
});

test("leaves a worker alone that answers pings, however long a run takes", async () => {
  const { client, workers } = startedClient();
  await heard(client, "ready");
  client.command({ type: "run" }).done.catch(() => {});
  await wait(150);
  assert.equal(workers.length, 1);
});

test("waits ten times the longest step before it calls a worker hung", async () => {
  const { client, workers } = startedClient();
  await heard(client, "ready");
  workers[0]?.say({ pong: true, longestMillis: 1000 });
  assert.equal(client.limitMillis(), 10_000);
});

test("does not watch a worker that has nothing to do", async () => {
  const { client, workers } = startedClient();
  await heard(client, "ready");
  const worker = /** @type {FakeWorker} */ (workers[0]);
  worker.say({ event: { id: 1, type: "done", value: {} } });
  await wait(20);
  worker.answersPings = false;
  await wait(100);
  assert.equal(workers.length, 1);
});

test("gives up after a few starts without one answer, with the next step in words", async () => {
  const { client, workers } = startedClient();
  const unavailable = heard(client, "unavailable");
  for (let start = 0; start < 4; start += 1) workers[start]?.say({ crash: "no" });
  assert.match((await unavailable).detail.message, /Reload the page/);
  assert.equal(workers.length, 4);
  await assert.rejects(client.command({ type: "run" }).done, { kind: "closed" });
});

test("ignores what an ended worker still says", async () => {
  const { client, workers } = startedClient();
  const { id, done } = client.command({ type: "run" });
  const first = workers[0];
  const onmessage = first?.onmessage;
  first?.say({ crash: "x" });
  await assert.rejects(done);
  onmessage?.({ data: { event: { id, type: "done", value: 1 } } });
  assert.equal(workers.length, 2);
});
