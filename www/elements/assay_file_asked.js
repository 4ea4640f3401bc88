// @ts-check
/** @file Asks for the file that a recipe learns from, where it is a person's own and not at hand here; another file is refused in words. */

import { html } from "lit";
import { announce } from "../announcer.js";
import { app } from "../app.js";
import { errorFrom } from "../errors.js";
import { shortDigest } from "../figures.js";
import { chosenFiles, droppedFiles } from "../own_files.js";
import { AssayElement } from "./assay_element.js";

/** @import { StateKey } from "../store.js" */
/** @import { OwnFile } from "../set_source.js" */

export class AssayFileAsked extends AssayElement {
  /** @type {StateKey[]} */
  static follows = ["draft", "ownFiles"];

  static properties = { problem: { state: true }, busy: { state: true } };

  constructor() {
    super();
    this.problem = "";
    this.busy = false;
    /** Which file was looked for in this browser. */
    this.lookedFor = "";
  }

  /** What the recipe calls its file, where that is not at hand. */
  get missing() {
    const { set, file = "" } = this.state.draft?.recipe.data ?? {};
    return set === "own" && file && !this.state.ownFiles.includes(file) ? String(file) : "";
  }

  willUpdate() {
    const { missing } = this;
    if (!missing || missing === this.lookedFor) return;
    this.lookedFor = missing;
    this.problem = "";
    void app.ownFiles.find(missing);
  }

  render() {
    const { missing } = this;
    if (!missing) return "";
    const { size, classes, channels = 1, height = 1, width } = this.state.draft?.recipe.data ?? {};
    const form = height === 1 ? `${width} numbers` : `${width} × ${height} pixels${channels === 3 ? " in colour" : ""}`;
    const digests = missing.split("+");
    return html`<section class="panel stack file-asked" aria-label="The recipe's file" @dragover=${(/** @type {DragEvent} */ event) => event.preventDefault()} @drop=${this.onDrop}>
      <h2>This recipe learns from a file of somebody's own</h2>
      <p>It has ${size} rows of ${form} in ${classes} classes. A link carries no data: ask the sender for ${digests.length > 1 ? `the ${digests.length} files` : "the file"}, then choose ${digests.length > 1 ? "them" : "it"} here.
        ${digests.length > 1 ? "Their" : "Its"} SHA-256 ${digests.length > 1 ? "begin with" : "begins with"} ${digests.map((digest, index) => html`${index > 0 ? ", " : ""}<span class="digest" title=${digest}>${shortDigest(digest)}</span>`)}; another is refused.</p>
      <div class="row">
        <button type="button" class="primary" ?disabled=${this.busy} @click=${() => /** @type {HTMLInputElement|null} */ (this.querySelector("input[name=asked]"))?.click()}>Choose the ${digests.length > 1 ? "files" : "file"}</button>
        <button type="button" ?disabled=${this.busy} @click=${() => /** @type {HTMLInputElement|null} */ (this.querySelector("input[name=asked-folder]"))?.click()}>Choose the folder</button>
        <input type="file" multiple hidden name="asked" aria-label="The recipe's file" @change=${this.onChosen}>
        <input type="file" webkitdirectory hidden name="asked-folder" aria-label="The recipe's folder" @change=${this.onChosen}>
        ${this.busy ? html`<span class="soft" role="status">checking the file …</span>` : ""}
      </div>
      ${this.problem ? html`<p role="alert" data-tone="bad">${this.problem}</p>` : ""}
    </section>`;
  }

  /** @param {Event} event */
  onChosen(event) {
    const input = /** @type {HTMLInputElement} */ (event.target);
    const files = chosenFiles(input.files ?? []);
    input.value = "";
    void this.provide(files);
  }

  /** @param {DragEvent} event */
  async onDrop(event) {
    event.preventDefault();
    event.stopPropagation();
    if (event.dataTransfer) void this.provide(await droppedFiles(event.dataTransfer));
  }

  /** @param {OwnFile[]} files */
  async provide(files) {
    const { missing } = this;
    if (files.length === 0 || !missing) return;
    Object.assign(this, { busy: true, problem: "" });
    try {
      await app.ownFiles.provide(files, missing);
      announce("This is the file. The recipe can be run.", true);
    } catch (error) {
      this.problem = errorFrom(error).message;
    }
    this.busy = false;
  }
}

customElements.define("assay-file-asked", AssayFileAsked);
