// @ts-check
/** @file Trying a trained model: a test image, the images behind a cell of the confusion matrix, or a drawn digit, and the scores at once. */

import { html } from "lit";
import { announce } from "../announcer.js";
import { app } from "../app.js";
import { percent } from "../figures.js";
import { anewWords, sentence } from "../gpu_words.js";
import { errorFrom } from "../page_wasm.js";
import { modelKey } from "../runs.js";
import { weightsToStore } from "../stored_weights.js";
import { quantizationKeyOf } from "../variants.js";
import { AssayElement } from "../elements/assay_element.js";
import "../elements/assay_confusion.js";
import "../elements/assay_drawing_pad.js";
import "../elements/assay_image_grid.js";
import "../elements/assay_scores.js";

/** @import { Cell } from "../elements/assay_confusion.js" */
/** @import { Item } from "../elements/assay_image_grid.js" */
/** @import { RunRecord, Scores } from "../types.js" */
/** @import { StateKey } from "../store.js" */

/** A drawing is read out once the pen rests. */
const REST_MILLIS = 700;

export class AssayPlayPanel extends AssayElement {
  /** @type {StateKey[]} */
  static follows = ["run", "shown"];

  static properties = {
    digest: { type: String },
    record: { state: true },
    mode: { state: true },
    cell: { state: true },
    only: { state: true },
    row: { state: true },
    scores: { state: true },
    problem: { state: true },
    note: { state: true },
  };

  constructor() {
    super();
    /** Of the record whose model is tried; empty follows the run that the experiment view shows. */
    this.digest = "";
    /** @type {RunRecord|null} */
    this.record = null;
    /** Digest of `record`. */
    this.of = "";
    /** @type {"images"|"draw"} */
    this.mode = "images";
    /** @type {Cell|null} */
    this.cell = null;
    /** Which images: `all`, `wrong`, or the index of a class as text. */
    this.only = "all";
    /** Row of the set that is picked. @type {number|null} */
    this.row = null;
    /** @type {Scores|null} */
    this.scores = null;
    this.problem = "";
    /** Where it is not the very model that was measured. */
    this.note = "";
    this.asked = 0;
    /** What the lab was asked for last while it was busy. @type {(() => Promise<void>)|null} */
    this.next = null;
    this.busy = false;
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    this.resting = undefined;
  }

  willUpdate() {
    const { shown } = this.state;
    const of = this.digest || (shown?.digest ?? "");
    if (of === this.of) return;
    this.of = of;
    Object.assign(this, { record: null, cell: null, only: "all", row: null, scores: null, problem: "", note: "" });
    if (shown && of === shown.digest) this.record = shown.record;
    else if (of) void this.load(of);
  }

  /** @param {string} of */
  async load(of) {
    const text = await app.log.recordText(of);
    if (of !== this.of || text === null) return;
    try {
      this.record = app.wasm.readRecord(text).record;
    } catch (error) {
      this.problem = errorFrom(error).message;
    }
  }

  render() {
    const { record } = this;
    if (this.problem && !record) return html`<p role="alert" data-tone="bad">${this.problem}</p>`;
    if (!record?.predictions || !record.results.confusion) {
      return html`<div class="empty"><p>After a run you can try its model here: pick a test image, see the images behind each mistake, or draw a digit and watch the scores.</p></div>`;
    }
    const { classes, counts } = record.results.confusion;
    // The pad draws as the digits were written; other sets have nothing of that form.
    const drawable = record.recipe.data.set === "digits";
    if (!drawable && this.mode === "draw") this.mode = "images";
    const truth = this.mode === "images" && this.row !== null ? this.labelOf(record, this.row) : null;
    return html`<div class="play stack">
      <div class="row" role="group" aria-label="What to show the model">
        <button type="button" aria-pressed=${this.mode === "images"} @click=${() => this.setMode("images")}>Test images</button>
        ${drawable ? html`<button type="button" aria-pressed=${this.mode === "draw"} @click=${() => this.setMode("draw")}>Draw a digit</button>` : ""}
      </div>
      <div class="play-body">
        ${this.mode === "images" ? this.images(record, classes, counts) : this.pad(record)}
        <div class="stack play-scores">
          <div class="row">
            ${this.mode === "images" && this.row !== null
              ? html`<assay-image-grid class="play-picked" .recipe=${record.recipe} .items=${[{ row: this.row, name: this.heading(record, classes) }]} label="The image picked"></assay-image-grid>`
              : ""}
            <h3>${this.heading(record, classes)}</h3>
          </div>
          <assay-scores .scores=${this.scores} .classes=${classes} .truth=${truth}></assay-scores>
          ${this.note ? html`<p class="small" data-tone="warn">${this.note}</p>` : ""}
          ${this.problem ? html`<p role="alert" data-tone="bad">${this.problem}</p>` : ""}
        </div>
      </div>
    </div>`;
  }

  /**
   * @param {RunRecord} record
   * @param {string[]} classes
   * @param {number[]} counts
   */
  images(record, classes, counts) {
    const items = this.items(record, classes);
    const what = this.cell
      ? `true ${classes[this.cell.truth]}, answered ${classes[this.cell.answer]}`
      : this.only === "all" ? "all test images" : this.only === "wrong" ? "wrong answers" : `true ${classes[Number(this.only)]}`;
    return html`<assay-confusion
        class="play-pick"
        .classes=${classes}
        .counts=${counts}
        .chosen=${this.cell}
        label="Press a cell to see its images"
        @cell=${(/** @type {CustomEvent<Cell|null>} */ { detail }) => this.choose(detail, "all")}
      ></assay-confusion>
      <div class="stack play-rest">
        <div class="row">
          <label class="row">Show
            <select .value=${this.cell ? "cell" : this.only} @change=${(/** @type {Event} */ event) => this.choose(null, /** @type {HTMLSelectElement} */ (event.target).value)}>
              ${this.cell ? html`<option value="cell" selected>${what}</option>` : ""}
              <option value="all" ?selected=${!this.cell && this.only === "all"}>all test images</option>
              <option value="wrong" ?selected=${!this.cell && this.only === "wrong"}>wrong answers</option>
              ${classes.map((name, index) => html`<option value=${String(index)} ?selected=${!this.cell && this.only === String(index)}>true ${name}</option>`)}
            </select>
          </label>
          <span class="soft" role="status">${items.length} ${items.length === 1 ? "image" : "images"}</span>
        </div>
        ${items.length === 0
          ? html`<p class="soft">There is no such image: the model made no mistake of this kind.</p>`
          : html`<assay-image-grid
              .recipe=${record.recipe}
              .items=${items}
              .label=${`Test images: ${what}`}
              .size=${48}
              .picked=${this.row}
              pickable
              @pick=${(/** @type {CustomEvent<number>} */ { detail }) => this.pick(record, classes, detail)}
            ></assay-image-grid>`}
      </div>`;
  }

  /** @param {RunRecord} record */
  pad(record) {
    return html`<assay-drawing-pad class="play-pick" @picture=${(/** @type {CustomEvent<number[]|null>} */ { detail }) => this.draw(record, detail)}></assay-drawing-pad>
      <p class="small soft play-rest">
        Your drawing is treated like the images of the set: scaled to the full height, centred, and averaged over blocks, so that each of the 8 × 8 pixels is the share
        of its area that is inked.
      </p>`;
  }

  /**
   * @param {RunRecord} record
   * @param {string[]} classes
   */
  heading(record, classes) {
    if (this.mode === "draw") return this.scores ? `The drawing: ${classes[this.scores.predicted]}` : "Draw something";
    if (this.row === null) return "Pick an image";
    const truth = this.labelOf(record, this.row);
    return `Row ${this.row}, ${truth === null ? "" : `a ${classes[truth]}`}`;
  }

  /**
   * @param {RunRecord} record
   * @param {string[]} classes
   * @returns {Item[]}
   */
  items(record, classes) {
    const { rows, labels, predicted } = /** @type {NonNullable<RunRecord["predictions"]>} */ (record.predictions);
    /** @type {Item[]} */
    const items = [];
    rows.forEach((row, index) => {
      const truth = labels[index] ?? 0;
      const answer = predicted[index] ?? 0;
      const wanted = this.cell
        ? truth === this.cell.truth && answer === this.cell.answer
        : this.only === "all" || (this.only === "wrong" ? truth !== answer : truth === Number(this.only));
      if (wanted) items.push({ row, name: `row ${row}, a ${classes[truth]}${truth === answer ? "" : `, answered ${classes[answer]}`}` });
    });
    return items;
  }

  /**
   * @param {RunRecord} record
   * @param {number} row
   */
  labelOf({ predictions }, row) {
    const index = predictions?.rows.indexOf(row) ?? -1;
    return index < 0 ? null : (predictions?.labels[index] ?? null);
  }

  /** @param {"images"|"draw"} mode */
  setMode(mode) {
    this.mode = mode;
    this.row = null;
    this.scores = null;
    this.problem = "";
  }

  /**
   * @param {Cell|null} cell
   * @param {string} only
   */
  choose(cell, only) {
    this.cell = cell;
    this.only = only;
  }

  /**
   * @param {RunRecord} record
   * @param {string[]} classes
   * @param {number} row
   */
  pick(record, classes, row) {
    this.row = row;
    this.ask(async () => {
      const scores = await this.predict(record, { row });
      if (this.row !== row) return;
      this.scores = scores;
      const truth = this.labelOf(record, row);
      announce(`${this.words(scores, classes)}, ${truth === scores.predicted ? "right" : `wrong: it is a ${classes[truth ?? 0]}`}.`, true);
    });
  }

  /**
   * @param {RunRecord} record
   * @param {number[]|null} image
   */
  draw(record, image) {
    clearTimeout(this.resting);
    if (!image) {
      this.asked += 1;
      this.next = null;
      this.scores = null;
      return;
    }
    const asked = ++this.asked;
    this.ask(async () => {
      const scores = await this.predict(record, { image });
      if (asked < this.asked && this.next) return;
      if (this.mode !== "draw") return;
      this.scores = scores;
      clearTimeout(this.resting);
      this.resting = setTimeout(() => announce(`${this.words(scores, record.results.confusion.classes)}.`, true), REST_MILLIS);
    });
  }

  /**
   * @param {Scores} scores
   * @param {string[]} classes
   */
  words(scores, classes) {
    return `The model says ${classes[scores.predicted]}, ${percent(scores.probabilities[scores.predicted])}`;
  }

  /** One question at a time; of those that come meanwhile only the last is asked. @param {() => Promise<void>} question */
  async ask(question) {
    if (this.busy) {
      this.next = question;
      return;
    }
    this.busy = true;
    for (let now = /** @type {(() => Promise<void>)|null} */ (question); now; ) {
      this.next = null;
      try {
        await now();
        this.problem = "";
      } catch (error) {
        this.scores = null;
        this.problem = errorFrom(error).message;
      }
      now = this.next;
    }
    this.busy = false;
  }

  /**
   * @param {RunRecord} record
   * @param {{ row: number }|{ image: number[] }} what
   * @returns {Promise<Scores>}
   */
  async predict(record, what) {
    const { digests, recipe } = record;
    const key = (/** @type {string|undefined} */ fineTuned) => modelKey(digests.weights, quantizationKeyOf(recipe.quantization ?? {}), fineTuned);
    const [own, anew] = [key(digests.fine_tuned), key("anew")];
    if (app.runs.loadedModel !== own && app.runs.loadedModel !== anew) {
      if (this.state.run?.status === "running") throw new Error("The lab is busy with a run. Wait for it to end, then try again.");
      const weights = await weightsToStore(app.log, record, true);
      if (!weights) throw new Error("The weights of this run are not stored in this browser. Run its recipe again, and try the model of that run.");
      await app.lab.command({ type: "load", recipe, ...weights.fields }, { bytes: weights.bytes }).done;
      app.runs.loadedModel = weights.isAnew ? anew : own;
    }
    this.note = sentence(anewWords(record, app.runs.loadedModel === anew));
    return app.lab.command({ type: "predict", ...what }).done;
  }
}

customElements.define("assay-play-panel", AssayPlayPanel);
