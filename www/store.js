// @ts-check
/** @file The page's one store: what every view shows, and who is told when it changes; it neither computes nor stores for good. */

/** @import { AnnotationState, AssayError, Checkpoint, Cost, EpochPoint, OpenedLink, Problem, Recipe, RunRecord, RunSummary, Verdict } from "./types.js" */
/** @import { Route } from "./router.js" */
/** @import { Surroundings } from "./surroundings.js" */

/**
 * The recipe being edited.
 * @typedef {Object} Draft
 * @property {string} text JSON text.
 * @property {Recipe} recipe The last one that could be parsed.
 * @property {string} digest Empty while there are problems.
 * @property {Cost|null} cost Null while there are problems.
 * @property {Problem[]} problems
 * @property {string} message What is wrong as a whole (too large, not JSON), or empty.
 * @property {string[]} [dropped] Layers whose own schemes went with the last change of the family.
 */

/**
 * The link that is open.
 * @typedef {Object} LinkState
 * @property {string} fragment With the leading `#`.
 * @property {OpenedLink} opened
 * @property {boolean} modified Whether the draft differs from the link's recipe.
 */

/**
 * The GPU went away under a run.
 * @typedef {Object} GpuLoss
 * @property {string} reason In words, without a full stop.
 * @property {number} epoch Finished epochs that are kept.
 * @property {number|null} smallerBatch With which the GPU could go on; null where that makes no sense.
 */

/**
 * The run in progress, or the last one of this tab.
 * @typedef {Object} LiveRun
 * @property {string} runId
 * @property {string} recipeText
 * @property {string} recipeDigest
 * @property {Recipe} recipe
 * @property {string|null} claimText The claim that it checks.
 * @property {"running"|"paused"|"stopping"|"complete"|"stopped"|"interrupted"|"non-finite"|"failed"} status
 * @property {string} stage `planning`, `training`, `done`, or as `stage` of lab::protocol says.
 * @property {number} fraction Share of the stage, in 0..=1.
 * @property {number} epoch
 * @property {number} epochs
 * @property {number} step
 * @property {number} steps
 * @property {number} samplesPerSec
 * @property {number|null} etaSecs
 * @property {EpochPoint[]} curve
 * @property {{ batch: number, millis: number[] }[]} samples Latency samples so far, one entry per batch size.
 * @property {{ engine: string, reason: string, adapter: string, batchSize: number }|null} engine What it is on, where its recipe asks for anything but the CPU.
 * @property {GpuLoss|null} gpuLost Set while the run waits for somebody to say how it goes on.
 * @property {number|null} nonFiniteStep
 * @property {string|null} recordDigest
 * @property {string|null} recordText
 * @property {Verdict|null} verdict
 * @property {AssayError|null} error
 */

/**
 * The record that the experiment view shows.
 * @typedef {Object} ShownRun
 * @property {string} digest
 * @property {string} text
 * @property {RunRecord} record
 * @property {boolean} altered
 */

/**
 * @typedef {Object} QueueItem
 * @property {number} id
 * @property {string} recipeText
 * @property {string} recipeDigest
 * @property {string} label
 */

/**
 * Runs of the queue side by side.
 * @typedef {Object} Sweep
 * @property {number} labs How many at a time.
 * @property {number} going
 * @property {number} done
 * @property {boolean} stopping
 */

/**
 * One model being stored in many ways, or searched.
 * @typedef {Object} VariantsState
 * @property {string} digest Of the record whose weights they are.
 * @property {"variants"|"search"} kind
 * @property {number} index Which variant, counted from 0.
 * @property {number} count
 * @property {string} stage
 * @property {number} fraction
 * @property {boolean} stopping
 */

/**
 * What the last search came to.
 * @typedef {Object} Searched
 * @property {string} digest Of the record whose model was searched.
 * @property {import("./variants.js").Budget} budget
 * @property {import("./variants.js").SearchPoint[]} path
 * @property {string} words
 * @property {string|null} found Digest of the record of what was found.
 */

/**
 * Something to tell, shown until dismissed.
 * @typedef {Object} Notice
 * @property {number} id
 * @property {"info"|"warn"|"error"} level
 * @property {string} text
 * @property {{ label: string, run: () => void }} [action]
 */

/**
 * @typedef {Object} StorageState
 * @property {"database"|"memory"} kind
 * @property {string} message Why it is memory, or empty.
 * @property {number|null} usage Bytes.
 * @property {number|null} quota Bytes.
 * @property {boolean|null} persisted
 */

/**
 * Everything that views show. Values are replaced, never changed in place.
 * @typedef {Object} State
 * @property {Route} route
 * @property {Surroundings|null} surroundings What the browser offers; null until known.
 * @property {"starting"|"ready"|"unavailable"} lab
 * @property {Draft|null} draft Null until the module is there.
 * @property {LinkState|null} link
 * @property {{ message: string }|null} linkProblem
 * @property {string} experimentHash Address of the experiment view: the open link, or the draft's own.
 * @property {LiveRun|null} run
 * @property {ShownRun|null} shown
 * @property {QueueItem[]} queue
 * @property {Sweep|null} sweep Null while runs go one after another.
 * @property {VariantsState|null} variants
 * @property {Searched|null} searched
 * @property {import("./storing.js").Storing|null} storing A model that is stored again for a look or a file.
 * @property {RunSummary[]} runs Newest first, deleted ones left out.
 * @property {boolean} runsLoaded
 * @property {Record<string, AnnotationState>} annotations By record digest.
 * @property {string|null} baseline Digest of the pinned record.
 * @property {Checkpoint[]} interrupted Runs that can be resumed.
 * @property {StorageState} storage
 * @property {Notice[]} notices
 * @property {"light"|"dark"} theme
 * @property {"help"|"share"|"recipe-json"|null} dialog The one that is open.
 * @property {string[]} ownFiles What recipes call the files that are at hand in this tab.
 */

/** @typedef {keyof State} StateKey */

/** @returns {State} */
export function initialState() {
  return {
    route: { view: "experiment", digests: [] },
    surroundings: null,
    lab: "starting",
    draft: null,
    link: null,
    linkProblem: null,
    experimentHash: "#/experiment",
    run: null,
    shown: null,
    queue: [],
    sweep: null,
    variants: null,
    searched: null,
    storing: null,
    runs: [],
    runsLoaded: false,
    annotations: {},
    baseline: null,
    interrupted: [],
    storage: { kind: "database", message: "", usage: null, quota: null, persisted: null },
    notices: [],
    theme: "light",
    dialog: null,
    ownFiles: [],
  };
}

export class Store {
  /** @param {State} [state] */
  constructor(state = initialState()) {
    /** @type {Readonly<State>} */
    this.state = state;
    /** @type {Set<{ keys: Set<StateKey>|null, listener: (changed: Set<StateKey>) => void }>} */
    this.subscriptions = new Set();
    this.lastNoticeId = 0;
  }

  /**
   * Replaces some values and tells those who asked for them, synchronously and once.
   * @param {Partial<State>} patch
   */
  update(patch) {
    /** @type {Set<StateKey>} */
    const changed = new Set();
    for (const key of /** @type {StateKey[]} */ (Object.keys(patch))) {
      if (!Object.is(this.state[key], patch[key])) changed.add(key);
    }
    if (changed.size === 0) return;
    this.state = { ...this.state, ...patch };
    for (const { keys, listener } of [...this.subscriptions]) {
      if (!keys || [...changed].some((key) => keys.has(key))) listener(changed);
    }
  }

  /**
   * @param {StateKey[]|null} keys Values to be told of; null for all.
   * @param {(changed: Set<StateKey>) => void} listener
   * @returns {() => void} Ends the subscription.
   */
  subscribe(keys, listener) {
    const subscription = { keys: keys && new Set(keys), listener };
    this.subscriptions.add(subscription);
    return () => this.subscriptions.delete(subscription);
  }

  /**
   * Shows a message until it is dismissed. The same text is shown once.
   * @param {Notice["level"]} level
   * @param {string} text
   * @param {Notice["action"]} [action]
   */
  notify(level, text, action) {
    const others = this.state.notices.filter((notice) => notice.text !== text);
    this.update({ notices: [...others, { id: ++this.lastNoticeId, level, text, action }] });
  }

  /** @param {number} id */
  dismiss(id) {
    this.update({ notices: this.state.notices.filter((notice) => notice.id !== id) });
  }
}
