// @ts-check
/** @file A digest: its start, the whole of it on hover and to copy. */

import { html } from "lit";
import { announce } from "../announcer.js";
import { shortDigest } from "../figures.js";
import { copyText } from "../save_file.js";
import { AssayElement } from "./assay_element.js";

export class AssayDigest extends AssayElement {
  static properties = { value: { type: String }, label: { type: String }, copied: { state: true } };

  constructor() {
    super();
    this.value = "";
    /** What it is the digest of. */
    this.label = "digest";
    this.copied = false;
  }

  render() {
    if (!this.value) return html`<span class="soft">–</span>`;
    return html`<code class="digest" title=${this.value}>${shortDigest(this.value)}</code>
      <button type="button" class="quiet small" aria-label=${`Copy ${this.label}`} @click=${this.copy}>${this.copied ? "Copied" : "Copy"}</button>`;
  }

  async copy() {
    this.copied = await copyText(this.value);
    announce(this.copied ? `Copied ${this.label}.` : `The clipboard is closed to this page; the digest is ${this.value}.`, true);
    setTimeout(() => (this.copied = false), 2000);
  }
}

customElements.define("assay-digest", AssayDigest);
