// @ts-check
/** @file Opening files of a person's own: chosen or dropped, read in the Worker, with what may be stated about them; the recipe then learns from them. */

import { html } from "lit";
import { announce } from "../announcer.js";
import { app } from "../app.js";
import { errorFrom } from "../errors.js";
import { count } from "../figures.js";
import { chosenFiles, droppedFiles } from "../own_files.js";
import { AssayElement } from "./assay_element.js";

/** @import { StateKey } from "../store.js" */
/** @import { OwnFile } from "../set_source.js" */
/** @import { Choices, OpenedFiles } from "../own_files.js" */

/** What stands between the cells of a table, as the recipe and as a person names it. */
const DELIMITERS = [["auto", "found out"], ["comma", "comma"], ["semicolon", "semicolon"], ["tab", "tab"], ["bar", "bar"]];

export class AssayOwnFiles extends AssayElement {
  /** @type {StateKey[]} */
  static follows = ["draft", "ownFiles"];

  static properties = { stage: { state: true }, problem: { state: true }, dropping: { state: true }, kept: { state: true }, said: { state: true } };

  constructor() {
    super();
    /** What is going on, in words, or empty. */
    this.stage = "";
    this.problem = "";
    this.dropping = false;
    /** Whether the recipe's files are kept in this browser. */
    this.kept = false;
    /** What was read last, in words. */
    this.said = "";
    /** Of which `kept` tells. */
    this.keptOf = "";
  }

  willUpdate() {
    const { file } = this.own;
    if (file === this.keptOf) return;
    this.keptOf = file;
    this.kept = false;
    if (file) void app.ownFiles.isKept(file).then((kept) => this.keptOf === file && (this.kept = kept));
  }

  /** The recipe's section, where it learns from a person's own files. */
  get own() {
    const data = this.state.draft?.recipe.data ?? {};
    return data.set === "own" ? { file: "", label: "", delimiter: "auto", side: 0, ...data } : { file: "", label: "", delimiter: "auto", side: 0 };
  }

  render() {
    const { file } = this.own;
    const here = file !== "" && this.state.ownFiles.includes(file);
    return html`<section class="panel stack own-files" aria-label="Your own data" ?data-dropping=${this.dropping}
      @dragover=${this.onDrag} @dragleave=${() => (this.dropping = false)} @drop=${this.onDrop}>
      <h2>Your own data</h2>
      <p class="soft">Choose files or drop them here: a CSV table, an IDX pair such as MNIST, NPY or NPZ arrays, or a ZIP or folder of PNG or JPEG images with a folder for each class. They are read on this machine and never sent anywhere.</p>
      <div class="row">
        <button type="button" @click=${() => this.input("files")?.click()} ?disabled=${this.stage !== ""}>Choose files</button>
        <button type="button" @click=${() => this.input("folder")?.click()} ?disabled=${this.stage !== ""}>Choose a folder</button>
        <input type="file" multiple hidden name="files" aria-label="Files with data" @change=${this.onChosen}>
        <input type="file" webkitdirectory hidden name="folder" aria-label="Folder with images" @change=${this.onChosen}>
        ${this.stage ? html`<span class="soft" role="status">${this.stage}</span><button type="button" class="quiet small" @click=${() => app.ownFiles.stop()}>Stop</button>` : ""}
      </div>
      ${this.problem ? html`<p role="alert" data-tone="bad">${this.problem}</p>` : ""}
      ${this.said ? html`<p role="status">${this.said}</p>` : ""}
      ${this.choices()}
      ${here ? html`<label class="row"><input type="checkbox" name="keep" .checked=${this.kept} @change=${this.onKeep}> Keep a copy in this browser, so that a reload needs no choosing</label>` : ""}
    </section>`;
  }

  choices() {
    const { label, delimiter, side, file } = this.own;
    return html`<details class="choices">
      <summary>What is in them <span class="soft small">${file ? "change how they are read" : "found out unless you say it"}</span></summary>
      <div class="row">
        <label class="stack tight">Label column<input type="text" name="label" maxlength="100" size="14" autocomplete="off" placeholder="found out" .value=${label}></label>
        <label class="stack tight">Delimiter<select name="delimiter">${DELIMITERS.map(([value, words]) => html`<option value=${value ?? ""} ?selected=${value === delimiter}>${words}</option>`)}</select></label>
        <label class="stack tight">Side of images, px<input type="number" name="side" min="0" max="512" step="1" placeholder="found out" .value=${side ? String(side) : ""}></label>
        ${file ? html`<button type="button" @click=${this.onAgain} ?disabled=${this.stage !== ""}>Read again</button>` : ""}
      </div>
      <p class="soft small">The label column is a heading or a number from 1. Images are brought to the side in pixels by averaging.</p>
    </details>`;
  }

  /** @param {string} name @returns {HTMLInputElement|null} */
  input(name) {
    return this.querySelector(`input[name=${name}]`);
  }

  /** @returns {Choices} */
  get stated() {
    const select = /** @type {HTMLSelectElement|null} */ (this.querySelector("select[name=delimiter]"));
    return { label: this.input("label")?.value.trim() ?? "", delimiter: select?.value ?? "auto", side: Number(this.input("side")?.value || 0) };
  }

  /** @param {Event} event */
  onChosen(event) {
    const input = /** @type {HTMLInputElement} */ (event.target);
    const files = chosenFiles(input.files ?? []);
    input.value = "";
    void this.open(files);
  }

  /** @param {DragEvent} event */
  onDrag(event) {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    this.dropping = true;
  }

  /** @param {DragEvent} event */
  async onDrop(event) {
    event.preventDefault();
    event.stopPropagation();
    this.dropping = false;
    if (event.dataTransfer) void this.open(await droppedFiles(event.dataTransfer));
  }

  /** @param {OwnFile[]} files */
  open(files) {
    if (files.length === 0) return;
    return this.read((onStage) => app.ownFiles.open(files, this.stated, onStage));
  }

  onAgain() {
    return this.read((onStage) => app.ownFiles.again(this.own.file, this.stated, onStage));
  }

  /** @param {(onStage: (stage: string, fraction: number) => void) => Promise<OpenedFiles>} work */
  async read(work) {
    this.problem = "";
    this.said = "";
    this.stage = "opening the files …";
    try {
      const { data, title } = await work((stage, fraction) => (this.stage = `${stage} … ${Math.round(fraction * 100)} %`));
      app.drafts.setOwnData(data);
      this.said = `${title}: ${count(data.size)} rows in ${count(data.classes)} classes. The recipe now learns from it.`;
      announce(this.said, true);
    } catch (error) {
      const { kind, message } = errorFrom(error);
      if (kind === "stopped") this.said = "Stopped; the recipe is as it was.";
      else this.problem = message;
    }
    this.stage = "";
  }

  /** @param {Event} event */
  async onKeep(event) {
    const { checked } = /** @type {HTMLInputElement} */ (event.target);
    const { file } = this.own;
    try {
      await (checked ? app.ownFiles.keep(file) : app.ownFiles.forget(file));
      this.kept = checked;
    } catch (error) {
      this.problem = `The copy could not be stored: ${errorFrom(error).message}`;
      this.requestUpdate();
    }
  }
}

customElements.define("assay-own-files", AssayOwnFiles);
