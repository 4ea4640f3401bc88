// @ts-check
/** @file Keeps the log in IndexedDB, or in memory where that is unavailable or full; it knows keys and bytes, not what a record says. */

import { openDB } from "idb";

/** @import { IDBPDatabase } from "idb" */
/** @import { Checkpoint, RunSummary } from "./types.js" */

const NAME = "assay";
const VERSION = 1;
/** Opening hangs in some browsers' private modes. */
const OPEN_MILLIS = 4000;
/** Rows read at once, so that reading a long log never blocks the page for long. */
const CHUNK = 400;

/** Stores, and the key path of their values. */
const STORES = /** @type {const} */ ({
  records: "digest",
  summaries: "digest",
  annotations: "digest",
  weights: "digest",
  checkpoints: "runId",
});

/** @typedef {keyof typeof STORES} StoreName */

/** @typedef {{ digest: string, text: string }} StoredText */

/**
 * What a tab tells the others, and itself; its own changes bring the new summaries along.
 * @typedef {{ kind: "record"|"annotation"|"checkpoint", digests: string[], summaries?: RunSummary[] }} Change
 */

/**
 * Events: `change` (CustomEvent of a {@link Change}, from this tab or another), `trouble` (CustomEvent of `{ message }`:
 * from now on new entries are kept in memory only).
 */
export class LogDb extends EventTarget {
  /**
   * @param {IDBPDatabase|null} db
   * @param {string} message Why there is no database, or empty.
   */
  constructor(db, message) {
    super();
    this.db = db;
    this.message = message;
    /** The database after it refused an entry; it is still read. @type {IDBPDatabase|null} */
    this.full = null;
    /** What could not be stored. @type {Record<StoreName, Map<string, any>>} */
    this.memory = { records: new Map(), summaries: new Map(), annotations: new Map(), weights: new Map(), checkpoints: new Map() };
    this.channel = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel("assay-log");
    if (this.channel) this.channel.onmessage = ({ data }) => this.dispatchEvent(new CustomEvent("change", { detail: data }));
    db?.addEventListener("close", () => this.giveUp("The browser closed the database."));
  }

  /**
   * Opens the database, or falls back to memory with the reason in `message`.
   * @param {string} [name]
   * @returns {Promise<LogDb>}
   */
  static async open(name = NAME) {
    if (typeof indexedDB === "undefined") {
      return new LogDb(null, "This browser offers no database here, so the log lives until the page is closed.");
    }
    /** @type {LogDb|undefined} */
    let log;
    try {
      const opening = openDB(name, VERSION, {
        upgrade(db) {
          for (const [store, keyPath] of Object.entries(STORES)) db.createObjectStore(store, { keyPath });
        },
        blocking: () => log?.giveUp("Another tab opened a newer version of Assay. Reload this one."),
      });
      const late = new Promise((_, reject) => setTimeout(() => reject(new Error("it does not answer")), OPEN_MILLIS));
      log = new LogDb(/** @type {IDBPDatabase} */ (await Promise.race([opening, late])), "");
      return log;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return new LogDb(null, `The browser's database cannot be used (${reason}), so the log lives until the page is closed. Export it to keep it.`);
    }
  }

  get kind() {
    return this.db ? "database" : "memory";
  }

  /**
   * Adds records with their summaries in one transaction; those that are there already are left as they are.
   * @param {{ text: string, summary: RunSummary }[]} entries
   * @returns {Promise<string[]>} Digests of those that are new.
   */
  async appendRecords(entries) {
    /** @type {RunSummary[]} */
    const added = [];
    await this.write(["records", "summaries"], async (stores) => {
      added.length = 0;
      for (const { text, summary } of entries) {
        if ((await stores.records.getKey(summary.digest)) !== undefined) continue;
        stores.records.put({ digest: summary.digest, text });
        stores.summaries.put(summary);
        added.push(summary);
      }
    });
    const digests = added.map(({ digest }) => digest);
    if (added.length > 0) this.tell({ kind: "record", digests }, added);
    return digests;
  }

  /**
   * @param {StoredText[]} annotations
   * @returns {Promise<void>}
   */
  async appendAnnotations(annotations) {
    await this.write(["annotations"], async (stores) => {
      for (const annotation of annotations) stores.annotations.put(annotation);
    });
    if (annotations.length > 0) this.tell({ kind: "annotation", digests: annotations.map(({ digest }) => digest) });
  }

  /** @returns {Promise<RunSummary[]>} In no particular order. */
  summaries() {
    return this.all("summaries");
  }

  /** @returns {Promise<string[]>} Texts of all annotations. */
  async annotationTexts() {
    return (await this.all("annotations")).map(({ text }) => text);
  }

  /** @returns {Promise<string[]>} Texts of all records. */
  async recordTexts() {
    return (await this.all("records")).map(({ text }) => text);
  }

  /**
   * @param {string} digest
   * @returns {Promise<string|null>}
   */
  async recordText(digest) {
    return (await this.get("records", digest))?.text ?? null;
  }

  /**
   * @param {string} digest
   * @returns {Promise<RunSummary|null>}
   */
  async summary(digest) {
    return (await this.get("summaries", digest)) ?? null;
  }

  /**
   * @param {string} digest Of the weights.
   * @param {Uint8Array} bytes Safetensors.
   */
  async putWeights(digest, bytes) {
    await this.write(["weights"], async (stores) => void stores.weights.put({ digest, bytes }));
  }

  /**
   * @param {string} digest Of the weights.
   * @returns {Promise<Uint8Array|null>}
   */
  async weights(digest) {
    return (await this.get("weights", digest))?.bytes ?? null;
  }

  /** @param {Checkpoint} checkpoint Replaces the one of the same run. */
  async putCheckpoint(checkpoint) {
    await this.write(["checkpoints"], async (stores) => void stores.checkpoints.put(checkpoint));
    this.tell({ kind: "checkpoint", digests: [checkpoint.runId] });
  }

  /** @returns {Promise<Checkpoint[]>} */
  checkpoints() {
    return this.all("checkpoints");
  }

  /**
   * @param {string} runId
   * @returns {Promise<Checkpoint|null>}
   */
  async checkpoint(runId) {
    return (await this.get("checkpoints", runId)) ?? null;
  }

  /** @param {string} runId */
  async deleteCheckpoint(runId) {
    this.memory.checkpoints.delete(runId);
    await this.write(["checkpoints"], async (stores) => void stores.checkpoints.delete(runId));
    this.tell({ kind: "checkpoint", digests: [runId] });
  }

  /**
   * Space used and allowed, where the browser says it.
   * @returns {Promise<{ usage: number|null, quota: number|null, persisted: boolean|null }>}
   */
  async estimate() {
    const storage = globalThis.navigator?.storage;
    const { usage = null, quota = null } = (await storage?.estimate?.().catch(() => null)) ?? {};
    const persisted = (await storage?.persisted?.().catch(() => null)) ?? null;
    return { usage, quota, persisted };
  }

  /** Asks the browser not to clear the log when space runs short. @returns {Promise<boolean>} Whether it agreed. */
  async persist() {
    return (await globalThis.navigator?.storage?.persist?.().catch(() => false)) ?? false;
  }

  /**
   * Runs `work` in one transaction; where the database refuses, once more on memory.
   * @param {StoreName[]} names
   * @param {(stores: Record<string, { getKey: (key: string) => Promise<any>, put: (value: any) => void, delete: (key: string) => void }>) => Promise<void>} work
   */
  async write(names, work) {
    if (this.db) {
      try {
        const transaction = this.db.transaction(names, "readwrite");
        /** @type {Record<string, any>} */
        const stores = {};
        /** @type {Promise<any>[]} */
        const requests = [];
        for (const name of names) {
          const store = transaction.objectStore(name);
          stores[name] = {
            getKey: (/** @type {string} */ key) => store.getKey(key),
            put: (/** @type {any} */ value) => void requests.push(store.put(value)),
            delete: (/** @type {string} */ key) => void requests.push(store.delete(key)),
          };
        }
        // A failed request also fails the transaction, whose reason is the one that is told.
        const done = transaction.done;
        done.catch(() => {});
        await work(stores);
        await Promise.all([Promise.allSettled(requests), done]);
        return;
      } catch (error) {
        this.giveUp(reasonOf(error));
      }
    }
    /** @type {Record<string, any>} */
    const stores = {};
    for (const name of names) {
      const map = this.memory[name];
      stores[name] = {
        getKey: async (/** @type {string} */ key) => ((await this.get(name, key)) === undefined ? undefined : key),
        put: (/** @type {any} */ value) => map.set(value[STORES[name]], value),
        delete: (/** @type {string} */ key) => map.delete(key),
      };
    }
    await work(stores);
  }

  /**
   * From now on new entries are kept in memory; what is in the database can still be read as long as it answers.
   * @param {string} reason
   */
  giveUp(reason) {
    if (this.message) return;
    this.message = `${reason} New runs are kept until the page is closed; export the log to keep them.`;
    this.full = this.db;
    this.db = null;
    this.dispatchEvent(new CustomEvent("trouble", { detail: { message: this.message } }));
  }

  /**
   * @param {StoreName} name
   * @param {string} key
   */
  async get(name, key) {
    const found = this.memory[name].get(key);
    if (found !== undefined) return found;
    return (this.db ?? this.full)?.get(name, key).catch(() => undefined);
  }

  /**
   * @param {StoreName} name
   * @returns {Promise<any[]>}
   */
  async all(name) {
    const found = new Map(this.memory[name]);
    const db = this.db ?? this.full;
    /** @type {IDBKeyRange|undefined} */
    let range;
    for (;;) {
      const part = (await db?.getAll(name, range, CHUNK).catch(() => [])) ?? [];
      for (const value of part) found.set(value[STORES[name]], value);
      if (part.length < CHUNK) return [...found.values()];
      range = IDBKeyRange.lowerBound(part[part.length - 1][STORES[name]], true);
    }
  }

  /**
   * @param {Change} change
   * @param {RunSummary[]} [summaries]
   */
  tell(change, summaries) {
    this.channel?.postMessage(change);
    this.dispatchEvent(new CustomEvent("change", { detail: { ...change, summaries } }));
  }

  close() {
    this.channel?.close();
    this.channel = null;
    this.db?.close();
  }
}

/** @param {unknown} error */
function reasonOf(error) {
  const name = error instanceof Error ? error.name : "";
  if (name === "QuotaExceededError") return "The browser's storage is full.";
  return `The browser's database refused an entry (${error instanceof Error ? error.message : String(error)}).`;
}
