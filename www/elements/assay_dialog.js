// @ts-check
/** @file The base of dialogs: open while the store says so, closed by Escape, the ✕ or a click beside it; the focus goes back by itself. */

import { html } from "lit";
import { app } from "../app.js";
import { icon } from "../icons.js";
import { AssayElement } from "./assay_element.js";

/** @import { TemplateResult } from "lit" */
/** @import { State, StateKey } from "../store.js" */

export class AssayDialog extends AssayElement {
  /** @type {StateKey[]} */
  static follows = ["dialog"];

  /** Its name in the store. @type {State["dialog"]} */
  get dialogName() {
    return null;
  }

  get heading() {
    return "";
  }

  /** @returns {TemplateResult|string} Drawn only while open. */
  content() {
    return "";
  }

  get isOpen() {
    return this.state.dialog === this.dialogName;
  }

  render() {
    const headingId = `${this.dialogName}-heading`;
    return html`<dialog aria-labelledby=${headingId} @close=${this.onClose} @click=${this.onClick}>
      <div class="dialog-head">
        <h2 id=${headingId}>${this.heading}</h2>
        <button type="button" class="quiet square" aria-label="Close" @click=${this.close}>${icon("close")}</button>
      </div>
      ${this.isOpen ? this.content() : ""}
    </dialog>`;
  }

  updated() {
    const dialog = this.querySelector("dialog");
    if (!dialog) return;
    if (this.isOpen && !dialog.open) {
      dialog.showModal();
      this.onOpen();
    } else if (!this.isOpen && dialog.open) {
      dialog.close();
    }
  }

  /** What to do once it is shown. */
  onOpen() {}

  close() {
    if (this.isOpen) app.store.update({ dialog: null });
  }

  /** Escape closed it. The browser tells of a close later, when the dialog may have been opened again. */
  onClose() {
    if (!this.querySelector("dialog")?.open) this.close();
  }

  /** @param {MouseEvent} event */
  onClick(event) {
    const dialog = this.querySelector("dialog");
    if (event.target !== dialog || !dialog) return;
    const { left, right, top, bottom } = dialog.getBoundingClientRect();
    const inside = event.clientX >= left && event.clientX <= right && event.clientY >= top && event.clientY <= bottom;
    if (!inside) this.close();
  }
}
