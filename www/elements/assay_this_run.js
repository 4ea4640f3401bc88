// @ts-check
/** @file The figures of the run that is shown, against the pinned baseline: value, interval, difference and what can be said of it. */

import { html, nothing } from "lit";
import { app } from "../app.js";
import { bytes, count, millis, perSec, percent, plusMinus, points, relative, when } from "../figures.js";
import { engineAsked, engineName, whyNoBaseline } from "../gpu_words.js";
import { agreementSign, icon, statusSign } from "../icons.js";
import { isGoing } from "../live_run.js";
import { variantName } from "../quantization_words.js";
import { verdictSign } from "../run_table/cells.js";
import { agreementPart, executed, paidOnce, unlessStruck } from "../run_table/engine_facts.js";
import { factList, keptLayers } from "../run_table/facts.js";
import { saveFile } from "../save_file.js";
import { stageWords } from "../stage_words.js";
import { AssayElement } from "./assay_element.js";
import "./assay_boards.js";
import "./assay_copy_link.js";
import "./assay_digest.js";

/** @import { TemplateResult } from "lit" */
/** @import { Comparison, RunRecord, RunSummary } from "../types.js" */
/** @import { ShownRun, StateKey } from "../store.js" */

/** @typedef {TemplateResult|string} Part */

export class AssayThisRun extends AssayElement {
  static properties = { compared: { state: true } };

  /** @type {StateKey[]} */
  static follows = ["shown", "baseline", "runs", "annotations", "run"];

  constructor() {
    super();
    /** With the baseline; made when either changes. @type {{ key: string, comparison: Comparison|null }} */
    this.compared = { key: "", comparison: null };
  }

  render() {
    const { shown, baseline, run } = this.state;
    if (!shown) {
      return html`<section class="panel stack this-run" ?data-waiting=${isGoing(run)} aria-labelledby="this-run-heading">
        <h2 id="this-run-heading">This run</h2>
        <p class="soft">${isGoing(run) ? "The figures appear here when the run has ended." : "Accuracy, latency and size of a run appear here, each with its interval. Press Run to fill it."}</p>
      </section>`;
    }
    const { digest, record } = shown;
    const summary = app.log.summaries.get(digest);
    const base = baseline && baseline !== digest ? app.log.summaries.get(baseline) : undefined;
    return html`<section class="panel stack this-run" aria-labelledby="this-run-heading">
      <div class="row spread">
        <h2 id="this-run-heading">${run?.recordDigest === digest || (run && run.status === "interrupted") ? "This run" : "Run shown"}</h2>
        ${statusSign(shown.altered ? "altered" : record.status)}
      </div>
      <p class="small soft">
        ${this.state.annotations[digest]?.name || summary?.architecture} · ${summary ? variantName(summary) : ""} · <time datetime=${record.started}>${when(record.started)}</time>
        ${record.resumed_from ? html`· resumed` : ""}
      </p>
      ${this.engine(record)}
      ${summary ? this.table(summary, base) : ""}
      ${this.stages(record)}
      ${record.results.reading ? html`<assay-boards .record=${record} brief></assay-boards>` : ""}
      ${this.flags(summary)}
      ${keptLayers(record)}
      ${this.buttons(shown, summary)}
    </section>`;
  }

  /** On what it ran, where the CPU was not all that was asked for. @param {RunRecord} record */
  engine(record) {
    const { execution, agreement, breakdown } = record.results;
    if (!execution) return "";
    const { engine } = record.environment;
    return html`<details class="run-engine">
      <summary class="row">
        <span>Engine <strong>${engineName(engine)}</strong></span>
        ${agreement ? agreementSign(agreement.agrees) : html`<span class="soft small">${execution.reason}</span>`}
      </summary>
      ${factList([...executed(record), ...paidOnce(breakdown)])}
      ${agreementPart(agreement, record.predictions?.rows.length)}
    </details>`;
  }

  /**
   * @param {RunSummary} run
   * @param {RunSummary|undefined} base
   */
  table(run, base) {
    return html`<table class="metrics">
      <thead>
        <tr>
          <th scope="col">Metric</th>
          <th scope="col" class="number">Value</th>
          <th scope="col" class="number">${base ? html`<span title=${`Against ${base.architecture}, ${base.scheme}, ${when(base.started)}`}>against ${icon("starred")}<span class="visually-hidden">the baseline</span></span>` : html`<span class="visually-hidden">Against the baseline</span>`}</th>
        </tr>
      </thead>
      <tbody>
        ${this.accuracy(run, base)} ${this.latency(run, base)}
        ${row("throughput", run.throughputBatch ? `Rows per second at ${run.throughputBatch} rows per call` : "Rows per second", perSec(run.samplesPerSec), change(run.samplesPerSec, base?.samplesPerSec, false))}
        ${row("size", "Bytes of the stored weights", bytes(run.weightBytes), change(run.weightBytes, base?.weightBytes, true))}
        ${row("parameters", "Trainable numbers", count(run.parameters), change(run.parameters, base?.parameters, true))}
        ${row("MACs", "Multiply-accumulates for one row", count(run.macs), change(run.macs, base?.macs, true))}
        ${row("weights", "SHA-256 of the kept f32 weights; equal digests are equal bit for bit", html`<assay-digest digest=${run.weightsDigest ?? ""} label="weights"></assay-digest>`, same(run.weightsDigest, base?.weightsDigest))}
        ${row("answers", "SHA-256 of the answers on the test rows", html`<assay-digest digest=${run.predictionsDigest ?? ""} label="answers"></assay-digest>`, same(run.predictionsDigest, base?.predictionsDigest))}
      </tbody>
    </table>`;
  }

  /**
   * @param {RunSummary} run
   * @param {RunSummary|undefined} base
   */
  accuracy(run, base) {
    const { accuracy, accuracyLow: low, accuracyHigh: high, correct, total } = run;
    const title = accuracy == null ? "" : `${correct} of ${total} test rows right; interval ${percent(low)} to ${percent(high)}`;
    const value = unlessStruck(html`<span title=${title}>${percent(accuracy)} <span class="soft">${plusMinus(low, high)}</span></span>`, run.agrees);
    const difference = accuracy != null && base?.accuracy != null ? verdictSign(points(accuracy - base.accuracy), this.verdict(/accuracy/iu)) : "";
    return row("accuracy", "Share of right answers on the test rows, with the stored weights", value, difference);
  }

  /**
   * @param {RunSummary} run
   * @param {RunSummary|undefined} base
   */
  latency(run, base) {
    const { p50Millis: p50, p50LowMillis: low, p50HighMillis: high } = run;
    const value = html`<span title=${p50 == null ? "Not measured" : `Median; interval ${millis(low)} to ${millis(high)}`}>${millis(p50)}</span>`;
    const difference = p50 != null && base?.p50Millis != null ? verdictSign(relative(p50, base.p50Millis), this.verdict(/p50|latency/iu)) : "";
    return row("p50", "Median time of one row per call", value, difference);
  }

  /**
   * @param {RegExp} name Of a metric.
   * @returns {{ verdict: string, reason: string }|undefined} Undefined while it is being compared.
   */
  verdict(name) {
    if (this.compared.key !== this.key()) return undefined;
    const metric = this.compared.comparison?.metrics.find((each) => name.test(each.name));
    return metric?.verdict ? metric : { verdict: "can't tell", reason: "the two records do not have what a comparison needs" };
  }

  /** What each of two stages did. @param {RunRecord} record */
  stages({ results }) {
    const words = stageWords(results);
    return words ? html`<p class="small run-stages">${words}</p>` : "";
  }

  /** @param {RunSummary|undefined} summary */
  flags(summary) {
    if (!summary?.flags.length) return "";
    return html`<p class="small" data-tone="warn">${icon("altered")} Doubtful: ${summary.flags.join("; ")}.</p>`;
  }

  /**
   * @param {ShownRun} shown
   * @param {RunSummary|undefined} summary
   */
  buttons({ digest, record }, summary) {
    const isBase = this.state.baseline === digest;
    const complete = record.status === "complete";
    const refused = isBase ? "" : whyNoBaseline(summary);
    return html`<div class="stack tight">
      <div class="row">
        <button type="button" aria-pressed=${isBase} aria-disabled=${refused !== ""} aria-describedby=${refused ? "no-base" : nothing} title=${refused} @click=${() => refused || void app.log.pinBaseline(isBase ? null : digest)}>${icon(isBase ? "starred" : "star")} ${isBase ? "Base" : "Keep as base"}</button>
        ${summary?.weightsDigest ? html`<button type="button" title="As safetensors" @click=${() => void this.download(summary)}>Download f32 weights</button>` : ""}
      </div>
      ${complete && summary?.weightsDigest
        ? html`<div class="row"><a href=${`#/variants/${digest}`}>Variants</a> <a href=${`#/microscope/${digest}`}>Microscope</a> <span class="soft small">this model under other schemes; what this one did to it</span></div>`
        : ""}
      ${refused ? html`<p id="no-base" class="small soft">${refused}</p>` : ""}
      ${complete ? html`<assay-copy-link label="Copy link" .pack=${() => app.links.packRun(digest, "")}></assay-copy-link>` : ""}
    </div>`;
  }

  /** @param {RunSummary} summary */
  async download({ weightsDigest, family, scheme, digest }) {
    const weights = weightsDigest ? await app.log.weights(weightsDigest) : null;
    const again = this.state.shown && engineAsked(this.state.shown.record.recipe) !== "cpu" ? "" : " Run the recipe again: the same recipe gives the same weights.";
    if (!weights) return app.store.notify("warn", `The weights of this run are not in this browser any more.${again}`);
    saveFile(`assay-${family}-${scheme}-${digest.slice(0, 8)}.safetensors`, [/** @type {BlobPart} */ (weights)], "application/octet-stream");
  }

  key() {
    const { shown, baseline } = this.state;
    return shown && baseline && baseline !== shown.digest ? `${baseline} ${shown.digest}` : "";
  }

  updated() {
    const key = this.key();
    if (key !== this.compared.key) void this.compareFor(key);
  }

  /** @param {string} key */
  async compareFor(key) {
    const [baseline = ""] = key.split(" ");
    const baseText = key ? await app.log.recordText(baseline) : null;
    if (key !== this.key() || key === this.compared.key) return;
    const { shown } = this.state;
    /** @type {Comparison|null} */
    let comparison = null;
    try {
      comparison = baseText && shown ? app.wasm.compare(baseText, shown.text) : null;
    } catch {
      // Records that cannot be compared cannot be told apart, which is what is shown then.
    }
    this.compared = { key, comparison };
  }
}

/**
 * @param {string} name
 * @param {string} help
 * @param {Part} value
 * @param {Part} difference
 */
function row(name, help, value, difference) {
  return html`<tr>
    <th scope="row" title=${help}>${name}</th>
    <td class="number">${value}</td>
    <td class="number">${difference}</td>
  </tr>`;
}

/**
 * Of figures that are counted, or that only give an impression: no verdict.
 * @param {number|null|undefined} value
 * @param {number|null|undefined} base
 * @param {boolean} lowerIsBetter
 */
function change(value, base, lowerIsBetter) {
  if (value == null || base == null) return "";
  if (value === base) return html`<span class="soft">same</span>`;
  const better = value < base === lowerIsBetter;
  return html`<span title=${better ? "better" : "worse"}>${relative(value, base)}</span>`;
}

/**
 * @param {string|null|undefined} digest
 * @param {string|null|undefined} base
 */
function same(digest, base) {
  if (!digest || !base) return "";
  return digest === base ? html`<span class="status" data-tone="good">${icon("equal")} equal</span>` : html`<span class="soft">differ</span>`;
}

customElements.define("assay-this-run", AssayThisRun);
