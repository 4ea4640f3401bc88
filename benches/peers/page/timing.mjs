// @ts-check
/** @file Times calls: warm-up, groups of calls where one is shorter than the clock can tell, medians. Knows no engine. */

/** The clock of a cross-origin isolated page ticks every 5 µs; a group this long, in ms, is timed to 2 %. */
const GROUP_MILLIS = 0.25;
/** A measurement gives up on more repetitions after this long. */
const MOST_MILLIS = 20_000;

/**
 * The value below which a share of the sorted numbers lies.
 *
 * @param {number[]} values
 * @param {number} share
 */
export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

/**
 * Calls until the budget is spent, after a warm-up; returns the milliseconds of one call, group by group.
 *
 * @param {() => unknown} call a promise is waited for
 * @param {{ warmUp: number, budget: number, least?: number }} options in ms; `least` calls are made in any case
 */
export async function timed(call, { warmUp, budget, least = 3 }) {
  const now = () => performance.now();
  const once = async () => {
    const answer = /** @type {any} */ (call());
    if (typeof answer?.then === "function") await answer;
  };
  const began = now();
  /** @type {number[]} */
  const first = [];
  while (first.length < least || now() - began < warmUp) {
    const start = now();
    await once();
    first.push(now() - start);
    if (now() - began > MOST_MILLIS) break;
  }
  const single = quantile(first.slice(Math.floor(first.length / 2)), 0.5);
  const group = Math.max(1, Math.ceil(GROUP_MILLIS / Math.max(single, 0.001)));
  /** @type {number[]} */
  const found = [];
  const started = now();
  while (found.length < least || now() - started < budget) {
    const start = now();
    for (let n = 0; n < group; n += 1) {
      const answer = /** @type {any} */ (call());
      if (typeof answer?.then === "function") await answer;
    }
    found.push((now() - start) / group);
    if (now() - started > MOST_MILLIS) break;
  }
  return { millis: found, group };
}

/** The same scalar work every time, in ms: where it takes longer than elsewhere, something else ran beside the measurement. */
export function calibrate() {
  const start = performance.now();
  let value = 1;
  for (let n = 0; n < 3_000_000; n += 1) {
    value = value * 1.000001 + 1e-9;
    if (value > 2) value -= 1;
  }
  const millis = performance.now() - start;
  if (!(value > 0)) throw new Error(`the calibration returned ${value}`);
  return millis;
}
