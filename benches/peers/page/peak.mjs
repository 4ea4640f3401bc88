// @ts-check
/**
 * @file The most that direct arithmetic can reach here: a wasm module, put together byte by byte, that does nothing but independent
 * f32x4 multiplications and additions in registers. Touches no memory.
 */

const TYPE = { f32: 0x7d, i32: 0x7f };
/** Multiply-then-add chains side by side: the best number differs between processors, so several are tried. */
const CHAINS = [8, 10, 12, 14];
const LOOPS = 200_000;

/** @param {number} value @returns {number[]} */
const unsigned = (value) => (value < 128 ? [value] : [(value % 128) + 128, ...unsigned(Math.floor(value / 128))]);
/** @param {number[][]} items */
const vector = (items) => [...unsigned(items.length), ...items.flat()];
/** @param {number} id @param {number[]} content */
const section = (id, content) => [id, ...unsigned(content.length), ...content];
/** @param {number} code an instruction with the SIMD prefix */
const simd = (code) => [0xfd, ...unsigned(code)];

/**
 * A module with `run(loops: i32, factor: f32, term: f32) -> f32`, which takes each chain's sum to `sum · factor + term` per loop.
 *
 * @param {number} chains
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function peakModule(chains) {
  const [loops, factor, term] = [0, 1, 2];
  const [factors, terms, first] = [3, 4, 5];
  const get = (/** @type {number} */ local) => [0x20, ...unsigned(local)];
  const set = (/** @type {number} */ local) => [0x21, ...unsigned(local)];
  const splat = simd(0x13);
  const multiply = simd(0xe6);
  const add = simd(0xe4);
  const sums = Array.from({ length: chains }, (_, chain) => first + chain);
  const body = [
    ...get(factor), ...splat, ...set(factors), ...get(term), ...splat, ...set(terms),
    // Chains start apart, so that no compiler can take two for one: term, then the sum before plus term.
    ...sums.flatMap((sum) => [...get(sum === first ? terms : sum - 1), ...get(terms), ...add, ...set(sum)]),
    0x03, 0x40, // loop
    ...sums.flatMap((sum) => [...get(sum), ...get(factors), ...multiply, ...get(terms), ...add, ...set(sum)]),
    ...get(loops), 0x41, 0x01, 0x6b, 0x22, loops, // loops - 1, kept on the stack
    0x0d, 0x00, 0x0b, // again while not 0; end of the loop
    ...get(first), ...sums.slice(1).flatMap((sum) => [...get(sum), ...add]), ...simd(0x1f), 0, // first lane of the total
    0x0b,
  ];
  const locals = vector([[...unsigned(2 + chains), 0x7b]]);
  const code = [...locals, ...body];
  return Uint8Array.from([
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00,
    ...section(1, vector([[0x60, ...vector([[TYPE.i32], [TYPE.f32], [TYPE.f32]]), ...vector([[TYPE.f32]])]])),
    ...section(3, vector([[0]])),
    ...section(7, vector([[3, ...new TextEncoder().encode("run"), 0, 0]])),
    ...section(10, vector([[...unsigned(code.length), ...code]])),
  ]);
}

/** The best rate of all chains, in GFLOP/s, within about `budget` milliseconds. */
export async function measurePeak(budget = 240) {
  let best = 0;
  for (const chains of CHAINS) {
    const { instance } = await WebAssembly.instantiate(peakModule(chains));
    const run = /** @type {(loops: number, factor: number, term: number) => number} */ (instance.exports.run);
    const end = performance.now() + budget / CHAINS.length;
    while (performance.now() < end) {
      const start = performance.now();
      const sum = run(LOOPS, 0.5, 1);
      const millis = performance.now() - start;
      if (!(sum > 0)) throw new Error(`the peak loop returned ${sum}`);
      best = Math.max(best, (chains * 4 * 2 * LOOPS) / millis / 1e6);
    }
  }
  return best;
}
