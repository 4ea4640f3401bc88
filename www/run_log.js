// @ts-check
/** @file The log as the page uses it: appends, annotations, import and export over the database, mirrored into the store. */

import { whyNoBaseline } from "./gpu_words.js";

/** @import { RunSummary } from "./types.js" */
/** @import { LogDb } from "./log_db.js" */
/** @import { PageWasm } from "./page_wasm.js" */
/** @import { Store } from "./store.js" */

/** Characters read between two turns of the event loop: a few records, some milliseconds. */
const PIECE = 64 * 1024;

/** More new records than this are read all at once. */
const MANY = 50;

export class RunLog {
  /**
   * @param {{ store: Store, wasm: PageWasm, db: LogDb }} parts
   */
  constructor({ store, wasm, db }) {
    this.store = store;
    this.wasm = wasm;
    this.db = db;
    /** Every summary, deleted ones too. @type {Map<string, RunSummary>} */
    this.summaries = new Map();
    /** @type {string[]} */
    this.annotationTexts = [];
    /** While a long log comes in piece by piece, the store waits for its end. */
    this.importing = false;
    db.addEventListener("change", (event) => this.onChange(/** @type {CustomEvent} */ (event).detail));
    db.addEventListener("trouble", (event) => {
      store.notify("warn", /** @type {CustomEvent} */ (event).detail.message);
      this.refreshStorage();
    });
  }

  /** Reads what the table shows. */
  async load() {
    for (const summary of await this.db.summaries()) this.summaries.set(summary.digest, summary);
    this.annotationTexts = await this.db.annotationTexts();
    this.show();
    this.store.update({ runsLoaded: true });
    await this.refreshStorage();
  }

  /**
   * Appends one record.
   * @param {string} text Canonical text, as the lab or `sealRecord` gave it.
   * @param {Uint8Array} [weights] Kept f32 weights as safetensors.
   * @param {Uint8Array} [fineTuned] What fine-tuning left of them, likewise.
   * @returns {Promise<RunSummary>}
   */
  async append(text, weights, fineTuned) {
    const summary = this.wasm.summarize(text);
    if (weights && summary.weightsDigest) await this.db.putWeights(summary.weightsDigest, weights);
    if (fineTuned && summary.fineTunedDigest) await this.db.putWeights(summary.fineTunedDigest, fineTuned);
    await this.db.appendRecords([{ text, summary }]);
    this.refreshStorage();
    return summary;
  }

  /**
   * The text of a record.
   * @param {string} digest
   * @returns {Promise<string|null>}
   */
  recordText(digest) {
    return this.db.recordText(digest);
  }

  /**
   * The kept f32 weights of a run, or what fine-tuning left of them, as safetensors, if they are still here.
   * @param {string} weightsDigest
   * @returns {Promise<Uint8Array|null>}
   */
  weights(weightsDigest) {
    return this.db.weights(weightsDigest);
  }

  /**
   * Adds an annotation; the record stays as it is.
   * @param {string} digest Of the record.
   * @param {"name"|"note"|"pin"|"deleted"} field
   * @param {string|boolean} value
   */
  async annotate(digest, field, value) {
    await this.appendAnnotationTexts([this.wasm.annotate(digest, field, value)]);
  }

  /**
   * Makes a record the baseline, or none. One whose figures do not count is refused.
   * @param {string|null} digest
   */
  async pinBaseline(digest) {
    const refused = digest ? whyNoBaseline(this.summaries.get(digest)) : "";
    if (refused) return this.store.notify("warn", refused);
    const texts = [];
    for (const [other, state] of Object.entries(this.store.state.annotations)) {
      if (state.pin && other !== digest) texts.push(this.wasm.annotate(other, "pin", false));
    }
    if (digest) texts.push(this.wasm.annotate(digest, "pin", true));
    await this.appendAnnotationTexts(texts);
  }

  /**
   * Deletes a run from view and offers to undo it.
   * @param {string} digest
   */
  async delete(digest) {
    await this.annotate(digest, "deleted", true);
    this.store.notify("info", "The run was deleted.", { label: "Undo", run: () => void this.annotate(digest, "deleted", false) });
  }

  /**
   * Adds what a JSON Lines text holds and the log does not.
   * @param {string} text
   * @returns {Promise<{ records: number, annotations: number, known: number, altered: number, bad: { line: number, message: string }[] }>}
   */
  async importText(text) {
    const known = new Set(this.annotationTexts);
    /** @type {string[]} */
    const annotations = [];
    /** @type {{ line: number, message: string }[]} */
    const bad = [];
    const total = { entries: 0, records: 0, altered: 0 };
    this.importing = true;
    try {
      for (const piece of piecesOf(text)) {
        const read = this.wasm.readLog(piece.text);
        bad.push(...read.bad.map(({ line, message }) => ({ line: piece.line + line, message })));
        const records = read.entries.filter(({ kind }) => kind !== "annotation").map((entry) => ({ text: entry.text, summary: this.wasm.summarize(entry.text) }));
        annotations.push(...read.entries.filter(({ kind, text: line }) => kind === "annotation" && !known.has(line)).map(({ text: line }) => line));
        const added = new Set(await this.db.appendRecords(records));
        total.entries += read.entries.length;
        total.records += added.size;
        total.altered += records.filter(({ summary }) => summary.altered && added.has(summary.digest)).length;
        await new Promise((resolve) => setTimeout(resolve));
      }
      await this.appendAnnotationTexts(annotations);
    } finally {
      this.importing = false;
      this.show();
    }
    void this.refreshStorage();
    return { records: total.records, annotations: annotations.length, known: total.entries - total.records - annotations.length, altered: total.altered, bad };
  }

  /**
   * The log as JSON Lines: records, then annotations.
   * @param {string[]} [digests] Of the records to take; all without it.
   * @returns {Promise<string>}
   */
  async exportText(digests) {
    const texts = digests ? await Promise.all(digests.map((digest) => this.recordText(digest))) : await this.db.recordTexts();
    const wanted = digests && new Set(digests);
    const annotations = this.annotationTexts.filter((text) => !wanted || wanted.has(JSON.parse(text).record));
    return [...texts.filter((text) => text !== null), ...annotations].map((text) => `${text}\n`).join("");
  }

  /** Asks the browser to keep the log when space runs short. */
  async persist() {
    const agreed = await this.db.persist();
    await this.refreshStorage();
    return agreed;
  }

  async refreshStorage() {
    const { kind, message } = this.db;
    this.store.update({ storage: { kind, message, ...(await this.db.estimate()) } });
  }

  /** @param {string[]} texts */
  async appendAnnotationTexts(texts) {
    await this.db.appendAnnotations(texts.map((text) => ({ text, digest: JSON.parse(text).digest })));
  }

  /** @param {import("./log_db.js").Change} change */
  async onChange({ kind, digests, summaries }) {
    if (kind === "record") {
      const found = summaries ?? (digests.length > MANY ? await this.db.summaries() : await Promise.all(digests.map((digest) => this.db.summary(digest))));
      for (const summary of found) if (summary) this.summaries.set(summary.digest, summary);
    } else if (kind === "annotation") {
      this.annotationTexts = await this.db.annotationTexts();
    } else {
      return;
    }
    this.show();
  }

  /** Mirrors the log into the store. */
  show() {
    if (this.importing) return;
    const annotations = this.wasm.annotationState(this.annotationTexts);
    const runs = [...this.summaries.values()]
      .filter(({ digest }) => !annotations[digest]?.deleted)
      .sort((a, b) => (a.started < b.started ? 1 : a.started > b.started ? -1 : a.digest < b.digest ? 1 : -1));
    // A pin that came with an imported log does not make figures count.
    const baseline = runs.find(({ digest, agrees }) => annotations[digest]?.pin && agrees !== false)?.digest ?? null;
    this.store.update({ annotations, runs, baseline });
  }
}

/**
 * Cuts JSON Lines into pieces of whole lines.
 * @param {string} text
 * @returns {Generator<{ line: number, text: string }>} Each with the number of lines before it.
 */
export function* piecesOf(text) {
  for (let start = 0, line = 0; start < text.length; ) {
    const found = text.indexOf("\n", Math.min(start + PIECE, text.length) - 1);
    const end = found < 0 ? text.length : found + 1;
    const piece = text.slice(start, end);
    yield { line, text: piece };
    line += piece.split("\n").length - 1;
    start = end;
  }
}
