// @ts-check
/** @file Files of a person's own: those that are open in this tab, those that are kept in this browser, and how they are chosen. Nothing of them is sent anywhere. */

import { openDB } from "idb";

/** @import { LabClient } from "./lab_client.js" */
/** @import { OwnFile } from "./set_source.js" */
/** @import { Store } from "./store.js" */

/** @typedef {{ identity: string, data: Record<string, any>, title: string, notes: string[] }} OpenedFiles */
/** @typedef {{ label?: string, delimiter?: string, side?: number }} Choices What a person states where more than one reading is possible. */

const NAME = "assay-files";
const STORE = "files";

export class OwnFiles {
  /** @param {{ lab: Pick<LabClient, "command">, store: Store, indexed?: IDBFactory|undefined }} parts */
  constructor({ lab, store, indexed = globalThis.indexedDB }) {
    this.lab = lab;
    this.store = store;
    this.indexed = indexed;
    /** By what a recipe calls them. @type {Map<string, OwnFile[]>} */
    this.held = new Map();
    /** Id of the command that reads files, or 0. */
    this.reading = 0;
  }

  /**
   * The files that a recipe names, from this tab or this browser.
   * @param {string} identity
   * @returns {Promise<OwnFile[]|null>}
   */
  async find(identity) {
    const held = this.held.get(identity);
    if (held) return held;
    const kept = await this.inDatabase(async (db) => (await db.get(STORE, identity))?.files ?? null).catch(() => null);
    if (kept) this.hold(identity, kept);
    return kept;
  }

  /**
   * Reads files that a person chose.
   * @param {OwnFile[]} files
   * @param {Choices} choices
   * @param {(stage: string, fraction: number) => void} [onStage]
   * @returns {Promise<OpenedFiles>}
   */
  async open(files, choices, onStage = () => {}) {
    const opened = await this.ask(files, { data: dataFrom(choices) }, onStage);
    this.hold(opened.identity, files);
    return opened;
  }

  /**
   * Takes files that have to be those that a recipe names; refused in words where they are not.
   * @param {OwnFile[]} files
   * @param {string} wanted
   */
  async provide(files, wanted) {
    await this.ask(files, { data: {}, wanted }, () => {});
    this.hold(wanted, files);
  }

  /** Reads a recipe's own files once more with other choices. @param {string} identity @param {Choices} choices @param {(stage: string, fraction: number) => void} [onStage] */
  async again(identity, choices, onStage) {
    const files = await this.find(identity);
    if (!files) throw Object.assign(new Error("The file is not open any more; choose it again."), { kind: "no-file" });
    return this.open(files, choices, onStage);
  }

  /**
   * @param {OwnFile[]} files
   * @param {Record<string, any>} body
   * @param {(stage: string, fraction: number) => void} onStage
   */
  async ask(files, body, onStage) {
    const command = this.lab.command({ type: "openFiles", ...body }, { files, onEvent: ({ name, fraction }) => onStage(name, fraction) });
    this.reading = command.id;
    try {
      return await command.done;
    } finally {
      if (this.reading === command.id) this.reading = 0;
    }
  }

  stop() {
    if (this.reading) this.lab.command({ type: "stop", target: this.reading }).done.catch(() => {});
  }

  /** @param {string} identity @param {OwnFile[]} files */
  hold(identity, files) {
    this.held.set(identity, files);
    this.store.update({ ownFiles: [...this.held.keys()] });
  }

  /**
   * Keeps a copy in this browser, so that a reload needs no choosing.
   * @param {string} identity
   * @returns {Promise<void>}
   */
  async keep(identity) {
    const files = this.held.get(identity);
    if (!files) return;
    // A copy of the bytes: what the system holds may be moved or changed.
    const copies = await Promise.all(files.map(async ({ name, file }) => ({ name, file: new Blob([await file.arrayBuffer()]) })));
    await this.inDatabase((db) => db.put(STORE, { identity, files: copies }));
  }

  /** @param {string} identity */
  async forget(identity) {
    await this.inDatabase((db) => db.delete(STORE, identity));
  }

  /** @param {string} identity */
  async isKept(identity) {
    return this.inDatabase(async (db) => (await db.getKey(STORE, identity)) !== undefined).catch(() => false);
  }

  /**
   * @template T
   * @param {(db: import("idb").IDBPDatabase) => Promise<T>} work
   * @returns {Promise<T>}
   */
  async inDatabase(work) {
    if (!this.indexed) throw new Error("This browser offers no database here.");
    const db = await openDB(NAME, 1, { upgrade: (made) => void made.createObjectStore(STORE, { keyPath: "identity" }) });
    try {
      return await work(db);
    } finally {
      db.close();
    }
  }
}

/** The section of a recipe that a person's choices make; what is not stated is found out. @param {Choices} choices */
export function dataFrom({ label = "", delimiter = "auto", side = 0 }) {
  /** @type {Record<string, any>} */
  const data = { set: "own" };
  if (label) data.label = label;
  if (delimiter !== "auto") data.delimiter = delimiter;
  if (side) data.side = side;
  return data;
}

/** Files of an input, with the folders that they lie in. @param {Iterable<File>} list @returns {OwnFile[]} */
export function chosenFiles(list) {
  return [...list].map((file) => ({ name: file.webkitRelativePath || file.name, file }));
}

/**
 * Files that were dropped, with those in folders.
 * @param {DataTransfer} transfer
 * @returns {Promise<OwnFile[]>}
 */
export async function droppedFiles(transfer) {
  // The list is empty after the first wait, so all entries are taken before it.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.() ?? null);
  if (!entries.some((entry) => entry?.isDirectory)) return chosenFiles(transfer.files);
  /** @type {OwnFile[]} */
  const found = [];
  for (const entry of entries) if (entry) await gather(entry, found);
  return found;
}

/** @param {any} entry A FileSystemEntry. @param {OwnFile[]} found */
async function gather(entry, found) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    found.push({ name: entry.fullPath.replace(/^\//, ""), file });
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    // A reader gives a hundred entries at a time.
    const part = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (part.length === 0) return;
    for (const each of part) await gather(each, found);
  }
}
