// @ts-check
/** @file Numbers that are the same on every machine: uniform, nearly normal, and the labels of the benchmarks. */

/**
 * The n-th of a series of well-mixed 32-bit numbers (the finalizer of MurmurHash3 over a Weyl sequence).
 *
 * @param {number} seed
 * @param {number} n
 */
function mixed(seed, n) {
  let bits = (Math.imul(seed, 0x9e3779b9) + Math.imul(n + 1, 0x6a09e667)) | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

/**
 * Uniform in −1..1.
 *
 * @param {number} length
 * @param {number} seed
 */
export function uniform(length, seed) {
  return Float32Array.from({ length }, (_, n) => mixed(seed, n) / 2 ** 31 - 1);
}

/**
 * The rows that ranges of 8-bit integers are chosen from, one after another; every engine gets the same.
 *
 * @param {number} width numbers of a row
 */
export function calibrationRows(width) {
  return uniform(64 * width, 6);
}

/**
 * Nearly normal with deviation 1: the sum of twelve uniform numbers less 6, so that only sums decide the bits.
 *
 * @param {number} length
 * @param {number} seed
 */
export function normal(length, seed) {
  return Float64Array.from({ length }, (_, n) => {
    let sum = -6;
    for (let term = 0; term < 12; term += 1) sum += mixed(seed, 12 * n + term) / 2 ** 32;
    return sum;
  });
}

/**
 * Labels of ten classes, without a pattern that a batch would repeat.
 *
 * @param {number} length
 * @param {number} seed
 */
export function labels(length, seed) {
  return Uint16Array.from({ length }, (_, n) => mixed(seed, n) % 10);
}
