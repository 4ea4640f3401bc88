// @ts-check
/** @file A digest: its start to read, all of it on hover, and a button to copy it. */

import { html } from "lit";
import { announce } from "../announcer.js";
import { NONE, shortDigest } from "../figures.js";
import { icon } from "../icons.js";
import { copyText } from "../save_file.js";
import { AssayElement } from "./assay_element.js";

export class AssayDigest extends AssayElement {
  static properties = { digest: { type: String }, label: { type: String }, copied: { state: true } };

  constructor() {
    super();
    this.digest = "";
    /** What it is of. */
    this.label = "digest";
    this.copied = false;
  }

  render() {
    const { digest, label, copied } = this;
    if (!digest) return html`<span class="soft">${NONE}</span>`;
    return html`<span class="digest" title=${digest}>${shortDigest(digest)}</span>
      <button type="button" class="quiet square tiny" aria-label=${`Copy the ${label} digest`} title=${copied ? "Copied" : digest} @click=${this.copy}>${icon(copied ? "complete" : "copy")}</button>`;
  }

  async copy() {
    this.copied = await copyText(this.digest);
    announce(this.copied ? `The ${this.label} digest was copied.` : "The clipboard is closed to this page.", true);
    setTimeout(() => {
      this.copied = false;
    }, 2000);
  }
}

customElements.define("assay-digest", AssayDigest);
