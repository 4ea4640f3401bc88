// @ts-check
/** @file The Microscope: what storing did to one model, layer by layer, answer by answer and class by class, with layers that can be set back to f32. The lab computes; nothing is recorded until it is asked for. */

import { html } from "lit";
import { app } from "../app.js";
import { damageFrom } from "../damage.js";
import { bytes, count, percent, plusMinus, points, relative, significant } from "../figures.js";
import { anewWords } from "../gpu_words.js";
import { icon } from "../icons.js";
import { errorFrom } from "../page_wasm.js";
import { exportStored } from "../run_actions.js";
import { factList } from "../run_table/facts.js";
import { verdictSign } from "../run_table/cells.js";
import { titleOf } from "../run_table/rows.js";
import { storedAgain } from "../storing.js";
import { weightsToStore } from "../stored_weights.js";
import { quantizationKeyOf } from "../variants.js";
import { AssayElement } from "../elements/assay_element.js";
import "../elements/assay_damaged_classes.js";
import "../elements/assay_damaged_layers.js";
import "../elements/assay_flips.js";

/** @import { Damage } from "../damage.js" */
/** @import { StateKey } from "../store.js" */
/** @import { Cost, RunRecord } from "../types.js" */
/** @import { Quantization } from "../variants.js" */

/** @typedef {{ correct: number, total: number, low: number, high: number }} Share */

/**
 * What is shown.
 * @typedef {Object} Looked
 * @property {Damage|null} damage Null for the exact model.
 * @property {Share|null} exact Null where it was not computed here.
 * @property {Share|null} accuracy
 * @property {number|null} weightBytes
 * @property {Cost|null} cost
 * @property {string} [note] What a person should know of it, as a clause.
 */

export class AssayMicroscopeView extends AssayElement {
  /** @type {StateKey[]} */
  static follows = ["route", "runsLoaded", "runs", "lab", "variants"];

  static properties = { record: { state: true }, quantization: { state: true }, looked: { state: true }, looking: { state: true }, problem: { state: true } };

  constructor() {
    super();
    /** @type {RunRecord|null} */
    this.record = null;
    /** What is looked at; begins as the record's. @type {Quantization} */
    this.quantization = {};
    /** @type {Looked|null} */
    this.looked = null;
    this.looking = false;
    this.problem = "";
    this.asked = "";
    /** The newest question to the lab: older answers are dropped. */
    this.turn = 0;
    /** Whether focus was in what is read anew. */
    this.refocus = false;
  }

  willUpdate() {
    const { view, digests } = this.state.route;
    const [digest = ""] = digests;
    if (view !== "microscope" || !this.state.runsLoaded || digest === this.asked) return;
    this.asked = digest;
    void this.load(digest);
  }

  /** A choice that was refused is taken back; focus whose place is gone goes to the scheme. */
  updated() {
    const select = /** @type {HTMLSelectElement|null} */ (this.querySelector("select[name=scheme]"));
    if (!select) return;
    select.value = this.quantization.scheme ?? "f32";
    if (!this.refocus) return;
    this.refocus = false;
    if (document.activeElement === document.body) select.focus();
  }

  /** @param {string} digest */
  async load(digest) {
    Object.assign(this, { record: null, looked: null, problem: "", looking: false });
    this.turn += 1;
    this.refocus = this.contains(document.activeElement);
    const text = digest && (await app.log.recordText(digest));
    if (digest !== this.asked || !text) return;
    try {
      const { record } = app.wasm.readRecord(text);
      this.record = record;
      this.quantization = record.recipe.quantization ?? { scheme: "f32" };
      const { accuracy = null, cost = null } = record.results;
      this.looked = { damage: damageFrom(record.results.damage), exact: null, accuracy, weightBytes: cost?.weight_bytes ?? null, cost };
    } catch (error) {
      this.problem = errorFrom(error).message;
    }
  }

  /** Whether the model was changed before it was stored. */
  get isMadeOf() {
    const { pruning = "off", equalization = "off", bias_correction: correction = "off", fine_tune_epochs: epochs = 0 } = this.quantization;
    return [pruning, equalization, correction].some((it) => it !== "off") || epochs > 0;
  }

  /** Whether something else is looked at than what was recorded. */
  get isChanged() {
    return this.record !== null && quantizationKeyOf(this.quantization) !== quantizationKeyOf(this.record.recipe.quantization ?? {});
  }

  /**
   * Asks the lab what another quantization would do.
   * @param {Quantization} quantization
   */
  async look(quantization) {
    const { record } = this;
    if (!record) return;
    this.problem = app.variants.whyNot();
    if (this.problem) return this.requestUpdate();
    const before = this.quantization;
    this.quantization = quantization;
    this.turn += 1;
    const { turn } = this;
    this.looking = true;
    this.problem = "";
    try {
      const weights = await weightsToStore(app.log, record, !this.isChanged);
      if (!weights) throw new Error("The weights of this run are not stored in this browser. Run its recipe again: the same recipe gives the same weights.");
      const recipe = { ...record.recipe, quantization };
      const answer = await storedAgain("for the Microscope", { type: "inspect", recipe, ...weights.fields }, weights.bytes);
      if (turn !== this.turn) return;
      this.looked = { ...answer, damage: damageFrom(answer.damage), note: anewWords(record, weights.isAnew) };
    } catch (error) {
      if (turn !== this.turn) return;
      const { kind, message } = errorFrom(error);
      // What is shown is still that of before.
      if (kind === "stopped") this.quantization = before;
      else this.problem = message;
    } finally {
      if (turn === this.turn) this.looking = false;
    }
  }

  /** @param {string} scheme Of all layers. */
  setScheme(scheme) {
    if (!this.record) return;
    const plain = JSON.stringify({ ...this.record.recipe, quantization: { scheme: "f32" } });
    const changed = scheme === "f32" ? plain : app.wasm.changeRecipe(plain, "quantization.scheme", scheme);
    void this.look(JSON.parse(changed).quantization);
  }

  /** @param {CustomEvent<{ layer: string, exact: boolean }>} event */
  onLayer({ detail: { layer, exact } }) {
    const { layers = {}, ...rest } = this.quantization;
    const { [layer]: _, ...others } = layers;
    const own = this.record?.recipe.quantization?.layers?.[layer];
    const next = exact ? { ...others, [layer]: "f32" } : own && own !== "f32" ? { ...others, [layer]: own } : others;
    void this.look(Object.keys(next).length > 0 ? { ...rest, layers: next } : rest);
  }

  render() {
    const [digest = ""] = this.state.route.digests;
    const { record, looked, problem } = this;
    if (!record) {
      return html`<div class="microscope-view stack">
        <h1>Microscope</h1>
        ${problem ? html`<p role="alert" data-tone="bad">${problem}</p>` : ""}
        ${this.state.runsLoaded && !app.log.summaries.has(digest)
          ? html`<div class="empty">
              <p>What a scheme did to a model: which layer is to blame, which answers changed, and what setting a layer back to f32 would win back.</p>
              <button type="button" class="primary" @click=${() => app.router.go("runs")}>Choose a run</button>
            </div>`
          : html`<p class="soft">Reading the record …</p>`}
      </div>`;
    }
    const summary = app.log.summaries.get(digest);
    return html`<div class="microscope-view stack" aria-busy=${this.looking}>
      <div class="row spread">
        <h1>Microscope</h1>
        <span class="row"><a href=${`#/runs/${digest}`}>${summary ? titleOf(summary) : "the run"}</a> <a href=${`#/variants/${digest}`}>Variants</a></span>
      </div>
      ${this.head(record, looked, digest)}
      ${problem ? html`<p role="alert" data-tone="bad">${problem}</p>` : ""}
      ${looked?.damage ? this.body(looked.damage, record, looked.cost) : this.nothing()}
    </div>`;
  }

  /**
   * @param {RunRecord} record
   * @param {Looked|null} looked
   * @param {string} digest
   */
  head(record, looked, digest) {
    const field = app.drafts.fields.find(({ path }) => path === "quantization.scheme");
    const { scheme = "f32", layers = {} } = this.quantization;
    const apart = Object.keys(layers).length;
    return html`<section class="panel stack tight" aria-label="What is looked at">
      <div class="row microscope-head">
        <label class="row">Scheme
          <select name="scheme" @change=${(/** @type {Event} */ event) => this.setScheme(/** @type {HTMLSelectElement} */ (event.target).value)}>
            ${(field?.kind.options ?? [scheme]).map((name) => html`<option value=${name} ?selected=${name === scheme} .selected=${name === scheme}>${name}</option>`)}
          </select>
        </label>
        <span class="soft small" role="status">${this.looking ? "Computing …" : apart > 0 ? `${apart} ${apart === 1 ? "layer" : "layers"} ${apart === 1 ? "with a scheme of its own" : "with schemes of their own"}` : this.isChanged ? "" : "as recorded"}</span>
        <span class="row microscope-tools">
          ${this.isChanged
            ? html`<button type="button" @click=${() => void this.load(digest)}>Back to the record</button>
                <button type="button" aria-disabled=${this.looking || this.state.variants !== null} @click=${() => this.looking || this.state.variants || void this.keep(digest)}>${icon("play")} Record this variant</button>`
            : ""}
          <button type="button" ?disabled=${this.looking} title="The stored weights; the file is read back and must give the same answers" @click=${() => this.save(record, "safetensors")}>Export safetensors</button>
          <button type="button" ?disabled=${this.looking} title="For ggml's types, f16 and f32" @click=${() => this.save(record, "gguf")}>Export GGUF</button>
        </span>
      </div>
      ${looked ? this.figures(looked) : ""}
      ${[...(looked?.note ? [looked.note] : []), ...(looked?.damage?.warnings ?? [])].map((warning) => html`<p class="small" data-tone="warn">${icon("altered")} ${sentence(warning)}</p>`)}
    </section>`;
  }

  /** @param {Looked} looked */
  figures({ damage, exact, accuracy, weightBytes, cost }) {
    const share = accuracy && accuracy.total > 0 ? accuracy.correct / accuracy.total : null;
    const lost = damage ? (damage.paired.onlySecond - damage.paired.onlyFirst) / Math.max(1, damage.paired.rows) : null;
    const before = exact && exact.total > 0 ? exact.correct / exact.total : share !== null && lost !== null ? share - lost : null;
    return factList([
      ["Accuracy", html`<strong>${percent(share)}</strong> <span class="soft">${plusMinus(accuracy?.low, accuracy?.high)}</span> ${damage && lost !== null ? html`· ${verdictSign(points(lost), damage.paired)}` : ""} ${before !== null && damage ? html`<span class="soft">against f32's ${percent(before)}</span>` : ""}`],
      ["Size", html`${bytes(weightBytes)} ${cost && weightBytes != null && weightBytes !== cost.f32_bytes ? html`<span class="soft">${relative(weightBytes, cost.f32_bytes)} against f32</span>` : ""}`],
      ...(damage ? [/** @type {[string, string]} */ (["McNemar's test", pairedWords(damage.paired)])] : []),
    ]);
  }

  /**
   * @param {Damage} damage
   * @param {RunRecord} record
   * @param {Cost|null} cost
   */
  body(damage, record, cost) {
    const classes = record.results.confusion?.classes ?? damage.classes.map((it) => it.class);
    return html`
      <section class="panel stack" aria-labelledby="damaged-layers">
        <h2 id="damaged-layers">Layers, the most damaged first</h2>
        <p class="small soft">SQNR is how far a layer's output stands above its error: more is better, about 6 dB for each bit. Turn on f32 to store a layer exactly and see accuracy and size again; nothing is trained or recorded.${this.isMadeOf ? " Layers are compared with the model as it was pruned, equalized or fine-tuned; answers, above and below, with the trained one." : ""}</p>
        <assay-damaged-layers .layers=${damage.layers} .cost=${cost} .own=${this.quantization.layers ?? {}} .scheme=${this.quantization.scheme ?? "f32"} .busy=${this.looking} @exact=${this.onLayer}></assay-damaged-layers>
      </section>
      <div class="two">
        <section class="panel stack" aria-labelledby="flips-heading">
          <h2 id="flips-heading">Answers that changed</h2>
          <assay-flips .flips=${damage.flips} .recipe=${record.recipe} .classes=${classes}></assay-flips>
        </section>
        <section class="panel stack" aria-labelledby="classes-heading">
          <h2 id="classes-heading">Classes, the most damaged first</h2>
          <assay-damaged-classes .classes=${damage.classes}></assay-damaged-classes>
        </section>
      </div>
    `;
  }

  nothing() {
    const exact = (this.quantization.scheme ?? "f32") === "f32" && !this.quantization.layers && !this.isMadeOf;
    return html`<div class="empty">
      <p>${exact ? "This is the exact model: nothing was rounded. Choose a scheme above to see what it would do to each layer, without training again." : "This record does not hold what its scheme did to the model."}</p>
      ${exact ? "" : html`<button type="button" class="primary" ?disabled=${this.looking} @click=${() => void this.look(this.quantization)}>Compute it</button>`}
    </div>`;
  }

  /** @param {string} digest */
  async keep(digest) {
    const [kept] = await app.variants.start(digest, [this.quantization]);
    if (kept) app.router.go("microscope", [kept]);
  }

  /**
   * @param {RunRecord} record
   * @param {"safetensors"|"gguf"} format
   */
  save(record, format) {
    return exportStored(record, format, this.isChanged ? { ...record.recipe, quantization: this.quantization } : undefined);
  }
}

/**
 * What the paired test says, in words.
 * @param {Damage["paired"]} paired
 */
function pairedWords({ rows, onlyFirst, onlySecond, pValue, verdict }) {
  if (onlyFirst + onlySecond === 0) return `Of ${count(rows)} images none is answered rightly by one side only: ${verdict}.`;
  const chance = pValue < 0.0001 ? "less than 0.0001" : significant(pValue, 2);
  return `${count(onlyFirst)} of ${count(rows)} images are right with f32 only, ${count(onlySecond)} with the stored model only. By chance alone the sides would differ so much with probability ${chance}: ${verdict === "can't tell" ? "one can't tell" : `the stored model is ${verdict}`}.`;
}

/** @param {string} text */
function sentence(text) {
  return text && `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/u.test(text) ? "" : "."}`;
}

customElements.define("assay-microscope-view", AssayMicroscopeView);
