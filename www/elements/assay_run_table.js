// @ts-check
/** @file The run table: draws only the rows that are seen, so that 5,000 runs open and scroll at once. Filtering and sorting are its owner's. */

import { html, nothing } from "lit";
import { live } from "lit/directives/live.js";
import { repeat } from "lit/directives/repeat.js";
import { whyNoBaseline } from "../gpu_words.js";
import { icon, statusSign } from "../icons.js";
import { cell, compactLine, startLine } from "../run_table/cells.js";
import { EMPTY, everything, extent, ranged, toggled } from "../run_table/selection.js";
import { drawnRows, scrollToSee } from "../run_table/window.js";
import { AssayElement } from "./assay_element.js";

/** @import { PropertyValues } from "lit" */
/** @import { Context } from "../run_table/cells.js" */
/** @import { Column, Order } from "../run_table/columns.js" */
/** @import { RunRow } from "../run_table/rows.js" */
/** @import { Selection } from "../run_table/selection.js" */

/** Pixels; the stylesheet has the same. */
const ROW_HEIGHT = 48;
const COMPACT_ROW_HEIGHT = 64;
const HEAD_HEIGHT = 36;
const CHECKBOX_WIDTH = 40;
/** Narrower than this, a row is two lines instead of columns. */
const COMPACT_WIDTH = 640;

/**
 * Events, each a CustomEvent that does not bubble: `order` (detail an {@link Order}), `selection` (detail a {@link Selection}),
 * `open` (detail a digest), `pin` (detail a digest), `seen` (detail the digests of the rows drawn), `compact` (detail a boolean).
 */
export class AssayRunTable extends AssayElement {
  static properties = {
    rows: { attribute: false },
    columns: { attribute: false },
    order: { attribute: false },
    selection: { attribute: false },
    context: { attribute: false },
    opened: { type: String },
    compact: { state: true },
    drawn: { state: true },
    active: { state: true },
  };

  constructor() {
    super();
    /** As shown: filtered and in order. @type {RunRow[]} */
    this.rows = [];
    /** @type {Column[]} */
    this.columns = [];
    /** @type {Order} */
    this.order = { key: "started", descending: true };
    /** @type {Selection} */
    this.selection = EMPTY;
    /** @type {Context} */
    this.context = { baseline: undefined, deltaOf: () => undefined };
    /** Digest of the run whose details are open, or empty. */
    this.opened = "";
    this.compact = false;
    /** @type {{ start: number, end: number }} */
    this.drawn = { start: 0, end: 0 };
    /** Row that the keyboard is on. */
    this.active = 0;
    this.focusActive = false;
    /** Where the table stood before it was drawn again, where that matters. @type {number|null} */
    this.scrolled = null;
    this.resized = new ResizeObserver(() => this.measure());
  }

  connectedCallback() {
    super.connectedCallback();
    this.resized.observe(this);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.resized.disconnect();
  }

  get rowHeight() {
    return this.compact ? COMPACT_ROW_HEIGHT : ROW_HEIGHT;
  }

  get headHeight() {
    return this.compact ? 0 : HEAD_HEIGHT;
  }

  /** @returns {HTMLElement|null} */
  get scroller() {
    return this.querySelector(".run-scroller");
  }

  measure() {
    const compact = this.clientWidth > 0 && this.clientWidth < COMPACT_WIDTH;
    if (compact !== this.compact) {
      this.compact = compact;
      this.tell("compact", compact);
    }
    this.look();
  }

  /** Takes note of which rows are seen. */
  look() {
    const scroller = this.scroller;
    if (!scroller) return;
    const { start, end } = drawnRows(scroller.scrollTop, scroller.clientHeight, this.rowHeight, this.rows.length);
    if (start !== this.drawn.start || end !== this.drawn.end) this.drawn = { start, end };
  }

  /** Shows the first rows, as after a change of order. */
  toTop() {
    this.active = 0;
    this.scroller?.scrollTo({ top: 0 });
    this.look();
  }

  /** Puts the keyboard on a run's row, if it is shown. @param {string} digest */
  focusRow(digest) {
    const index = this.rows.findIndex((row) => row.digest === digest);
    if (index >= 0) this.moveTo(index);
  }

  /** @param {PropertyValues<this>} changed */
  willUpdate(changed) {
    if (changed.has("rows") || changed.has("compact")) {
      const { scroller } = this;
      this.drawn = drawnRows(scroller?.scrollTop ?? 0, scroller?.clientHeight ?? 800, this.rowHeight, this.rows.length);
    }
    if (changed.has("rows")) this.followActive(changed.get("rows"));
    // Removing the row that has the focus makes browsers lay out at once, while rows and spacers do not yet add up.
    this.scrolled = changed.has("drawn") && this.querySelector("tbody")?.contains(document.activeElement) ? (this.scroller?.scrollTop ?? null) : null;
  }

  /** The keyboard stays on its run when runs come or go around it. @param {RunRow[]|undefined} before */
  followActive(before) {
    const digest = before?.[this.active]?.digest;
    const index = digest ? this.rows.findIndex((row) => row.digest === digest) : -1;
    const last = Math.max(0, this.rows.length - 1);
    const moved = index >= 0 && index !== this.active;
    this.active = index >= 0 ? index : Math.min(this.active, last);
    if (moved && this.querySelector("tbody")?.contains(document.activeElement)) this.focusActive = true;
  }

  /** @param {PropertyValues<this>} changed */
  updated(changed) {
    const { start, end } = this.drawn;
    /** @type {[string, number][]} */
    const spacers = [[".run-before", start], [".run-after", Math.max(0, this.rows.length - end)]];
    for (const [selector, rows] of spacers) {
      const spacer = /** @type {HTMLElement|null} */ (this.querySelector(selector));
      if (spacer) spacer.style.height = `${rows * this.rowHeight}px`;
    }
    if (this.scrolled !== null && this.scroller) this.scroller.scrollTop = this.scrolled;
    const table = this.querySelector("table");
    if (table) table.style.width = this.compact ? "100%" : `max(100%, ${this.columns.reduce((sum, { width }) => sum + width, CHECKBOX_WIDTH)}px)`;
    if (changed.has("drawn") || changed.has("rows") || changed.has("context")) {
      this.tell("seen", this.rows.slice(start, end).map(({ digest }) => digest));
    }
    if (this.focusActive) {
      this.focusActive = false;
      /** @type {HTMLElement|null} */ (this.querySelector(`tr[aria-rowindex="${this.active + 2}"]`))?.focus({ preventScroll: true });
    }
  }

  render() {
    const { start, end } = this.drawn;
    const columns = this.compact ? this.columns.slice(0, 1) : this.columns;
    return html`<div class="run-scroller" ?data-compact=${this.compact} @scroll=${{ handleEvent: () => this.look(), passive: true }}>
      <table role="grid" class="run-table" aria-label="Runs" aria-multiselectable="true" aria-rowcount=${this.rows.length + 1} @keydown=${this.onKey}>
        <colgroup>
          <col width=${CHECKBOX_WIDTH} />
          ${columns.map(({ width }) => (this.compact ? html`<col />` : html`<col width=${width} />`))}
        </colgroup>
        ${this.compact ? "" : this.head(columns)}
        <tbody>
          <tr class="run-before" aria-hidden="true"></tr>
          ${
            // Keyed by place: a new order then fills the same elements with other runs, which is much faster than moving them.
            repeat(this.rows.slice(start, end), (_, index) => start + index, (row, index) => this.row(row, start + index, columns))
          }
          <tr class="run-after" aria-hidden="true"></tr>
        </tbody>
      </table>
    </div>`;
  }

  /** @param {Column[]} columns */
  head(columns) {
    const selected = extent(this.selection, this.rows.map(({ digest }) => digest));
    return html`<thead>
      <tr aria-rowindex="1">
        <th scope="col" class="run-check">
          <input
            type="checkbox"
            aria-label="Select all runs shown"
            .checked=${live(selected === "all")}
            .indeterminate=${selected === "some"}
            @change=${() => this.select(selected === "all" ? EMPTY : everything(this.rows.map(({ digest }) => digest)))}
          />
        </th>
        ${columns.map((column) => {
          const here = this.order.key === column.key;
          const sort = here ? (this.order.descending ? "descending" : "ascending") : nothing;
          return html`<th scope="col" class=${`${column.kind === "number" ? "number" : ""} ${column.key === "started" ? "run-name" : ""}`} aria-sort=${sort}>
            <button type="button" class="quiet" title=${column.help ?? nothing} @click=${() => this.sortBy(column)}>
              <span class="run-label">${column.label}</span>${here ? icon(this.order.descending ? "down" : "up") : ""}
            </button>
          </th>`;
        })}
      </tr>
    </thead>`;
  }

  /**
   * @param {RunRow} row
   * @param {number} index
   * @param {Column[]} columns
   */
  row(row, index, columns) {
    const selected = this.selection.digests.has(row.digest);
    const { start, end } = this.drawn;
    const reachable = this.active >= start && this.active < end ? this.active : start;
    const tab = index === reachable ? 0 : -1;
    const isBaseline = this.context.baseline === row;
    const refused = row.pinned ? "" : whyNoBaseline(row.summary);
    return html`<tr
      tabindex=${tab}
      aria-rowindex=${index + 2}
      aria-selected=${selected}
      ?data-opened=${row.digest === this.opened}
      ?data-deleted=${row.deleted}
      @focusin=${() => (this.active = index)}
    >
      <td class="run-check">
        <label><input type="checkbox" tabindex=${tab} aria-label=${`Select ${row.title}`} .checked=${live(selected)} @click=${(/** @type {MouseEvent} */ event) => this.check(event, row)} /></label>
      </td>
      ${columns.map((column) =>
        column.key === "started"
          ? html`<th scope="row" class="run-name">
              <span class="first">
                <button type="button" class="link" title=${row.title} tabindex=${tab} @click=${() => this.tell("open", row.digest)}>${row.title}</button>
                ${this.compact ? statusSign(row.status) : ""}
                <button
                  type="button"
                  class="quiet run-pin"
                  tabindex=${tab}
                  aria-pressed=${row.pinned}
                  aria-disabled=${refused !== ""}
                  aria-label=${`Baseline: ${row.title}${refused ? `. ${refused}` : ""}`}
                  title=${refused || (row.pinned ? "No longer the baseline" : "Make this the baseline that others are compared with")}
                  @click=${() => refused || this.tell("pin", row.digest)}
                >
                  ${icon(row.pinned ? "starred" : "star")}
                </button>
              </span>
              <span class="second small">
                ${this.compact ? compactLine(row, this.context) : html`<span class="soft">${startLine(row)}</span>`}
                ${isBaseline ? html`<span class="badge">baseline</span>` : ""}${row.deleted ? html`<span class="badge">deleted</span>` : ""}
              </span>
            </th>`
          : html`<td class=${column.kind === "number" ? "number" : ""}>${cell(column, row, this.context)}</td>`,
      )}
    </tr>`;
  }

  /** Kept here at once, so that two presses before the owner answers are two. @param {Selection} selection */
  select(selection) {
    this.selection = selection;
    this.tell("selection", selection);
  }

  /** @param {Column} column */
  sortBy(column) {
    const here = this.order.key === column.key;
    this.tell("order", { key: column.key, descending: here ? !this.order.descending : Boolean(column.descendingFirst) });
  }

  /**
   * @param {MouseEvent} event
   * @param {RunRow} row
   */
  check(event, row) {
    const order = this.rows.map(({ digest }) => digest);
    this.select(event.shiftKey ? ranged(this.selection, row.digest, order) : toggled(this.selection, row.digest));
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    if (target.closest("thead")) return;
    const onRow = target.localName === "tr";
    const page = Math.max(1, Math.floor((this.scroller?.clientHeight ?? 0) / this.rowHeight) - 2);
    const last = this.rows.length - 1;
    /** @type {Record<string, number>} */
    const moves = { ArrowDown: this.active + 1, ArrowUp: this.active - 1, PageDown: this.active + page, PageUp: this.active - page, Home: 0, End: last };
    const to = moves[event.key];
    const row = this.rows[this.active];
    if (to !== undefined) {
      const next = Math.min(last, Math.max(0, to));
      const order = this.rows.map(({ digest }) => digest);
      if (event.shiftKey && row) {
        const from = this.selection.anchor === null ? toggled(this.selection, row.digest) : this.selection;
        this.select(ranged(from, order[next] ?? "", order));
      }
      this.moveTo(next);
    } else if (event.key === "a" && (event.ctrlKey || event.metaKey)) {
      this.select(everything(this.rows.map(({ digest }) => digest)));
    } else if (onRow && row && event.key === " ") {
      const order = this.rows.map(({ digest }) => digest);
      this.select(event.shiftKey ? ranged(this.selection, row.digest, order) : toggled(this.selection, row.digest));
    } else if (onRow && row && event.key === "Enter") {
      this.tell("open", row.digest);
    } else {
      return;
    }
    event.preventDefault();
  }

  /** @param {number} index */
  moveTo(index) {
    this.active = index;
    const { scroller } = this;
    if (scroller) scroller.scrollTop = scrollToSee(index, scroller.scrollTop, scroller.clientHeight - this.headHeight, this.rowHeight);
    this.look();
    this.focusActive = true;
    this.requestUpdate();
  }

  /**
   * @param {string} type
   * @param {unknown} detail
   */
  tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

customElements.define("assay-run-table", AssayRunTable);
