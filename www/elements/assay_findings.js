// @ts-check
/** @file What the checks of a set found, and its quality side by side; it asks for nothing itself. */

import { html } from "lit";
import { count, percent } from "../figures.js";
import { icon } from "../icons.js";
import { AssayElement } from "./assay_element.js";

/** @import { Finding, Findings } from "../types.js" */

/** Icon, word and tone by status. @type {Record<Finding["status"], [Parameters<typeof icon>[0], string, string]>} */
const STATUS = { pass: ["complete", "pass", "good"], warn: ["altered", "warn", "warn"], fail: ["failed", "fail", "bad"] };

/** Event: `examples` (a CustomEvent that does not bubble; detail the finding whose rows are wanted). */
export class AssayFindings extends AssayElement {
  static properties = { findings: { attribute: false }, brief: { type: Boolean } };

  constructor() {
    super();
    /** @type {Findings|null} */
    this.findings = null;
    /** Only what did not pass, without examples. */
    this.brief = false;
  }

  render() {
    const { findings } = this;
    if (!findings) return "";
    const worse = findings.findings.filter(({ status }) => status !== "pass");
    const shown = this.brief ? worse : findings.findings;
    return html`<p role="status">${worse.length === 0
        ? `None of the ${findings.findings.filter(({ of }) => of > 0).length} checks that could be made found anything.`
        : `${worse.length} of ${findings.findings.length} checks found something.`}</p>
      ${shown.length === 0 ? "" : html`<ul class="findings">${shown.map((finding) => html`<li>${this.finding(finding)}</li>`)}</ul>`}
      ${this.brief ? "" : this.quality(findings)}`;
  }

  /** @param {Finding} finding */
  finding(finding) {
    const made = finding.of > 0;
    const [name, word, tone] = made ? STATUS[finding.status] : /** @type {typeof STATUS.pass} */ (["unclear", "not made", ""]);
    const some = finding.rows ?? finding.examples ?? [];
    const rows = finding.unit === "rows" && some.length > 0 && !this.brief;
    return html`<span class="status small" data-tone=${tone}>${icon(name)} ${word}</span>
      <strong>${finding.check}</strong>
      <span>${finding.message}
        ${rows ? html`<button type="button" class="link" aria-label=${`Show ${count(some.length)}, ${finding.check}`} @click=${() => this.dispatchEvent(new CustomEvent("examples", { detail: finding }))}>Show ${count(some.length)}</button>` : ""}</span>`;
  }

  /** @param {Findings} findings */
  quality({ quality }) {
    return html`<dl class="quality small">${quality.map(({ dimension, score }) => html`<div><dt>${dimension}</dt><dd>${percent(score)}</dd></div>`)}</dl>`;
  }
}

customElements.define("assay-findings", AssayFindings);
