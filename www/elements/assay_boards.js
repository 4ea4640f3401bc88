// @ts-check
/** @file How often squares, boards and games were read rightly with and without the rule, what it took, and boards that the rule changed; it reads none. */

import { html } from "lit";
import { boardsOf, pieceSign, readingFrom, squareName, wrongPlaces } from "../boards.js";
import { count, millis, percent, significant } from "../figures.js";
import { icon } from "../icons.js";
import { AssayElement } from "./assay_element.js";

/** @import { RunRecord } from "../types.js" */
/** @import { Board, Kind, Reading, Share, Way } from "../boards.js" */

/** What the rule did to a board. @type {readonly [Kind, string][]} */
const KINDS = [
  ["repaired", "wrong square by square, right by the rule"],
  ["spoiled", "right square by square, wrong by the rule"],
  ["wrong", "wrong both ways"],
];
/** Rows of the brief table. */
const BRIEF = new Set(["squares", "boards", "boards, if independent", "games", "squares asked", "p50 per board"]);
/** Boards that are drawn at first, and more at a press. */
const SHOWN = 4;
/** Squares of a board that are named beside it. */
const NAMED = 4;

export class AssayBoards extends AssayElement {
  static properties = { record: { attribute: false }, brief: { type: Boolean }, kind: { state: true }, shown: { state: true } };

  constructor() {
    super();
    /** @type {RunRecord|null} */
    this.record = null;
    /** Only the table. */
    this.brief = false;
    /** What is chosen; null is the first kind that there is. @type {Kind|null} */
    this.kind = null;
    this.shown = SHOWN;
  }

  render() {
    const reading = readingFrom(this.record?.results.reading);
    if (!this.record || !reading) return "";
    return html`<section class="stack tight" aria-label="Whole boards">
      <h3>Whole boards</h3>
      ${this.table(reading)}
      ${this.brief ? "" : html`<p class="small soft">Over the same weights. The rule reads each position as a legal one after the last; the position before a game's first picture is known. If squares were wrong independently of each other, ${percent(reading.without.squares.correct / reading.without.squares.total)} of squares would make ${percent(reading.without.independent_boards)} of boards. The intervals know that the boards of a game are alike.</p>`}
      <p>The rule repairs ${count(reading.repaired)} and spoils ${count(reading.spoiled)} of ${count(reading.with.boards.total)} boards, for ${percent(reading.with.macs / reading.without.macs)} of the work.</p>
      ${this.brief ? "" : this.boards(reading, this.record)}
    </section>`;
  }

  /** @param {Reading} reading */
  table({ without, with: rule }) {
    const boards = (/** @type {Way} */ way) => way.boards.total;
    const share = (/** @type {Share} */ it) => (this.brief ? short(it) : long(it));
    /** @type {[string, string, (way: Way) => unknown][]} */
    const all = [
      ["squares", "Squares read rightly", ({ squares }) => share(squares)],
      ["boards", "Boards of which all 64 squares are right", (way) => share(way.boards)],
      ["boards, if independent", "Boards that would be right if squares were wrong independently of each other", (way) => percent(way.independent_boards)],
      ["games", "Games of which all boards are right", ({ games }) => share(games)],
      ["games, if independent", "Games that would be right if squares were wrong independently of each other", (way) => percent(way.independent_games)],
      ["squares asked", "Squares of a board that the model was asked for, on average", (way) => significant(way.looked_at / boards(way), 3)],
      ["MACs per board", "Multiply-accumulates of the model, on average", (way) => count(way.macs / boards(way))],
      ["p50 per board", "Median time of a board", ({ latency }) => (latency ? timeText(latency, this.brief) : "not measured")],
      ["mean per board", "Mean time of a board; a game's first picture is looked at whole", ({ latency }) => (latency ? millis(latency.mean_millis) : "not measured")],
    ];
    const rows = this.brief ? all.filter(([name]) => BRIEF.has(name)) : all;
    return html`<div class="scroll" tabindex="0" role="group" aria-label="Table of whole boards">
      <table class="boards-table">
        <thead>
          <tr><th scope="col">Read rightly</th><th scope="col" class="number">Square by square</th><th scope="col" class="number">By the rule</th></tr>
        </thead>
        <tbody>
          ${rows.map(([name, help, cell]) => html`<tr><th scope="row" title=${help}>${name}</th><td class="number">${cell(without)}</td><td class="number">${cell(rule)}</td></tr>`)}
        </tbody>
      </table>
    </div>`;
  }

  /**
   * @param {Reading} reading
   * @param {RunRecord} record
   */
  boards(reading, { predictions, results }) {
    const all = boardsOf(reading, predictions);
    const of = (/** @type {Kind} */ kind) => all.filter((board) => board.kind === kind);
    const kind = this.kind ?? KINDS.find(([each]) => of(each).length > 0)?.[0];
    if (!kind) return html`<p>Every board is right both ways.</p>`;
    const chosen = of(kind);
    /** @type {string[]} */
    const classes = results.confusion?.classes ?? [];
    return html`<label class="row">Show boards
        <select @change=${this.choose}>
          ${KINDS.map(([each, label]) => html`<option value=${each} ?selected=${each === kind}>${label} (${count(of(each).length)})</option>`)}
        </select>
      </label>
      ${chosen.length === 0 ? html`<p class="soft">There is no such board.</p>` : ""}
      <ul class="boards">${chosen.slice(0, this.shown).map((board) => html`<li>${this.board(board, classes)}</li>`)}</ul>
      ${chosen.length > this.shown ? html`<button type="button" @click=${() => (this.shown += SHOWN)}>Show more of ${count(chosen.length)} boards</button>` : ""}`;
  }

  /** @param {Event} event */
  choose({ target }) {
    this.kind = /** @type {Kind} */ (/** @type {HTMLSelectElement} */ (target).value);
    this.shown = SHOWN;
  }

  /**
   * @param {Board} board
   * @param {string[]} classes
   */
  board({ game, picture, truth, without, with: rule }, classes) {
    return html`<h4>Game ${game}, picture ${picture}</h4>
      <div class="row">${diagram("square by square", without, truth, classes)} ${diagram("by the rule", rule, truth, classes)}</div>`;
  }
}

/** @param {Share} it */
function long({ correct, total, low, high }) {
  return html`${percent(correct / total)} <span class="soft small">${count(correct)} of ${count(total)}; ${percent(low)} to ${percent(high)}</span>`;
}

/** @param {Share} it */
function short({ correct, total, low, high }) {
  return html`<span title=${`${count(correct)} of ${count(total)}; interval ${percent(low)} to ${percent(high)}`}>${percent(correct / total)}</span>`;
}

/**
 * @param {NonNullable<Way["latency"]>} latency
 * @param {boolean} brief
 */
function timeText({ p50_millis: p50, p50_low_millis: low, p50_high_millis: high, samples_millis: samples, flags }, brief) {
  const doubts = flags.length > 0 ? `doubtful: ${flags.join(", ")}` : "";
  const title = [`Interval ${millis(low)} to ${millis(high)}; ${samples.length} samples`, brief ? doubts : ""].filter(Boolean).join("; ");
  const sign = html`<span data-tone="warn">${icon("altered")}<span class="visually-hidden">${doubts}</span></span>`;
  return html`<span title=${title}>${millis(p50)}${doubts && brief ? html` ${sign}` : ""}</span>${doubts && !brief ? html` <span class="small" data-tone="warn">${doubts}</span>` : ""}`;
}

/**
 * A board as it was read; squares that are wrong are marked by a frame and a corner, and named below.
 * @param {string} way
 * @param {number[]} read
 * @param {number[]} truth
 * @param {string[]} classes
 */
function diagram(way, read, truth, classes) {
  const wrong = wrongPlaces(read, truth);
  const name = (/** @type {number|undefined} */ answer) => classes[answer ?? -1] ?? String(answer);
  const named = wrong.slice(0, NAMED).map((place) => `${squareName(place)} ${name(truth[place])}, read ${name(read[place])}`);
  const more = wrong.length > NAMED ? `; and ${wrong.length - NAMED} more` : "";
  return html`<figure class="board-figure">
    <div class="board-diagram" role="img" aria-label=${`Position read ${way}: ${wrong.length} of 64 squares wrong`}>
      ${read.map((answer, place) => html`<span class=${(place + Math.floor(place / 8)) % 2 ? "dark" : "light"} ?data-wrong=${answer !== truth[place]}>${pieceSign(answer)}</span>`)}
    </div>
    <figcaption class="small">
      <span class="status" data-tone=${wrong.length === 0 ? "good" : "bad"}>${icon(wrong.length === 0 ? "right" : "wrong")} ${way}: ${wrong.length === 0 ? "right" : `${wrong.length} wrong`}</span>
      ${wrong.length === 0 ? "" : html`<span class="soft">${named.join("; ")}${more}</span>`}
    </figcaption>
  </figure>`;
}

customElements.define("assay-boards", AssayBoards);
