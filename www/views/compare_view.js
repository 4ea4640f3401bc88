// @ts-check
/** @file The Compare view: two runs side by side, judged on the same test images, with those on which they disagree. */

import { html } from "lit";
import { app } from "../app.js";
import { bytes, count, millis, NONE, percent, points, relative, significant, when } from "../figures.js";
import { engineName, partWords, sentence } from "../gpu_words.js";
import { icon } from "../icons.js";
import { errorFrom } from "../page_wasm.js";
import { verdictSign } from "../run_table/cells.js";
import { crossoverWords, unlessStruck } from "../run_table/engine_facts.js";
import { titleOf } from "../run_table/rows.js";
import { AssayElement } from "../elements/assay_element.js";
import "../elements/assay_chart.js";
import "../elements/assay_confusion.js";
import "../elements/assay_disagreements.js";

/** @import { Cell } from "../elements/assay_confusion.js" */
/** @import { Chart, Comparison, RunRecord } from "../types.js" */
/** @import { StateKey } from "../store.js" */

/**
 * What is shown.
 * @typedef {Object} Pair
 * @property {RunRecord[]} records two
 * @property {string[]} texts
 * @property {Comparison} comparison of the second against the first
 */

/** Below this width loss and accuracy are drawn one above the other. */
const STACKED_WIDTH = 560;
/** Names of the two, in text and in charts. */
const LETTERS = ["A", "B"];

export class AssayCompareView extends AssayElement {
  /** @type {StateKey[]} */
  static follows = ["route", "annotations", "theme", "runsLoaded"];

  static properties = { pair: { state: true }, problem: { state: true }, cell: { state: true }, width: { state: true } };

  constructor() {
    super();
    /** @type {Pair|null} */
    this.pair = null;
    this.problem = "";
    /** A cell of one run's confusion matrix: only disagreements in it are shown. @type {{ side: number, cell: Cell }|null} */
    this.cell = null;
    this.width = 0;
    this.asked = "";
    /** @type {{ key: string, chart: Chart }|null} */
    this.curves = null;
    this.resized = new ResizeObserver(([entry]) => (this.width = Math.floor(entry?.contentRect.width ?? 0)));
  }

  connectedCallback() {
    super.connectedCallback();
    this.resized.observe(this);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.resized.disconnect();
  }

  willUpdate() {
    const { view, digests } = this.state.route;
    if (view !== "compare" || digests.length !== 2) return;
    const asked = digests.join();
    if (asked === this.asked) return;
    this.asked = asked;
    void this.load(digests);
  }

  /** @param {string[]} digests */
  async load(digests) {
    this.pair = null;
    this.problem = "";
    this.cell = null;
    const texts = await Promise.all(digests.map((digest) => app.log.recordText(digest)));
    if (this.asked !== digests.join()) return;
    try {
      const there = texts.filter((text) => text !== null);
      if (there.length < 2) throw new Error("One of these runs is not in the log of this browser. Import it in the Runs view, or choose two others there.");
      this.pair = {
        texts: there,
        records: there.map((text) => app.wasm.readRecord(text).record),
        comparison: app.wasm.compare(there[0] ?? "", there[1] ?? ""),
      };
    } catch (error) {
      this.problem = errorFrom(error).message;
    }
  }

  render() {
    const { digests } = this.state.route;
    if (digests.length !== 2 || this.problem) {
      return html`<div class="compare-view stack">
        <h1>Compare</h1>
        ${this.problem ? html`<p role="alert" data-tone="bad">${this.problem}</p>` : ""}
        <div class="empty">
          <p>Two runs side by side: what differs in their recipes, which is better and whether that can be told, both curves, and the images on which they disagree.</p>
          <button type="button" class="primary" @click=${() => app.router.go("runs")}>Choose two runs</button>
        </div>
      </div>`;
    }
    return html`<div class="compare-view stack">
      <div class="row spread">
        <h1>Compare</h1>
        <span class="row">
          <button type="button" @click=${() => app.router.go("compare", [digests[1] ?? "", digests[0] ?? ""])}>Swap A and B</button>
          <a href="#/runs">All runs</a>
        </span>
      </div>
      ${this.pair ? this.body(this.pair) : html`<p class="soft">Reading both records …</p>`}
    </div>`;
  }

  /** @param {Pair} pair */
  body(pair) {
    const { records, comparison } = pair;
    const paired = comparison.paired;
    return html`
      ${records.map((record, side) => this.doubt(record, side))}
      <div class="two">${records.map((record, side) => this.card(record, side))}</div>
      <section class="panel stack" aria-label="Figures">
        <h2>Figures</h2>
        <p class="small soft">Differences are of B against A.</p>
        ${this.metrics(comparison, records.map(disagrees))}
      </section>
      ${this.engines(records)}
      <section class="panel stack" aria-label="Recipes">
        <h2>What differs in the recipes</h2>
        ${this.fields(comparison)}
      </section>
      <section class="panel stack" aria-label="Training curves">
        <h2>Training</h2>
        ${this.chart(pair)}
      </section>
      <section class="panel stack" aria-label="Mistakes">
        <h2>Mistakes</h2>
        <p class="small soft">Press a cell to see only the disagreements in it.</p>
        <div class="two">${records.map((record, side) => this.confusion(record, side))}</div>
      </section>
      <section class="panel stack" aria-label="Disagreements">
        <h2>Images on which they disagree</h2>
        ${paired
          ? html`<assay-disagreements .records=${records} .rows=${paired.disagreements} .only=${this.cell} @clear=${() => (this.cell = null)}></assay-disagreements>`
          : html`<p class="soft">At least one of the runs has no answers on test images, so they cannot be compared row by row. Choose two complete runs.</p>`}
      </section>
    `;
  }

  /**
   * @param {RunRecord} record
   * @param {number} side
   */
  card(record, side) {
    const digest = this.state.route.digests[side] ?? "";
    const added = this.state.annotations[digest] ?? {};
    const summary = app.log.summaries.get(digest);
    const { results } = record;
    const share = results.accuracy ? results.accuracy.correct / results.accuracy.total : null;
    return html`<section class="panel run-card" data-side=${side} aria-label=${`Run ${LETTERS[side]}`}>
      <p class="row"><span class="letter" data-side=${side}>${LETTERS[side]}</span> <a href=${`#/runs/${digest}`}>${added.name || (summary ? titleOf(summary) : "run")}</a></p>
      <p class="small soft">${when(record.started)} · ${record.status} · ${engineName(record.environment.engine)}${this.state.baseline === digest ? " · baseline" : ""}</p>
      ${added.note ? html`<p class="small">${added.note}</p>` : ""}
      <p class="large">${unlessStruck(percent(share), results.agreement?.agrees)} <span class="soft small">test accuracy</span></p>
    </section>`;
  }

  /**
   * A run whose figures do not count.
   * @param {RunRecord} record
   * @param {number} side
   */
  doubt(record, side) {
    if (!disagrees(record)) return "";
    const { reason = "" } = record.results.agreement ?? {};
    return html`<p class="panel" role="alert" data-tone="bad">${icon("altered")} The GPU of ${LETTERS[side]} disagrees with the CPU: the figures of ${LETTERS[side]} do not count, and nothing measured is judged. ${sentence(reason)}</p>`;
  }

  /**
   * What each ran on, where it is not the CPU alone.
   * @param {RunRecord[]} records
   */
  engines(records) {
    if (!records.some(({ results }) => results.execution)) return "";
    return html`<section class="panel stack" aria-label="Engines">
      <h2>Engines</h2>
      <table class="compare-engines">
        <thead>
          <tr>
            <th scope="col">Run</th>
            <th scope="col">Ran on</th>
            <th scope="col">GPU answers sooner</th>
          </tr>
        </thead>
        <tbody>
          ${records.map((record, side) => {
            const { execution, breakdown } = record.results;
            const parts = partWords(record);
            return html`<tr>
              <th scope="row"><span class="letter" data-side=${side}>${LETTERS[side]}</span></th>
              <td>${engineName(record.environment.engine)}${execution?.gpu && record.environment.engine !== "cpu" ? `, ${execution.gpu.adapter}` : ""}${parts.length > 0 ? html` <span class="soft small">${parts.join("; ")}</span>` : ""}</td>
              <td>${breakdown ? crossoverWords(breakdown) : html`<span class="soft">not measured</span>`}</td>
            </tr>`;
          })}
        </tbody>
      </table>
    </section>`;
  }

  /**
   * @param {Comparison} comparison
   * @param {boolean[]} doubts Whether the figures of each do not count.
   */
  metrics({ metrics }, doubts) {

    return html`<div class="scroll" tabindex="0" role="group" aria-label="Table of figures">
      <table class="compare-metrics">
        <thead>
          <tr>
            <th scope="col">Figure</th>
            ${LETTERS.map((letter, side) => html`<th scope="col" class="number"><span class="letter" data-side=${side}>${letter}</span></th>`)}
            <th scope="col" class="number">Difference</th>
          </tr>
        </thead>
        <tbody>
          ${metrics.map(
            ({ name, label, unit, a, b, delta, verdict, reason }) => html`<tr>
              <th scope="row">${label || name}</th>
              ${[a, b].map((value, side) => html`<td class="number">${unlessStruck(figure(value, unit), !(doubts[side] && name === "accuracy"))}</td>`)}
              <td class="number">${a === null || b === null || delta === null ? NONE : verdict ? verdictSign(difference(a, b, unit), { verdict, reason }) : difference(a, b, unit)}</td>
            </tr>
            <tr class="small">
              <td class="why" colspan="4">${verdict ? html`<strong>${verdict}:</strong> ` : ""}${reason}</td>
            </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
  }

  /** @param {Comparison} comparison */
  fields({ fields }) {
    if (fields.length === 0) return html`<p>Nothing: both ran the same recipe.</p>`;
    const labels = new Map(app.drafts.fields.map(({ path, label, unit }) => [path, unit ? `${label}, ${unit}` : label]));
    return html`<div class="scroll" tabindex="0" role="group" aria-label="Table of differing fields">
      <table class="recipe-fields">
        <thead>
          <tr>
            <th scope="col">Field</th>
            ${LETTERS.map((letter, side) => html`<th scope="col"><span class="letter" data-side=${side}>${letter}</span></th>`)}
          </tr>
        </thead>
        <tbody>
          ${fields.map(
            ({ path, a, b }) => html`<tr>
              <th scope="row">${labels.get(path) ?? path} <span class="soft small">${path}</span></th>
              <td>${a || NONE}</td>
              <td>${b || NONE}</td>
            </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
  }

  /** @param {Pair} pair */
  chart({ records }) {
    if (this.width === 0) return "";
    const width = Math.min(960, Math.max(280, this.width - 34));
    const key = `${this.asked} ${width} ${this.state.theme}`;
    if (this.curves?.key !== key) {
      try {
        const runs = records.map(({ results }, side) => ({ label: LETTERS[side] ?? "", curve: results.training?.curve ?? [] }));
        this.curves = { key, chart: app.wasm.chartCurves(runs, this.state.theme, width, width < STACKED_WIDTH ? 420 : 300) };
      } catch (error) {
        return html`<p class="soft">${errorFrom(error).message}</p>`;
      }
    }
    return html`<assay-chart .chart=${this.curves.chart} label="Training curves of A and B" name="assay-compare-curves"></assay-chart>`;
  }

  /**
   * @param {RunRecord} record
   * @param {number} side
   */
  confusion({ results }, side) {
    const letter = LETTERS[side];
    if (!results.confusion) return html`<p class="soft">${letter} has no confusion matrix: it did not reach the test images.</p>`;
    return html`<assay-confusion
      .classes=${results.confusion.classes}
      .counts=${results.confusion.counts}
      .label=${`Run ${letter}`}
      .chosen=${this.cell?.side === side ? this.cell.cell : null}
      @cell=${(/** @type {CustomEvent<Cell|null>} */ { detail }) => (this.cell = detail && { side, cell: detail })}
    ></assay-confusion>`;
  }
}

/** @param {RunRecord} record */
function disagrees({ results }) {
  return results.agreement?.agrees === false;
}

/**
 * @param {number|null} value
 * @param {string} unit as the comparison names it
 */
function figure(value, unit) {
  if (value === null) return NONE;
  switch (unit) {
    case "%": return percent(value / 100);
    case "ms": return millis(value);
    case "B": return bytes(value);
    case "": return Number.isInteger(value) ? count(value) : significant(value, 4);
    default: return `${significant(value, 4)}\u00a0${unit}`;
  }
}

/**
 * @param {number} a
 * @param {number} b
 * @param {string} unit
 */
function difference(a, b, unit) {
  return unit === "%" ? points((b - a) / 100) : relative(b, a);
}

customElements.define("assay-compare-view", AssayCompareView);
