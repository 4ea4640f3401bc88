// @ts-check
/** @file The Variants view: one trained model under many schemes, as a table and a Pareto plot that fill as records come; all of it is read from the log. */

import { html } from "lit";
import { app } from "../app.js";
import { bytes, millis, percent, plusMinus, points, relative } from "../figures.js";
import { icon } from "../icons.js";
import { Deltas } from "../run_table/deltas.js";
import { verdictSign } from "../run_table/cells.js";
import { titleOf } from "../run_table/rows.js";
import { variantName } from "../quantization_words.js";
import { quantizationKey, quantizationKeyOf, variantsOf } from "../variants.js";
import { AssayElement } from "../elements/assay_element.js";
import "../elements/assay_pareto.js";
import "../elements/assay_search.js";

/** @import { StateKey } from "../store.js" */
/** @import { RunSummary } from "../types.js" */
/** @import { Quantization } from "../variants.js" */

/** One scheme that can be pressed. @typedef {{ scheme: string, quantization: Quantization, key: string }} Offer */

/** The trained model as it is. */
const EXACT = quantizationKeyOf({ scheme: "f32" });

/** @type {Deltas|undefined} */
let deltas;

export class AssayVariantsView extends AssayElement {
  /** @type {StateKey[]} */
  static follows = ["route", "runs", "runsLoaded", "variants", "run", "sweep", "lab"];

  static properties = { left: { state: true } };

  constructor() {
    super();
    /** Schemes that were unticked. @type {ReadonlySet<string>} */
    this.left = new Set();
    deltas ??= new Deltas({ compare: app.wasm.compare, recordText: (digest) => app.log.recordText(digest) });
    this.deltas = deltas;
    this.compared = () => this.requestUpdate();
    /** @type {{ digest: string, offers: Offer[] }} */
    this.offered = { digest: "", offers: [] };
  }

  connectedCallback() {
    super.connectedCallback();
    this.deltas.addEventListener("change", this.compared);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.deltas.removeEventListener("change", this.compared);
  }

  willUpdate() {
    const [digest = ""] = this.state.route.digests;
    if (this.state.runsLoaded && digest !== this.offered.digest) void this.offer(digest);
  }

  /** Verdicts are worked out on the full records, a few at a time. */
  updated() {
    const base = app.log.summaries.get(this.state.route.digests[0] ?? "");
    const rows = variantsOf(app.log.summaries.values(), base?.weightsDigest);
    const exact = rows.find((row) => quantizationKey(row) === EXACT);
    if (exact) void this.deltas.want(exact.digest, rows.map(({ digest }) => digest));
  }

  /** What each scheme would put into the recipe, as the form would. @param {string} digest */
  async offer(digest) {
    this.offered = { digest, offers: [] };
    const text = await app.log.recordText(digest);
    if (!text || digest !== this.offered.digest) return;
    const recipe = JSON.stringify({ ...app.wasm.readRecord(text).record.recipe, quantization: { scheme: "f32" } });
    const field = app.drafts.fields.find(({ path }) => path === "quantization.scheme");
    const offers = (field?.kind.options ?? []).map((scheme) => {
      const changed = scheme === "f32" ? recipe : app.wasm.changeRecipe(recipe, "quantization.scheme", scheme);
      const { quantization } = JSON.parse(changed);
      return { scheme, quantization, key: quantizationKeyOf(quantization) };
    });
    this.offered = { digest, offers };
    this.requestUpdate();
  }

  render() {
    const [digest = ""] = this.state.route.digests;
    const base = app.log.summaries.get(digest);
    if (this.state.runsLoaded && !base) return this.lost();
    if (!base) return html`<p class="soft">Reading the log …</p>`;
    const rows = variantsOf(app.log.summaries.values(), base.weightsDigest);
    const exact = rows.find((row) => quantizationKey(row) === EXACT);
    return html`<div class="variants-view stack">
      <div class="row spread">
        <h1>Variants</h1>
        <a href=${`#/runs/${digest}`}>${titleOf({ ...base, scheme: "" })}</a>
      </div>
      <p class="soft">One trained model, stored in many ways. Nothing is trained again. Each variant becomes a run of its own; open it to copy its link.</p>
      ${base.status === "complete" && base.weightsDigest ? this.choice(digest, rows) : html`<p data-tone="warn">This run did not come to its end, so its model cannot be stored in other ways. Run its recipe again to the end.</p>`}
      <section class="panel variants-body" aria-label="Variants">
        <div class="scroll" tabindex="0" role="group" aria-label="Table of variants">${this.table(rows, exact, digest)}</div>
        ${rows.length > 1 ? html`<assay-pareto name="assay-variants" label="Accuracy against cost, every variant" .points=${rows.map((row) => ({ ...row, label: variantName(row), pinned: row === exact }))}></assay-pareto>` : ""}
      </section>
      ${base.status === "complete" && base.weightsDigest ? html`<assay-search .digest=${digest}></assay-search>` : ""}
    </div>`;
  }

  lost() {
    return html`<div class="variants-view stack">
      <h1>Variants</h1>
      <div class="empty">
        <p>One trained model under many schemes: what each costs in accuracy, gains in bytes and time, and whether that can be told.</p>
        <button type="button" class="primary" @click=${() => app.router.go("runs")}>Choose a run</button>
      </div>
    </div>`;
  }

  /**
   * @param {string} digest
   * @param {RunSummary[]} rows
   */
  choice(digest, rows) {
    const { variants } = this.state;
    const mine = variants?.digest === digest && variants.kind === "variants" ? variants : null;
    const known = new Set(rows.map(quantizationKey));
    const { offers } = this.offered;
    const missing = offers.filter(({ key, scheme }) => !known.has(key) && (scheme === "f32" || !this.left.has(scheme)));
    const tickable = offers.filter(({ key, scheme }) => !known.has(key) && scheme !== "f32").map(({ scheme }) => scheme);
    const none = offers.every(({ key }) => known.has(key)) ? `All ${offers.length} are recorded` : "None is ticked";
    const words = missing.length === 0 ? none : missing.length === 1 ? "Record 1 variant" : `Record ${missing.length} variants`;
    return html`<section class="panel stack tight" aria-labelledby="schemes-heading">
      <div class="row spread">
        <h2 id="schemes-heading">Schemes</h2>
        ${mine ? "" : html`<span class="row">${tickable.length > 0 ? html`<button type="button" class="quiet" @click=${() => (this.left = new Set())}>All</button> <button type="button" class="quiet" @click=${() => (this.left = new Set(tickable))}>None</button>` : ""}</span>`}
        ${this.action(mine, missing, words, variants !== null, digest)}
      </div>
      ${mine
        ? html`<progress max="1" .value=${(mine.index + 0.5 * Math.min(1, mine.fraction)) / mine.count} aria-label="Variants"></progress>
            <p class="small soft" role="status">${mine.index + 1} of ${mine.count}: ${mine.stage}</p>`
        : html`<ul class="scheme-list" ?hidden=${offers.every(({ key }) => known.has(key))}>
            ${offers.filter(({ key }) => !known.has(key)).map(
              ({ scheme }) => html`<li><label class="check"><input type="checkbox" name="scheme" value=${scheme} .checked=${scheme === "f32" || !this.left.has(scheme)} ?disabled=${scheme === "f32"} @change=${() => this.tick(scheme)} /> ${scheme}${scheme === "f32" ? html` <span class="soft small" title="The others are judged against it">always</span>` : ""}</label></li>`,
            )}
          </ul>`}
    </section>`;
  }

  /**
   * One button for both ways, so that the keyboard's focus stays on it.
   * @param {import("../store.js").VariantsState|null} mine
   * @param {Offer[]} missing
   * @param {string} words
   * @param {boolean} busy
   * @param {string} digest
   */
  action(mine, missing, words, busy, digest) {
    const disabled = mine ? mine.stopping : missing.length === 0 || busy;
    const act = () => (mine ? app.variants.stop() : void app.variants.start(digest, missing.map(({ quantization }) => quantization)));
    return html`<button type="button" class=${mine ? "" : "primary"} aria-disabled=${disabled} title=${mine ? "Keeps every variant that was recorded" : ""} @click=${() => disabled || act()}>
      ${icon(mine ? "stopped" : "play")} ${mine ? (mine.stopping ? "Stopping …" : "Stop") : words}
    </button>`;
  }

  /** @param {string} scheme */
  tick(scheme) {
    const left = new Set(this.left);
    if (!left.delete(scheme)) left.add(scheme);
    this.left = left;
  }

  /**
   * @param {RunSummary[]} rows
   * @param {RunSummary|undefined} exact
   * @param {string} opened
   */
  table(rows, exact, opened) {
    return html`<table class="variants-table">
      <thead>
        <tr>
          <th scope="col">Scheme</th>
          <th scope="col" class="number">Accuracy</th>
          <th scope="col">Against f32</th>
          <th scope="col" class="number">p50</th>
          <th scope="col" class="number">Size</th>
          <th scope="col"><span class="visually-hidden">More</span></th>
        </tr>
      </thead>
      <tbody>
        ${rows.map((row) => html`<tr aria-current=${row.digest === opened ? "true" : "false"}>
          <th scope="row"><a href=${`#/runs/${row.digest}`}>${variantName(row)}</a></th>
          <td class="number" title=${`${row.correct} of ${row.total} right; ${percent(row.accuracyLow)} to ${percent(row.accuracyHigh)}`}>${percent(row.accuracy)} <span class="soft">${plusMinus(row.accuracyLow, row.accuracyHigh)}</span></td>
          <td>${this.verdict(row, exact)}</td>
          <td class="number">${millis(row.p50Millis)}</td>
          <td class="number">${bytes(row.weightBytes)} ${exact && row !== exact && row.weightBytes != null && exact.weightBytes ? html`<span class="soft small">${relative(row.weightBytes, exact.weightBytes)}</span>` : ""}</td>
          <td><a href=${`#/microscope/${row.digest}`} aria-label=${`Microscope: ${variantName(row)}`}>Microscope</a></td>
        </tr>`)}
      </tbody>
    </table>`;
  }

  /**
   * @param {RunSummary} row
   * @param {RunSummary|undefined} exact
   */
  verdict(row, exact) {
    if (!exact || row === exact || row.accuracy == null || exact.accuracy == null) return html`<span class="soft">${row === exact ? "–" : "record f32 first"}</span>`;
    const delta = this.deltas.get(exact.digest, row.digest);
    return verdictSign(points(row.accuracy - exact.accuracy), delta && (delta.accuracy ?? { verdict: "can't tell", reason: "the two records do not have what a comparison needs" }));
  }
}

customElements.define("assay-variants-view", AssayVariantsView);
