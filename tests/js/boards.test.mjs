// @ts-check
/** @file Whole boards are read from a record where it has their form, and sorted by what the rule did to them. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { boardsOf, pieceSign, readingFrom, squareName, wrongPlaces } from "../../www/boards.js";
import { sectionsOf } from "../../www/recipe_words.js";

const share = { correct: 3, total: 4, low: 0.3, high: 0.9, confidence: 0.95 };
const games = { ...share, correct: 1, total: 2 };
const latency = { mean_millis: 2, p50_millis: 1, p50_low_millis: 0.9, p50_high_millis: 1.1, samples_millis: [1], flags: ["few samples"] };
const way = { squares: { ...share, correct: 250, total: 256 }, boards: share, games, independent_boards: 0.2, independent_games: 0.1, looked_at: 256, macs: 256_000 };
const EMPTY = ".".repeat(64);

/** Two games of two boards; `read` is wrong on the first and the last board. */
function reading() {
  return { without: { ...way, latency }, with: way, repaired: 1, spoiled: 1, positions: [`P${EMPTY.slice(1)}`, EMPTY, EMPTY, `${EMPTY.slice(1)}k`], digest: "0".repeat(64) };
}

function predictions() {
  const predicted = Array(256).fill(0);
  // Square by square the second and the last board are wrong.
  predicted[64 + 27] = 12;
  predicted[255] = 6;
  return { rows: Array.from({ length: 256 }, (_, row) => 512 + row), labels: Array(256).fill(0), predicted, confidence: Array(256).fill(1) };
}

test("a reading of the right form is read as it is, and whatever else stands in a record is none", () => {
  const value = reading();
  assert.equal(readingFrom(value), value);
  for (const other of [undefined, null, 3, "x", [], {}]) assert.equal(readingFrom(other), null);
  /** @type {((it: any) => void)[]} */
  const breaks = [
    (it) => (it.without = null),
    (it) => (it.with.squares.correct = "3"),
    (it) => (it.with.boards.total = 0),
    (it) => (it.with.macs = null),
    (it) => (it.without.latency.flags = [1]),
    (it) => (it.without.latency.p50_millis = "1"),
    (it) => (it.positions[2] = ""),
    (it) => (it.positions[2] = "x".repeat(64)),
    (it) => (it.positions = null),
    (it) => (it.repaired = "1"),
  ];
  for (const change of breaks) {
    const broken = structuredClone(reading());
    change(broken);
    assert.equal(readingFrom(broken), null, String(change));
  }
});

test("boards are sorted by what the rule did to them", () => {
  const boards = boardsOf(reading(), predictions());
  assert.deepEqual(
    boards.map(({ kind, game, picture }) => [kind, game, picture]),
    [
      ["spoiled", 5, 1],
      ["repaired", 5, 2],
      ["right", 6, 1],
      ["wrong", 6, 2],
    ],
  );
  const [first, second] = boards;
  assert.deepEqual(wrongPlaces(first?.with ?? [], first?.truth ?? []), [0]);
  assert.deepEqual(wrongPlaces(second?.without ?? [], second?.truth ?? []), [27]);
  assert.deepEqual(boardsOf(reading(), undefined), []);
  assert.deepEqual(boardsOf({ ...reading(), positions: [EMPTY] }, predictions()), []);
});

test("squares and pieces have the names and signs of chess", () => {
  assert.deepEqual([0, 7, 36, 63].map(squareName), ["a8", "h8", "e4", "h1"]);
  assert.deepEqual([0, 1, 6, 7, 12, 13].map(pieceSign), ["", "♙", "♔", "♟", "♚", "?"]);
});

test("the form has the rule where pieces are asked for, and its numbers where the rule is", () => {
  /** @type {any[]} */
  const fields = [
    { path: "data.set", onlyWhen: null, default: null },
    { path: "data.task", onlyWhen: ["data.set", ["chess"]], default: "pieces" },
    { path: "reading.rule", onlyWhen: ["data.task", ["pieces"]], default: "off" },
    { path: "reading.kept", onlyWhen: ["reading.rule", ["legal"]], default: 8 },
  ];
  const shown = (/** @type {any} */ recipe) => sectionsOf(fields, recipe).flatMap((section) => section.fields.map(({ path }) => path));
  assert.deepEqual(shown({ data: { set: "digits" } }), ["data.set"]);
  assert.deepEqual(shown({ data: { set: "chess" } }), ["data.set", "data.task", "reading.rule"]);
  assert.deepEqual(shown({ data: { set: "chess", task: "occupancy" } }), ["data.set", "data.task"]);
  assert.equal(shown({ data: { set: "chess" }, reading: { rule: "legal" } }).length, 4);
});
