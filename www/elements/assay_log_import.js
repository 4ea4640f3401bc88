// @ts-check
/** @file Importing a log from a JSON Lines file, chosen or dropped, and what came of it line by line. */

import { html } from "lit";
import { announce } from "../announcer.js";
import { app } from "../app.js";
import { count } from "../figures.js";
import { partsOf } from "../log_parts.js";
import { errorFrom } from "../page_wasm.js";
import { AssayElement } from "./assay_element.js";

/** @typedef {{ name: string, records: number, annotations: number, known: number, altered: number, bad: { line: number, message: string }[] }} Outcome */

/** Bad lines shown; beyond that only their number. */
const SHOWN = 100;

export class AssayLogImport extends AssayElement {
  static properties = { outcome: { state: true }, problem: { state: true }, reading: { state: true } };

  constructor() {
    super();
    /** @type {Outcome|null} */
    this.outcome = null;
    this.problem = "";
    this.reading = "";
  }

  /** Lets the person choose a file. */
  choose() {
    this.querySelector("input")?.click();
  }

  /** @param {File|undefined} file */
  async read(file) {
    if (!file) return;
    this.outcome = null;
    this.problem = "";
    this.reading = file.name;
    try {
      this.outcome = await this.importFile(file);
      announce(this.words(this.outcome), true);
    } catch (error) {
      this.problem = `${file.name} was not imported: ${errorFrom(error).message}`;
    }
    this.reading = "";
  }

  /**
   * @param {File} file
   * @returns {Promise<Outcome>}
   */
  async importFile(file) {
    /** @type {Outcome} */
    const sum = { name: file.name, records: 0, annotations: 0, known: 0, altered: 0, bad: [] };
    let read = 0;
    for await (const { text, line } of partsOf(textsOf(file))) {
      const part = await app.log.importText(text);
      sum.records += part.records;
      sum.annotations += part.annotations;
      sum.known += part.known;
      sum.altered += part.altered;
      for (const bad of part.bad) sum.bad.push({ ...bad, line: bad.line + line - 1 });
      read += text.length;
      this.reading = `${file.name}, ${Math.min(100, Math.round((read / file.size) * 100))} %`;
    }
    return sum;
  }

  /** @param {Outcome} outcome */
  words({ name, records, annotations, known, altered, bad }) {
    const parts = [`${count(records)} new ${records === 1 ? "run" : "runs"}`];
    if (annotations > 0) parts.push(`${count(annotations)} new notes, names, pins or deletions`);
    if (known > 0) parts.push(`${count(known)} already here`);
    if (altered > 0) parts.push(`${count(altered)} altered (the digest does not match the content)`);
    if (bad.length > 0) parts.push(`${count(bad.length)} ${bad.length === 1 ? "line" : "lines"} that could not be read`);
    return `Imported ${name}: ${parts.join(", ")}.`;
  }

  render() {
    const { outcome } = this;
    return html`<input
        type="file"
        accept=".jsonl,.ndjson,.json,application/jsonl,application/x-ndjson"
        hidden
        aria-label="Log file to import"
        @change=${(/** @type {Event} */ event) => {
          const input = /** @type {HTMLInputElement} */ (event.target);
          void this.read(input.files?.[0]);
          input.value = "";
        }}
      />
      ${this.reading ? html`<p class="soft">Reading ${this.reading} …</p>` : ""} ${this.problem ? html`<p role="alert" data-tone="bad">${this.problem}</p>` : ""}
      ${outcome
        ? html`<div class="panel stack import-outcome">
            <div class="row spread">
              <p>${this.words(outcome)}</p>
              <button type="button" class="quiet" @click=${() => (this.outcome = null)}>Dismiss</button>
            </div>
            ${outcome.bad.length > 0
              ? html`<details open>
                  <summary>Lines that could not be read; the others were kept</summary>
                  <ul class="bad-lines small">
                    ${outcome.bad.slice(0, SHOWN).map(({ line, message }) => html`<li><strong>Line ${line}:</strong> ${message}</li>`)}
                    ${outcome.bad.length > SHOWN ? html`<li>and ${count(outcome.bad.length - SHOWN)} more</li>` : ""}
                  </ul>
                </details>`
              : ""}
          </div>`
        : ""}`;
  }
}

/**
 * @param {File} file
 * @returns {AsyncGenerator<string>}
 */
async function* textsOf(file) {
  const reader = file.stream().pipeThrough(new TextDecoderStream()).getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
}

customElements.define("assay-log-import", AssayLogImport);
