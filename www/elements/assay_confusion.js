// @ts-check
/** @file A confusion matrix whose cells are buttons: counts by true class and answer, walked with arrow keys. */

import { html } from "lit";
import { AssayElement } from "./assay_element.js";

/** @typedef {{ truth: number, answer: number }} Cell class indices */

/** Steps of shading; the stylesheet has the same. */
const SHADES = 8;

/** Event: `cell` (a CustomEvent that does not bubble; detail a {@link Cell}, or null when the chosen cell is pressed again). */
export class AssayConfusion extends AssayElement {
  static properties = { classes: { attribute: false }, counts: { attribute: false }, chosen: { attribute: false }, label: { type: String }, at: { state: true } };

  constructor() {
    super();
    /** @type {string[]} */
    this.classes = [];
    /** `classes × classes`, row by true class. @type {number[]} */
    this.counts = [];
    /** @type {Cell|null} */
    this.chosen = null;
    this.label = "Confusion matrix";
    /** Cell that the keyboard is on. @type {Cell} */
    this.at = { truth: 0, answer: 0 };
  }

  render() {
    const { classes } = this;
    return html`<div class="confusion-scroll">
      <table class="confusion small" @keydown=${this.onKey}>
        <caption>
          ${this.label}: rows are the true class, columns the answer
        </caption>
        <thead>
          <tr>
            <th scope="col"><span class="visually-hidden">True class</span></th>
            ${classes.map((name) => html`<th scope="col">${name}</th>`)}
            <th scope="col" class="recall">recall</th>
          </tr>
        </thead>
        <tbody>
          ${classes.map((name, truth) => this.line(name, truth))}
        </tbody>
      </table>
    </div>`;
  }

  /**
   * @param {string} name
   * @param {number} truth
   */
  line(name, truth) {
    const { classes } = this;
    const row = this.counts.slice(truth * classes.length, (truth + 1) * classes.length);
    const total = row.reduce((sum, value) => sum + value, 0);
    return html`<tr>
      <th scope="row">${name}</th>
      ${row.map((value, answer) => {
        const chosen = this.chosen?.truth === truth && this.chosen.answer === answer;
        const reachable = this.at.truth === truth && this.at.answer === answer;
        const shade = value === 0 || total === 0 ? 0 : Math.max(1, Math.round((value / total) * SHADES));
        return html`<td>
          <button
            type="button"
            tabindex=${reachable ? 0 : -1}
            aria-pressed=${chosen}
            aria-label=${`true ${name}, answered ${classes[answer]}: ${value} ${value === 1 ? "image" : "images"}`}
            data-kind=${truth === answer ? "right" : "wrong"}
            data-shade=${shade}
            @focus=${() => (this.at = { truth, answer })}
            @click=${() => this.dispatchEvent(new CustomEvent("cell", { detail: chosen ? null : { truth, answer } }))}
          >
            ${value}
          </button>
        </td>`;
      })}
      <td class="recall number">${total > 0 ? `${Math.round(((row[truth] ?? 0) / total) * 100)}\u00a0%` : "–"}</td>
    </tr>`;
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    const last = this.classes.length - 1;
    const { truth, answer } = this.at;
    /** @type {Record<string, Cell>} */
    const moves = {
      ArrowRight: { truth, answer: answer + 1 },
      ArrowLeft: { truth, answer: answer - 1 },
      ArrowDown: { truth: truth + 1, answer },
      ArrowUp: { truth: truth - 1, answer },
      Home: { truth, answer: 0 },
      End: { truth, answer: last },
    };
    const to = moves[event.key];
    if (!to) return;
    event.preventDefault();
    const clamp = (/** @type {number} */ value) => Math.min(last, Math.max(0, value));
    this.at = { truth: clamp(to.truth), answer: clamp(to.answer) };
    const row = this.querySelectorAll("tbody tr")[this.at.truth];
    row?.querySelectorAll("button")[this.at.answer]?.focus();
  }
}

customElements.define("assay-confusion", AssayConfusion);
