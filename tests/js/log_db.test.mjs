// @ts-check
/** @file The log without a database, with a full one, and with one that closes: it says so and goes on in memory. */

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { LogDb } from "../../www/log_db.js";
import { piecesOf } from "../../www/run_log.js";

/** @import { RunSummary } from "../../www/types.js" */

/** @type {LogDb[]} */
const opened = [];
afterEach(() => opened.splice(0).forEach((log) => log.close()));

/** @param {any} db */
function logOn(db) {
  const log = new LogDb(db, "");
  opened.push(log);
  /** @type {string[]} */
  const troubles = [];
  /** @type {any[]} */
  const changes = [];
  log.addEventListener("trouble", (event) => troubles.push(/** @type {CustomEvent} */ (event).detail.message));
  log.addEventListener("change", (event) => changes.push(/** @type {CustomEvent} */ (event).detail));
  return { log, troubles, changes };
}

/** @param {string} digest */
const entry = (digest) => ({ text: `{"digest":"${digest}"}`, summary: /** @type {RunSummary} */ ({ digest }) });

/** A database that can be read, and fails every write with an error of this name. @param {string} name */
function refusing(name) {
  const failure = () => {
    const error = Object.assign(new Error("no"), { name });
    const failed = Promise.reject(error);
    failed.catch(() => {});
    return {
      done: failed,
      objectStore: () => ({ getKey: async () => undefined, put: () => failed, delete: () => failed }),
    };
  };
  const held = { digest: "old", text: "old text" };
  return {
    addEventListener() {},
    close() {},
    transaction: failure,
    get: async (/** @type {string} */ store, /** @type {string} */ key) => (store === "records" && key === "old" ? held : undefined),
    getAll: async (/** @type {string} */ store) => (store === "records" ? [held] : []),
  };
}

test("without a database says so and keeps the log in memory", async () => {
  const log = await LogDb.open();
  opened.push(log);
  assert.equal(log.kind, "memory");
  assert.match(log.message, /until the page is closed/);
  assert.deepEqual(await log.appendRecords([entry("a"), entry("b")]), ["a", "b"]);
  assert.equal(await log.recordText("a"), '{"digest":"a"}');
  assert.deepEqual((await log.summaries()).map(({ digest }) => digest), ["a", "b"]);
});

test("appends a record once", async () => {
  const { log, changes } = logOn(null);
  await log.appendRecords([entry("a")]);
  assert.deepEqual(await log.appendRecords([entry("a"), entry("b")]), ["b"]);
  assert.deepEqual(changes.map(({ kind, digests, summaries }) => [kind, digests, summaries.length]), [["record", ["a"], 1], ["record", ["b"], 1]]);
});

test("when the storage is full says so once, loses nothing and still reads what was there", async () => {
  const { log, troubles } = logOn(refusing("QuotaExceededError"));
  assert.deepEqual(await log.appendRecords([entry("a")]), ["a"]);
  await log.appendAnnotations([{ digest: "n", text: "note" }]);
  await log.putWeights("w", new Uint8Array([1]));
  assert.equal(troubles.length, 1);
  assert.match(troubles[0] ?? "", /storage is full.*export the log/is);
  assert.equal(await log.recordText("a"), '{"digest":"a"}');
  assert.equal(await log.recordText("old"), "old text");
  assert.deepEqual((await log.recordTexts()).sort(), ["old text", '{"digest":"a"}'].sort());
  assert.deepEqual(await log.weights("w"), new Uint8Array([1]));
});

test("names any other reason for which an entry was refused", async () => {
  const { log, troubles } = logOn(refusing("InvalidStateError"));
  await log.putWeights("w", new Uint8Array([1]));
  assert.match(troubles[0] ?? "", /refused an entry \(no\)/);
});

test("replaces and deletes checkpoints by run", async () => {
  const { log } = logOn(null);
  const checkpoint = { runId: "r", recipeText: "{}", recipeDigest: "", started: "", epoch: 1, bytes: null, record: null };
  await log.putCheckpoint(checkpoint);
  await log.putCheckpoint({ ...checkpoint, epoch: 2 });
  assert.deepEqual((await log.checkpoints()).map(({ epoch }) => epoch), [2]);
  await log.deleteCheckpoint("r");
  assert.deepEqual(await log.checkpoints(), []);
});

test("cuts a log into pieces of whole lines and counts the lines before each", () => {
  const lines = Array.from({ length: 300 }, (_, index) => `${index} ${"x".repeat(index * 7)}`);
  for (const end of ["", "\n", "\n\n"]) {
    const text = lines.join("\n") + end;
    const pieces = [...piecesOf(text)];
    assert.equal(pieces.map((piece) => piece.text).join(""), text);
    assert.ok(pieces.length > 3);
    for (const piece of pieces) assert.ok(piece.text.startsWith(`${piece.line} `) || piece.text.trim() === "", `${piece.line}`);
  }
  assert.deepEqual([...piecesOf("")], []);
});
