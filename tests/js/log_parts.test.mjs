// @ts-check
/** @file A log file in parts: whole lines, none lost, counted from 1. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { partsOf } from "../../www/log_parts.js";

/** @param {string[]} texts @param {number} size */
async function all(texts, size) {
  const parts = [];
  for await (const part of partsOf(texts, size)) parts.push(part);
  return parts;
}

test("every line is in one part, wherever the file was cut", async () => {
  const file = Array.from({ length: 100 }, (_, index) => `line ${index + 1}${"x".repeat(index % 17)}`).join("\n");
  for (const cut of [1, 3, 7, 64, 10_000]) {
    const texts = [];
    for (let start = 0; start < file.length; start += cut) texts.push(file.slice(start, start + cut));
    const parts = await all(texts, 50);
    assert.equal(parts.map(({ text }) => text).join(""), file, `cut every ${cut}`);
    for (const { text, line } of parts) assert.ok(text.startsWith(`line ${line}x`) || text.startsWith(`line ${line}\n`) || text === `line ${line}`, `part at line ${line}`);
  }
});

test("a line longer than a part is a part of its own", async () => {
  const parts = await all(["a\n", "b".repeat(30), "b".repeat(30), "\nc"], 10);
  assert.deepEqual(parts.map(({ line, text }) => [line, text.length]), [[1, 2], [2, 61], [3, 1]]);
});

test("an empty file has no parts", async () => {
  assert.deepEqual(await all([], 10), []);
  assert.deepEqual(await all([""], 10), []);
});
