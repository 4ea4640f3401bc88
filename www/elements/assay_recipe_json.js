// @ts-check
/** @file The recipe as JSON: to read, paste, check and copy. Nothing is taken over before it is valid. */

import { html } from "lit";
import { app } from "../app.js";
import { announce } from "../announcer.js";
import { copyText } from "../save_file.js";
import { AssayDialog } from "./assay_dialog.js";

/** @import { Draft } from "../store.js" */

/** The module reads nothing longer; asked here too, so that a huge paste does not hold up the page. */
const MAX_CHARACTERS = 65_536;

export class AssayRecipeJson extends AssayDialog {
  static properties = { text: { state: true }, checked: { state: true }, copied: { state: true } };

  constructor() {
    super();
    this.text = "";
    /** @type {Draft|null} */
    this.checked = null;
    this.copied = "";
  }

  get dialogName() {
    return /** @type {const} */ ("recipe-json");
  }

  get heading() {
    return "Recipe as JSON";
  }

  content() {
    const problems = this.problems();
    return html`<div class="stack">
      <p class="soft" id="recipe-json-help">Change it here or paste another recipe. Fields that this version does not know are kept.</p>
      <textarea rows="18" spellcheck="false" autocomplete="off" class="code" aria-label="Recipe as JSON" aria-describedby="recipe-json-help recipe-json-problems"
        aria-invalid=${problems.length > 0 ? "true" : "false"} .value=${this.text} @input=${this.onInput}></textarea>
      <div id="recipe-json-problems" role="status">
        ${problems.length > 0
          ? html`<ul data-tone="bad">${problems.map((problem) => html`<li>${problem}</li>`)}</ul>`
          : html`<p class="small soft">Valid. Digest <span class="digest">${this.checked?.digest.slice(0, 16)}…</span></p>`}
      </div>
      <div class="row">
        <button type="button" class="primary" ?disabled=${problems.length > 0} @click=${this.apply}>Use this recipe</button>
        <button type="button" @click=${this.copy}>Copy</button>
        <span class="small soft" role="status">${this.copied}</span>
      </div>
    </div>`;
  }

  /** @returns {string[]} */
  problems() {
    if (this.text.length > MAX_CHARACTERS) return [`The text has ${this.text.length} characters; a recipe has at most ${MAX_CHARACTERS}.`];
    if (!this.checked || this.checked.digest) return [];
    const { problems, message } = this.checked;
    if (problems.length === 0) return [message];
    return problems.map(({ path, message }) => (path ? `${path}: ${message}` : message));
  }

  onOpen() {
    this.text = this.state.draft?.text ?? "";
    this.checked = this.state.draft;
    this.copied = "";
    this.querySelector("textarea")?.focus();
  }

  /** @param {Event} event */
  onInput(event) {
    this.text = /** @type {HTMLTextAreaElement} */ (event.target).value;
    this.checked = this.text.length > MAX_CHARACTERS ? null : app.drafts.draftFrom(this.text);
    this.copied = "";
  }

  apply() {
    app.drafts.setText(this.text);
    this.close();
    announce("The recipe was replaced.", true);
  }

  async copy() {
    this.copied = (await copyText(this.text)) ? "Copied." : "The clipboard is closed to this page; select the text and copy it.";
  }
}

customElements.define("assay-recipe-json", AssayRecipeJson);
