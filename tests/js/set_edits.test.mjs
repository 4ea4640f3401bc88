// @ts-check
/** @file Edits of a set: what each does to a recipe's section, how they are listed and undone, which rows there are to choose from. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { lastAnswers } from "../../www/last_answers.js";
import { rowsKey } from "../../www/pictures.js";
import { MAX_ROWS, choices, drop, editList, editWords, labelsBefore, problemOf, relabel, slice, takeBack, undo, wrongRows } from "../../www/set_edits.js";

/** @import { DatasetSummary, Finding } from "../../www/types.js" */

const CLASSES = ["zero", "one", "two"];
/** Eight rows whose class is their number by three. @param {number} row */
const made = (row) => row % 3;

/** @param {Partial<DatasetSummary>} [change] @returns {DatasetSummary} */
const summary = (change = {}) => /** @type {any} */ ({ classes: CLASSES, train: [0, 1, 2, 3], validation: [4, 5], test: [6, 7], labels: [0, 1, 2, 0, 1, 2, 0, 1], ...change });

test("a label that is given back is no edit, and rows are written in order", () => {
  const edits = relabel({}, [7, 2, 1], () => 1, made);
  assert.deepEqual(edits, { labels: { 2: 1 } }, "rows 7 and 1 have that class already");
  assert.deepEqual(relabel(edits, [2], () => 2, made), {});
  assert.deepEqual(drop({}, [9, 4, 4, 11]), { dropped: [4, 9, 11] });
  assert.deepEqual(slice({ slices: { far: [5] } }, new Set([7, 1, 5]), "far"), { slices: { far: [1, 5, 7] } });
});

test("of a label and a drop of one row the last counts", () => {
  const labelled = relabel({}, [4, 5], () => 0, made);
  const dropped = drop(labelled, [4]);
  assert.deepEqual(dropped, { labels: { 5: 0 }, dropped: [4] });
  assert.deepEqual(relabel(dropped, [4], () => 2, made), { labels: { 4: 2, 5: 0 } });
  assert.deepEqual(relabel(dropped, [4], () => 1, made), { labels: { 5: 0 } });
  assert.deepEqual(takeBack(dropped, [4]), { labels: { 5: 0 } });
});

test("each edit is listed in words and undone by itself", () => {
  let edits = slice(drop(relabel({}, [5], () => 0, made), [4, 7]), [1, 2], "far");
  assert.equal(editWords(edits), "1 label, 2 rows dropped, 1 slice");
  const list = editList(edits, CLASSES, made);
  assert.deepEqual(
    list.map(({ words }) => words),
    ["row 5: two becomes zero", "row 4 is dropped", "row 7 is dropped", "slice far: 2 rows"],
  );
  for (const edit of list) edits = undo(edits, edit);
  assert.deepEqual(edits, {});
  assert.equal(editWords(edits), "");
});

test("what the lab would refuse is not written", () => {
  const many = Array.from({ length: MAX_ROWS + 1 }, (_, row) => row);
  assert.equal(problemOf(drop({}, many.slice(1))), "");
  assert.match(problemOf(drop({}, many)), /2,001 rows; the limit is 2,000/);
  assert.match(problemOf(slice(drop({}, many.slice(1)), [1], "a")), /the limit is/);
  const slices = Object.fromEntries(many.slice(0, 17).map((name) => [`s${name}`, [1]]));
  assert.match(problemOf({ slices }), /17 slices; the limit is 16/);
  assert.match(problemOf(slice({}, [1], " ")), /needs a name/);
  assert.match(problemOf(slice({}, [1], "x".repeat(41))), /at most 40/);
});

test("the class that a row had before is told by the edits that the summary knows of", () => {
  const before = labelsBefore({ labels: { 17: 0, 3: 2 } }, summary({ labels: [0, 1, 2, 2], before: [0, 7] }));
  assert.deepEqual([before(3), before(17), before(2)], [0, 7, 2]);
});

test("rows to look at are parts, those of checks, those a model got wrong, and those edited", () => {
  const findings = /** @type {Finding[]} */ ([
    { check: "consistency", unit: "rows", of: 8, rows: [2, 0], suggested: [1, 1] },
    { check: "near", unit: "rows", of: 8 },
    { check: "drift", unit: "columns", of: 8, rows: [1] },
    { check: "leakage", unit: "rows", of: 0 },
  ]);
  const answers = { rows: [6, 7, 5], predicted: [1, 1, 0] };
  const edits = { labels: { 3: 1 }, slices: { far: [1] } };
  const all = choices(summary(), { findings, quality: [] }, answers, edits);
  assert.deepEqual(
    all.map(({ id, rows }) => [id, [...rows]]),
    [
      ["train", [0, 1, 2, 3]],
      ["validation", [4, 5]],
      ["test", [6, 7]],
      ["check consistency", [2, 0]],
      ["check near", []],
      ["wrong", [6]],
      ["labels", [3]],
      ["slice far", [1]],
    ],
  );
  assert.deepEqual(all[3]?.suggested, [1, 1]);
  // A row that was given the class that the model answers is wrong no more, and a dropped one is not asked.
  assert.deepEqual(wrongRows(summary({ labels: [0, 1, 2, 0, 1, 2, 1, 1] }), answers), []);
  assert.deepEqual(wrongRows(summary({ test: [7] }), answers), []);
  assert.equal(choices(summary(), null, undefined, {}).length, 3);
});

const digits = { data: { set: "digits" }, split: { validation: 0.15, test: 0.15 }, seed: 1 };

test("the rows of a set are the same whatever is edited, and others with faults by another seed", () => {
  const edited = { ...digits, data: { set: "digits", edits: { dropped: [1] }, reason: "to see" } };
  assert.equal(rowsKey(edited), rowsKey(digits));
  assert.equal(rowsKey({ ...digits, seed: 2 }), rowsKey(digits));
  const faulty = { ...digits, data: { faults: { blur: 0.1 }, set: "digits" } };
  assert.notEqual(rowsKey(faulty), rowsKey(digits));
  assert.notEqual(rowsKey({ ...faulty, seed: 2 }), rowsKey(faulty));
  assert.equal(rowsKey({ seed: 1, split: { test: 0.15, validation: 0.15 }, data: { set: "digits", faults: { blur: 0.1 } } }), rowsKey(faulty));
});

test("the last run on a set is found by what its rows are, not by its version", async () => {
  const chess = { ...digits, data: { set: "chess", size: 60 } };
  const records = {
    a: { recipe: { ...digits, data: { set: "digits", edits: { dropped: [1] } } }, predictions: { rows: [6], predicted: [1] } },
    b: { recipe: chess, predictions: { rows: [1], predicted: [1] } },
    c: { recipe: digits, predictions: { rows: [7], predicted: [0] } },
  };
  /** @type {string[]} */
  const read = [];
  const parts = /** @type {any} */ ({ log: { recordText: async (/** @type {"a"|"b"|"c"} */ digest) => (read.push(digest), digest) }, wasm: { readRecord: (/** @type {"a"|"b"|"c"} */ text) => ({ record: records[text] }) } });
  const runs = /** @type {any[]} */ ([
    { digest: "stopped", set: "digits", predictionsDigest: "" },
    { digest: "b", set: "chess", predictionsDigest: "x" },
    { digest: "a", set: "digits", predictionsDigest: "x" },
    { digest: "c", set: "digits", predictionsDigest: "x" },
  ]);
  assert.deepEqual((await lastAnswers(parts, runs, digits))?.rows, [6]);
  assert.deepEqual(read, ["a"]);
  assert.equal(await lastAnswers(parts, runs, { ...digits, data: { set: "chess", size: 120 } }), undefined);
});
