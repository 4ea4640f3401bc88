// @ts-check
/** @file Small images of a set, page by page, each with a caption; one or several can be picked. The pixels come from the lab. */

import { html, nothing } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { count } from "../figures.js";
import { errorFrom } from "../page_wasm.js";
import { drawPicture, pictures, rowsKey } from "../pictures.js";
import { AssayElement } from "./assay_element.js";

/** @import { PropertyValues, TemplateResult } from "lit" */
/** @import { Picture } from "../pictures.js" */
/** @import { Recipe } from "../types.js" */

/**
 * @typedef {Object} Item
 * @property {number} row of the set
 * @property {string} name for those who do not see it: `row 12, an 8`
 * @property {TemplateResult|string} [caption]
 */

/** Events that do not bubble: `pick` (a CustomEvent; detail the row), and of several `mark` (detail the rows from one to another). */
export class AssayImageGrid extends AssayElement {
  static properties = {
    recipe: { attribute: false },
    items: { attribute: false },
    label: { type: String },
    size: { type: Number },
    picked: { type: Number },
    pickable: { type: Boolean },
    selected: { attribute: false },
    page: { state: true },
    found: { state: true },
    problem: { state: true },
  };

  constructor() {
    super();
    /** Whose set and split the rows are of. @type {Recipe|null} */
    this.recipe = null;
    /** @type {Item[]} */
    this.items = [];
    this.label = "Images";
    /** Images of a page. */
    this.size = 60;
    /** @type {number|null} */
    this.picked = null;
    this.pickable = false;
    /** Rows that are picked where several can be; null where one can. @type {ReadonlySet<number>|null} */
    this.selected = null;
    /** The row that had the keyboard last. @type {number|null} */
    this.at = null;
    /** Which of the pictures has the keyboard, or -1. */
    this.held = -1;
    /** Where a range begins. @type {number|null} */
    this.last = null;
    this.page = 0;
    /** @type {Map<number, Picture>} */
    this.found = new Map();
    this.problem = "";
    this.wanted = "";
    /** Of which set `found` is. */
    this.foundOf = "";
  }

  get pages() {
    return Math.max(1, Math.ceil(this.items.length / this.size));
  }

  get shown() {
    return this.items.slice(this.page * this.size, (this.page + 1) * this.size);
  }

  /** @param {PropertyValues<this>} changed */
  willUpdate(changed) {
    const old = changed.get("items");
    if (old && !sameRows(old, this.items)) this.page = 0;
    this.page = Math.min(this.page, this.pages - 1);
    // The picture that has the keyboard may go.
    this.held = [...this.querySelectorAll("button.image")].indexOf(/** @type {Element} */ (document.activeElement));
    const rows = this.shown.map(({ row }) => row);
    const wanted = `${this.recipe ? rowsKey(this.recipe) : ""} ${rows.join()}`;
    if (wanted !== this.wanted) {
      this.wanted = wanted;
      void this.load(rows);
    }
  }

  /** @param {number[]} rows */
  async load(rows) {
    const { wanted } = this;
    const of = this.recipe ? rowsKey(this.recipe) : "";
    this.problem = "";
    try {
      const found = rows.length === 0 || !this.recipe ? new Map() : await pictures().images(this.recipe, rows);
      if (wanted === this.wanted) Object.assign(this, { found, foundOf: of });
    } catch (error) {
      this.problem = errorFrom(error).message;
    }
  }

  updated() {
    if (this.held >= 0 && !this.contains(document.activeElement)) {
      const buttons = /** @type {HTMLElement[]} */ ([...this.querySelectorAll("button.image")]);
      buttons[Math.min(this.held, buttons.length - 1)]?.focus();
    }
    const of = this.recipe ? rowsKey(this.recipe) : "";
    // Pictures of another set under the same numbers.
    if (this.foundOf !== of) return;
    for (const canvas of this.querySelectorAll("canvas")) {
      const row = Number(canvas.dataset.row);
      const picture = this.found.get(row);
      const drawn = `${of} ${row}`;
      if (!picture || canvas.dataset.drawn === drawn) continue;
      const written = this.recipe?.data.set === "digits";
      drawPicture(canvas, picture, written);
      canvas.dataset.drawn = drawn;
      canvas.classList.toggle("ink", written || picture.height === 1);
    }
  }

  render() {
    const { shown } = this;
    if (this.problem) return html`<p role="alert" data-tone="bad">The images could not be shown: ${this.problem} Reload the page if this stays.</p>`;
    const current = this.selected ? this.at : this.picked;
    const reachable = Math.max(0, shown.findIndex(({ row }) => row === current));
    return html`<ul class="image-grid" aria-label=${this.label} ?data-captions=${shown.some(({ caption }) => caption)} @keydown=${this.onKey}>
        ${repeat(shown, ({ row }) => row, (item, index) => html`<li>${this.image(item, index === reachable)}</li>`)}
      </ul>
      ${this.pages > 1 ? this.pager() : ""}`;
  }

  /**
   * @param {Item} item
   * @param {boolean} reachable by Tab; the others by arrow keys
   */
  image({ row, name, caption }, reachable) {
    const picture = html`<canvas data-row=${row} width="1" height="1" role="img" aria-label=${name}></canvas>${caption ? html`<span class="caption small">${caption}</span>` : ""}`;
    if (!this.pickable) return html`<span class="image" title=${name}>${picture}</span>`;
    return html`<button type="button" class="image" title=${name} tabindex=${reachable ? nothing : -1} aria-pressed=${this.selected ? this.selected.has(row) : row === this.picked} @focus=${() => this.reach(row)} @click=${(/** @type {MouseEvent} */ event) => this.pick(row, event.shiftKey)}>${picture}</button>`;
  }

  pager() {
    const first = this.page * this.size;
    return html`<div class="row pager" role="group" aria-label=${`${this.label}: pages`}>
      <button type="button" class="quiet" ?disabled=${this.page === 0} @click=${() => (this.page -= 1)}>Previous</button>
      <span class="small soft">${count(first + 1)} to ${count(first + this.shown.length)} of ${count(this.items.length)}</span>
      <button type="button" class="quiet" ?disabled=${this.page >= this.pages - 1} @click=${() => (this.page += 1)}>Next</button>
    </div>`;
  }

  /** The one that Tab comes back to. @param {number} row */
  reach(row) {
    if (!this.selected || this.at === row) return;
    this.at = row;
    this.requestUpdate();
  }

  /**
   * @param {number} row
   * @param {boolean} [many] all from the one that was picked before
   */
  pick(row, many = false) {
    if (many && this.selected && this.last !== null) this.mark(this.last, row);
    else this.dispatchEvent(new CustomEvent("pick", { detail: row }));
    this.last = row;
  }

  /** @param {number} from @param {number} to */
  mark(from, to) {
    const rows = this.shown.map(({ row }) => row);
    const [first = 0, last = 0] = [rows.indexOf(from), rows.indexOf(to)].sort((a, b) => a - b);
    this.dispatchEvent(new CustomEvent("mark", { detail: rows.slice(Math.max(0, first), last + 1) }));
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    const buttons = /** @type {HTMLElement[]} */ ([...this.querySelectorAll("button.image")]);
    const at = buttons.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    if (at < 0) return;
    const perLine = buttons.filter(({ offsetTop }) => offsetTop === buttons[0]?.offsetTop).length;
    /** @type {Record<string, number>} */
    const moves = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: perLine, ArrowUp: -perLine, Home: -at, End: buttons.length - 1 - at };
    const step = moves[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const to = Math.min(buttons.length - 1, Math.max(0, at + step));
    const [from, reached] = [this.shown[at], this.shown[to]];
    if (event.shiftKey && this.selected && from && reached) this.mark(from.row, reached.row);
    buttons[to]?.focus();
  }
}

/**
 * @param {readonly Item[]} a
 * @param {readonly Item[]} b
 */
function sameRows(a, b) {
  return a.length === b.length && a.every(({ row }, index) => row === b[index]?.row);
}

customElements.define("assay-image-grid", AssayImageGrid);
