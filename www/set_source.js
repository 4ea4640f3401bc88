// @ts-check
/** @file Makes sets of data and reads their boards in the Worker with the page's second module, which is fetched when it is first needed; it knows no lab. */

/** @import { BoardReader, SetMaker } from "./pkg/sets/assay_sets.js" */

/** Work between two turns of the event loop, so that Stop is heard. */
const BUDGET_MILLIS = 30;

/** @typedef {{ name: string, file: Blob }} OwnFile A file with its path below the folder that was chosen. */

/** A failure as the module's own: it has a kind. */
class SetError extends Error {
  /**
   * @param {string} kind
   * @param {string} message
   * @param {string} [file]
   */
  constructor(kind, message, file = "") {
    super(message);
    this.kind = kind;
    this.file = file;
  }
}

export class SetSource {
  /**
   * @param {{ wake: () => void, want: (identity: string) => void, send: (event: Record<string, any>) => void }} owner `wake` is called
   *   when a set that was waited for can go on, `want` asks for the files that a recipe names: {@link SetSource.found} answers.
   */
  constructor({ wake, want, send }) {
    this.wake = wake;
    this.want = want;
    this.send = send;
    /** @type {Promise<typeof SetMaker>|null} */
    this.loading = null;
    /** Once it is loaded. @type {typeof BoardReader|null} */
    this.Reader = null;
    /** Files that were asked for. @type {Map<string, ((files: OwnFile[]|null) => void)[]>} */
    this.asked = new Map();
    /** The set that was read last, until the lab takes it. @type {{ key: string, bytes: Uint8Array }|null} */
    this.read = null;
    /** Ids of commands that read files, and whether they were stopped. @type {Map<number, { stopped: boolean }>} */
    this.opening = new Map();
  }

  /** The module; one that could not be fetched is asked for again. */
  module() {
    this.loading ??= import("./pkg/sets/assay_sets.js")
      .then(async (sets) => {
        await sets.default();
        this.Reader = sets.BoardReader;
        return sets.SetMaker;
      })
      .catch((error) => {
        this.loading = null;
        throw new SetError("unsupported", `The part of Assay that makes sets of data could not be loaded (${error instanceof Error ? error.message : error}). Check the connection and try again.`);
      });
    return this.loading;
  }

  /**
   * Begins a set for the lab; `SetSource` of the page's module.
   * @param {string} data A recipe's section, as JSON text.
   */
  begin(data) {
    /** @type {{ maker: SetMaker|null, bytes: Uint8Array|null, error: unknown }} */
    const state = { maker: null, bytes: null, error: null };
    this.prepare(data)
      .then((ready) => Object.assign(state, ready))
      .catch((error) => (state.error = error))
      .finally(this.wake);
    return {
      step() {
        if (state.error) throw state.error;
        if (state.bytes) return undefined;
        if (!state.maker) return -1;
        const fraction = state.maker.step();
        if (fraction !== undefined) return fraction;
        state.bytes = state.maker.take();
        state.maker.free();
        return undefined;
      },
      take: () => state.bytes ?? new Uint8Array(),
    };
  }

  /**
   * What reads the boards of a set that was made before; `SetSource` of the page's module.
   * @param {string} data A recipe's section, as JSON text.
   * @param {number} kept Positions.
   */
  reader(data, kept) {
    if (!this.Reader) throw new SetError("unsupported", "The part of Assay that knows the rules of chess is not loaded. Reload the page and run the recipe again.");
    return new this.Reader(data, kept);
  }

  /**
   * @param {string} data
   * @returns {Promise<{ maker: SetMaker }|{ bytes: Uint8Array }>}
   */
  async prepare(data) {
    const spec = JSON.parse(data);
    if (spec.set === "own" && this.read?.key === readingKey(spec)) {
      const { bytes } = this.read;
      this.read = null;
      return { bytes };
    }
    const Maker = await this.module();
    const maker = new Maker();
    if (spec.set === "own") {
      const files = spec.file ? await this.files(spec.file) : null;
      if (!files) throw new SetError("no-file", "", spec.file ?? "");
      for (const { name, file } of files) maker.addFile(name, await bytesOf(name, file));
    }
    maker.begin(data);
    return { maker };
  }

  /**
   * @param {string} identity
   * @returns {Promise<OwnFile[]|null>}
   */
  files(identity) {
    return new Promise((resolve) => {
      const waiting = this.asked.get(identity);
      if (waiting) return void waiting.push(resolve);
      this.asked.set(identity, [resolve]);
      this.want(identity);
    });
  }

  /**
   * @param {string} identity
   * @param {OwnFile[]|null} files
   */
  found(identity, files) {
    for (const resolve of this.asked.get(identity) ?? []) resolve(files);
    this.asked.delete(identity);
  }

  /**
   * Reads files that a person chose; a command of the page that needs no lab. Done: `{ identity }` where `wanted` names what
   * they have to be, else `{ identity, data, title, notes }`: what to write into a recipe.
   * @param {{ id: number, data: Record<string, any>, wanted?: string }} command
   * @param {OwnFile[]} files
   */
  async open({ id, data, wanted }, files) {
    const command = { stopped: false };
    this.opening.set(id, command);
    /** @type {SetMaker|null} */
    let maker = null;
    try {
      const Maker = await this.module();
      maker = new Maker();
      let done = 0;
      const total = files.reduce((sum, { file }) => sum + file.size, 1);
      for (const { name, file } of files) {
        this.stage(id, "opening the files", done / total);
        maker.addFile(name, await bytesOf(name, file));
        done += file.size;
        if (command.stopped) throw new SetError("stopped", "stopped");
      }
      const identity = maker.identity();
      if (wanted) {
        maker.check(wanted);
        return this.send({ id, type: "done", value: { identity } });
      }
      maker.read(JSON.stringify(data));
      for (let fraction = maker.step(); fraction !== undefined; ) {
        const until = performance.now() + BUDGET_MILLIS;
        while (fraction !== undefined && performance.now() < until) fraction = maker.step();
        if (fraction !== undefined) this.stage(id, "reading the files", fraction);
        await new Promise((resolve) => setTimeout(resolve));
        if (command.stopped) throw new SetError("stopped", "stopped");
      }
      const stated = JSON.parse(maker.stated());
      this.read = { key: readingKey(stated.data), bytes: maker.take() };
      this.send({ id, type: "done", value: { identity, ...stated } });
    } catch (error) {
      const { kind = "bad-input", message = String(error) } = /** @type {{ kind?: string, message?: string }} */ (error ?? {});
      this.send({ id, type: "error", kind, message });
    } finally {
      maker?.free();
      this.opening.delete(id);
    }
  }

  /**
   * @param {number} id
   * @param {number} target
   * @returns {boolean} Whether the target is a command of this one.
   */
  stop(id, target) {
    const command = this.opening.get(target);
    if (!command) return false;
    command.stopped = true;
    this.send({ id, type: "done", value: {} });
    return true;
  }

  /**
   * @param {number} id
   * @param {string} name
   * @param {number} fraction
   */
  stage(id, name, fraction) {
    this.send({ id, type: "stage", name, fraction });
  }
}

/** What decides how files are read. @param {Record<string, any>} spec */
function readingKey({ file = "", label = "", delimiter = "auto", side = 0 }) {
  return JSON.stringify([file, label, delimiter, side]);
}

/**
 * @param {string} name
 * @param {Blob} file
 */
async function bytesOf(name, file) {
  try {
    return new Uint8Array(await file.arrayBuffer());
  } catch (error) {
    throw new SetError("bad-input", `${name} could not be read (${error instanceof Error ? error.message : error}). It may have been moved or changed since it was chosen; choose it again.`);
  }
}
