// @ts-check
/** @file Compares runs with the baseline when they are looked at: on the full records, a few at a time, each pair once. */

/** @import { Comparison } from "../types.js" */

/** Longest time in one go, so that the page stays responsive. */
const SLICE_MILLIS = 8;
/** Between two tellings: each draws the table again. */
const TELL_MILLIS = 250;
/** Pairs remembered; beyond that the oldest are forgotten. */
const REMEMBERED = 20_000;

/**
 * What the table needs of a comparison.
 * @typedef {Object} Delta
 * @property {{ delta: number|null, verdict: string, reason: string }|null} accuracy
 * @property {{ delta: number|null, verdict: string, reason: string }|null} latency
 */

/** Events: `change`, when a comparison that was wanted is there. */
export class Deltas extends EventTarget {
  /**
   * @param {{ compare: (a: string, b: string) => Comparison, recordText: (digest: string) => Promise<string|null>, pause?: () => Promise<void> }} parts
   */
  constructor({ compare, recordText, pause = () => new Promise((resolve) => setTimeout(resolve)) }) {
    super();
    this.compare = compare;
    this.recordText = recordText;
    this.pause = pause;
    /** @type {Map<string, Delta>} */
    this.known = new Map();
    /** @type {string[]} */
    this.wanted = [];
    /** @type {{ digest: string, text: string|null }|null} */
    this.baseline = null;
    this.working = false;
  }

  /**
   * @param {string} baseline
   * @param {string} digest
   * @returns {Delta|undefined}
   */
  get(baseline, digest) {
    return this.known.get(`${baseline} ${digest}`);
  }

  /**
   * Asks for comparisons; what was asked before and is no longer is dropped.
   * @param {string} baseline
   * @param {readonly string[]} digests
   */
  want(baseline, digests) {
    this.wanted = digests.filter((digest) => digest !== baseline && !this.get(baseline, digest)).map((digest) => `${baseline} ${digest}`);
    if (!this.working && this.wanted.length > 0) return this.work();
    return Promise.resolve();
  }

  async work() {
    this.working = true;
    let started = performance.now();
    let told = started;
    for (let pair = this.wanted.shift(); pair !== undefined; pair = this.wanted.shift()) {
      const [baseline = "", digest = ""] = pair.split(" ");
      if (this.baseline?.digest !== baseline) this.baseline = { digest: baseline, text: await this.recordText(baseline) };
      const text = await this.recordText(digest);
      this.remember(pair, this.deltaOf(this.baseline.text, text));
      if (performance.now() - told > TELL_MILLIS) {
        told = performance.now();
        this.dispatchEvent(new Event("change"));
      }
      if (performance.now() - started > SLICE_MILLIS) {
        await this.pause();
        started = performance.now();
      }
    }
    this.working = false;
    this.dispatchEvent(new Event("change"));
  }

  /**
   * @param {string|null} a
   * @param {string|null} b
   * @returns {Delta}
   */
  deltaOf(a, b) {
    if (a === null || b === null) return { accuracy: null, latency: null };
    try {
      const { metrics } = this.compare(a, b);
      const find = (/** @type {string} */ wanted) => metrics.find(({ name }) => name === wanted) ?? null;
      return { accuracy: find("accuracy"), latency: find("p50_millis") };
    } catch {
      // A record that cannot be compared is one that cannot be told apart.
      return { accuracy: null, latency: null };
    }
  }

  /**
   * @param {string} pair
   * @param {Delta} delta
   */
  remember(pair, delta) {
    if (this.known.size >= REMEMBERED) {
      for (const old of [...this.known.keys()].slice(0, REMEMBERED / 2)) this.known.delete(old);
    }
    this.known.set(pair, delta);
  }
}
