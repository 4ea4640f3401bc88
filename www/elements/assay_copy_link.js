// @ts-check
/** @file A button that copies a link, says what the link carries, and shows the link where the clipboard is refused. */

import { html } from "lit";
import { app } from "../app.js";
import { icon } from "../icons.js";
import { errorFrom } from "../errors.js";
import { copyText } from "../save_file.js";
import { announce } from "../announcer.js";
import { AssayElement } from "./assay_element.js";

/** @import { PackedLink } from "../types.js" */

export class AssayCopyLink extends AssayElement {
  static properties = { label: { type: String }, pack: { attribute: false }, outcome: { state: true } };

  constructor() {
    super();
    this.label = "Copy link";
    /** Makes the link when it is asked for. @type {() => PackedLink|Promise<PackedLink>} */
    this.pack = () => app.links.packDraft();
    /** @type {{ packed: PackedLink, address: string, copied: boolean }|{ problem: string }|null} */
    this.outcome = null;
  }

  render() {
    return html`<div class="copy-link stack">
      <div><button type="button" @click=${this.copy}>${icon("copy")} ${this.label}</button></div>
      ${this.result()}
    </div>`;
  }

  result() {
    const { outcome } = this;
    if (!outcome) return "";
    if ("problem" in outcome) return html`<p role="alert" data-tone="bad">${outcome.problem}</p>`;
    const { packed, address, copied } = outcome;
    return html`<div class="small stack tight">
      <p>
        ${copied ? html`<span class="status" data-tone="good">${icon("complete")} Copied.</span>` : html`<span class="status" data-tone="warn">${icon("altered")} The clipboard is closed to this page; copy the link by hand.</span>`}
        ${address.length.toLocaleString("en")} characters. It carries:
      </p>
      <ul>${packed.carries.map((sentence) => html`<li>${sentence}</li>`)}</ul>
      ${copied ? "" : html`<input type="text" readonly aria-label="The link" .value=${address} @focus=${(/** @type {Event} */ event) => /** @type {HTMLInputElement} */ (event.target).select()}>`}
    </div>`;
  }

  async copy() {
    try {
      const packed = await this.pack();
      const address = app.links.addressOf(packed.fragment);
      const copied = await copyText(address);
      this.outcome = { packed, address, copied };
      announce(copied ? "The link was copied." : "The clipboard is closed to this page; the link is in a field below.", true);
      if (copied) return;
      await this.updateComplete;
      this.querySelector("input")?.focus();
    } catch (error) {
      this.outcome = { problem: errorFrom(error).message };
    }
  }
}

customElements.define("assay-copy-link", AssayCopyLink);
