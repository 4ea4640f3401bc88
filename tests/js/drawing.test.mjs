// @ts-check
/** @file From strokes to a picture: scaled to the full height, centred, averaged over blocks. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { averaged, pictureFromStrokes, placedStrokes } from "../../www/drawing.js";

const small = [[{ x: 0.1, y: 0.1 }, { x: 0.2, y: 0.3 }, { x: 0.1, y: 0.3 }]];

/** @param {number[]} picture @param {number} row */
const rowSum = (picture, row) => picture.slice(row * 8, row * 8 + 8).reduce((sum, value) => sum + value, 0);

test("averages over blocks", () => {
  assert.deepEqual(averaged([1, 1, 0, 0, 1, 1, 0, 1], 4, 2, 2), [1, 0.25]);
});

test("nothing drawn is an empty picture", () => {
  assert.deepEqual(pictureFromStrokes([], 8, 8), new Array(64).fill(0));
});

test("a stroke anywhere and of any size fills the height and is centred", () => {
  const picture = pictureFromStrokes(small, 8, 8);
  assert.ok(rowSum(picture, 0) > 0 && rowSum(picture, 7) > 0);
  const far = small.map((stroke) => stroke.map(({ x, y }) => ({ x: x * 3 + 0.2, y: y * 3 - 0.1 })));
  const moved = pictureFromStrokes(far, 8, 8);
  const worst = Math.max(...picture.map((value, index) => Math.abs(value - (moved[index] ?? 0))));
  assert.ok(worst <= 3 / 16, `moving and scaling changes a pixel by ${worst}`);
  const columns = Array.from({ length: 8 }, (_, x) => picture.reduce((sum, value, index) => sum + (index % 8 === x ? value : 0), 0));
  const weight = columns.map((value) => value > 0);
  assert.equal(weight.indexOf(true), 7 - weight.lastIndexOf(true), "as many empty columns on the left as on the right");
});

test("a wide stroke fills the width instead", () => {
  const [stroke] = placedStrokes([[{ x: 0, y: 0.5 }, { x: 1, y: 0.5 }]], 8, 8);
  assert.ok(stroke?.[0] && stroke[1] && stroke[0].x < 1 && stroke[1].x > 7);
});

test("a dot is a dot in the middle, not a full picture", () => {
  const picture = pictureFromStrokes([[{ x: 0.9, y: 0.1 }]], 8, 8);
  assert.ok(picture.every((value) => value >= 0 && value <= 1));
  assert.ok((picture[3 * 8 + 3] ?? 0) > 0.1);
  assert.equal(picture[0], 0);
});

test("values are shares in sixteenths, as in the set", () => {
  for (const value of pictureFromStrokes(small, 8, 8)) assert.equal(value * 16, Math.round(value * 16));
});
