// @ts-check
/** @file What a record says of a model of two stages, in a sentence; empty for one stage, or for what says it otherwise. Pure. */

import { count, percent } from "./figures.js";

/** @import { Results } from "./types.js" */

/**
 * @param {Results} results
 * @returns {string}
 */
export function stageWords({ stages, cost }) {
  const answers = stages?.answers;
  const numbers = [answers?.seen_twice, answers?.rows, answers?.macs_per_row, answers?.occupancy?.correct, answers?.pieces?.correct];
  if (!numbers.every(Number.isFinite) || !(answers.rows > 0)) return "";
  const { seen_twice: twice, rows, macs_per_row: macs, occupancy, pieces } = answers;
  const share = (/** @type {{ correct: number, total: number }} */ { correct, total }) => percent(total > 0 ? correct / total : 0);
  const most = cost ? ` instead of ${count(cost.macs)}` : "";
  return `Two stages: ${share(occupancy)} of the squares are rightly told to be empty or not, and of the occupied ones ${share(pieces)} of the pieces. The second stage saw ${percent(twice / rows)} of the squares, so that one takes ${count(Math.round(macs))} MACs in the mean${most}.`;
}
