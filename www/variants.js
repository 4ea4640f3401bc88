// @ts-check
/** @file One trained model under many quantizations, and a search over its layers: each is one command to the lab, and every variant goes to the log as it comes. It draws nothing. */

import { errorFrom } from "./errors.js";
import { isGoing } from "./live_run.js";

/** @import { LabEvent, RunSummary } from "./types.js" */
/** @import { LabClient } from "./lab_client.js" */
/** @import { RunLog } from "./run_log.js" */
/** @import { Store } from "./store.js" */

/** @typedef {Record<string, any>} Quantization What stands under `quantization` in a recipe. */
/** @typedef {{ points?: number, bytes?: number, millis?: number }} Budget */

/** @typedef {{ layers: Record<string, string>, correct: number, rows: number, low: number, high: number, loss: number, bytes: number, p50Millis: number|null }} SearchPoint */

/** Points of a search that were measured, kept over a reload. @typedef {{ budget: Budget, points: SearchPoint[] }} KeptSearch */

/** @param {string} digest Of the record whose model is searched. */
const searchKey = (digest) => `assay-search-${digest}`;

export class Variants {
  /**
   * @param {{ store: Store, lab: Pick<LabClient, "command">, log: Pick<RunLog, "append"|"recordText"|"weights"|"summaries">, announce?: (text: string, important?: boolean) => void, onModel?: () => void, storage?: Pick<Storage, "getItem"|"setItem"|"removeItem">|null }} parts
   *   `onModel` is told that the lab holds another model to play with. Without storage a search begins anew after a reload.
   */
  constructor({ store, lab, log, announce = () => {}, onModel = () => {}, storage = localStorageIfAllowed() }) {
    this.store = store;
    this.lab = lab;
    this.log = log;
    this.announce = announce;
    this.onModel = onModel;
    this.storage = storage;
    this.commandId = 0;
  }

  /**
   * Stores a run's weights under other quantizations, a record for each.
   * @param {string} digest Of a complete run's record.
   * @param {Quantization[]} quantizations
   * @returns {Promise<string[]>} Digests of the records.
   */
  async start(digest, quantizations) {
    const answer = await this.run(digest, "variants", quantizations.length, { type: "variants", quantizations });
    if (!answer) return [];
    this.announce(`${answer.digests.length} of ${quantizations.length} variants were recorded.`, true);
    return answer.digests;
  }

  /**
   * Looks for a scheme for each layer within a budget; goes on from what was measured before, if that was for the same budget.
   * @param {string} digest
   * @param {Budget} budget
   */
  async search(digest, budget) {
    const kept = this.keptSearch(digest);
    const known = kept && JSON.stringify(kept.budget) === JSON.stringify(budget) ? kept.points : [];
    this.store.update({ searched: null });
    /** @type {SearchPoint[]} */
    const points = [...known];
    const answer = await this.run(digest, "search", 1, { type: "search", budget, known }, ({ point }) => {
      points.push(point);
      this.keep(digest, { budget, points });
    });
    if (!answer) return;
    if (!answer.stopped) this.storage?.removeItem(searchKey(digest));
    const words = answer.stopped ? "The search was stopped; it goes on from here when it is started again." : answer.words;
    this.store.update({ searched: { digest, budget, path: answer.path, words, found: answer.digest ?? null } });
    this.announce(words, true);
  }

  /** A search that did not come to its end. @param {string} digest @returns {KeptSearch|null} */
  keptSearch(digest) {
    try {
      const kept = JSON.parse(this.storage?.getItem(searchKey(digest)) ?? "null");
      return kept && typeof kept.budget === "object" && Array.isArray(kept.points) ? kept : null;
    } catch {
      return null;
    }
  }

  /** @param {string} digest @param {KeptSearch} kept */
  keep(digest, kept) {
    try {
      this.storage?.setItem(searchKey(digest), JSON.stringify(kept));
    } catch {
      // Storage that is full costs time after a reload, nothing else.
    }
  }

  /**
   * @param {string} digest
   * @param {"variants"|"search"} kind
   * @param {number} count
   * @param {{ type: string } & Record<string, any>} body
   * @param {(event: LabEvent) => void} [onSearched]
   * @returns {Promise<any>} The lab's answer; null where it could not begin or failed, which is told.
   */
  async run(digest, kind, count, body, onSearched = () => {}) {
    const busy = this.whyNot();
    if (busy) return this.refuse(busy);
    this.store.update({ variants: { digest, kind, index: 0, count, stage: "preparing", fraction: 0, stopping: false } });
    /** @type {Promise<unknown>[]} */
    const appended = [];
    try {
      const record = await this.log.recordText(digest);
      const weights = await this.weightsOf(digest);
      if (!record || !weights) return this.refuse("The weights of this run are not stored in this browser. Run its recipe again: the same recipe gives the same weights.");
      const command = this.lab.command({ ...body, record }, {
        bytes: weights.slice(),
        onEvent: (event) => {
          if (event.type === "recorded") {
            this.onModel();
            appended.push(this.log.append(event.record, undefined, event.fineTuned));
          }
          else if (event.type === "variant") this.show({ index: event.index, count: event.count });
          else if (event.type === "stage") this.show({ stage: event.name, fraction: event.fraction });
          else if (event.type === "searched") {
            onSearched(event);
            this.show({ stage: "searching", fraction: event.fraction });
          }
        },
      });
      this.commandId = command.id;
      const answer = await command.done;
      await Promise.all(appended);
      return answer;
    } catch (error) {
      await Promise.all(appended);
      const kept = appended.length > 0 ? ` ${appended.length === 1 ? "One variant was" : `${appended.length} variants were`} recorded before that.` : "";
      return this.refuse(`${errorFrom(error).message.replace(/[.]?$/u, ".")}${kept}`, "error");
    } finally {
      this.store.update({ variants: null });
    }
  }

  /** Why nothing may be computed beside what is going on, in words, or empty: it would disturb timings. */
  whyNot() {
    const { run, sweep, variants, lab } = this.store.state;
    if (lab !== "ready") return "The lab is still starting.";
    return variants !== null || sweep !== null || isGoing(run) ? "Something is running already. Stop it or wait for its end." : "";
  }

  /** @param {string} digest Of a record. */
  async weightsOf(digest) {
    const weights = this.log.summaries.get(digest)?.weightsDigest;
    return weights ? this.log.weights(weights) : null;
  }

  /** Soft: the variant in progress is recorded with what was measured; the rest is left out. */
  stop() {
    if (!this.store.state.variants) return;
    this.show({ stopping: true });
    this.lab.command({ type: "stop", target: this.commandId }).done.catch(() => {});
  }

  /** @param {Partial<import("./store.js").VariantsState>} change */
  show(change) {
    const { variants } = this.store.state;
    if (variants) this.store.update({ variants: { ...variants, ...change } });
  }

  /** @param {string} message @param {"warn"|"error"} [level] @returns {null} */
  refuse(message, level = "warn") {
    this.store.notify(level, message);
    return null;
  }
}

/**
 * The complete runs of one trained model, one for each quantization, the newest of each, f32 first and then as large as they are.
 * @param {Iterable<RunSummary>} summaries
 * @param {string|null|undefined} weightsDigest
 * @returns {RunSummary[]}
 */
export function variantsOf(summaries, weightsDigest) {
  /** @type {Map<string, RunSummary>} */
  const found = new Map();
  if (weightsDigest) {
    for (const summary of summaries) {
      if (summary.weightsDigest !== weightsDigest || summary.status !== "complete" || summary.altered || summary.accuracy == null) continue;
      const key = quantizationKey(summary);
      const known = found.get(key);
      if (!known || known.started < summary.started) found.set(key, summary);
    }
  }
  const rank = (/** @type {RunSummary} */ it) => (quantizationKey(it) === quantizationKeyOf({ scheme: "f32" }) ? Infinity : (it.weightBytes ?? 0));
  return [...found.values()].sort((a, b) => rank(b) - rank(a) || (a.scheme < b.scheme ? -1 : 1));
}

/** What a summary says of its quantization, as one text. @param {RunSummary} summary */
export function quantizationKey({ recipe, scheme }) {
  const own = Object.entries(recipe).filter(([path]) => path.startsWith("quantization."));
  return own.length > 0 ? own.map((pair) => pair.join("=")).sort().join(" ") : `quantization.scheme=${scheme}`;
}

/** The same of a quantization. @param {Quantization} quantization */
export function quantizationKeyOf({ layers = {}, ...rest }) {
  const fields = Object.entries(rest).map(([name, value]) => `quantization.${name}=${value}`);
  const own = Object.entries(layers).map(([layer, scheme]) => `quantization.layers.${layer}=${scheme}`);
  return [...fields, ...own].sort().join(" ");
}

function localStorageIfAllowed() {
  try {
    return globalThis.localStorage ?? null;
  } catch {
    return null;
  }
}
