// @ts-check
/** @file Two stages in a sentence. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { stageWords } from "../../www/stage_words.js";

const ANSWERS = {
  rows: 768,
  occupied: 330,
  seen_twice: 384,
  macs_per_row: 90_000.4,
  occupancy: { correct: 760, total: 768, low: 0, high: 1, confidence: 0.95 },
  pieces: { correct: 165, total: 330, low: 0, high: 1, confidence: 0.95 },
};

test("says how often the second stage was asked and what a square takes", () => {
  const words = stageWords({ stages: { training: [], answers: ANSWERS }, cost: { macs: 155_292 } });
  for (const part of ["99.0", "50.0", "the squares", "90,000 MACs", "instead of 155,292"]) assert.ok(words.includes(part), `${part} in ${words}`);
});

test("is silent for one stage, for a run that was stopped before and for another form", () => {
  assert.equal(stageWords({}), "");
  assert.equal(stageWords({ stages: { training: [{}] } }), "");
  assert.equal(stageWords({ stages: { answers: { ...ANSWERS, rows: 0 } } }), "");
  assert.equal(stageWords({ stages: { answers: { ...ANSWERS, pieces: "many" } } }), "");
});
