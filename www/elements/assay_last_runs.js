// @ts-check
/** @file The last five runs, newest first; pressing one shows it. */

import { html } from "lit";
import { app } from "../app.js";
import { bytes, millis, percent, plusMinus, when } from "../figures.js";
import { DISAGREES, engineName } from "../gpu_words.js";
import { icon, statusSign } from "../icons.js";
import { variantName } from "../quantization_words.js";
import { hashFromRoute } from "../router.js";
import { unlessStruck } from "../run_table/engine_facts.js";
import { AssayElement } from "./assay_element.js";

/** @import { RunSummary } from "../types.js" */
/** @import { StateKey } from "../store.js" */

const ROWS = 5;

export class AssayLastRuns extends AssayElement {
  /** @type {StateKey[]} */
  static follows = ["runs", "shown", "annotations", "baseline"];

  render() {
    const { runs } = this.state;
    if (runs.length === 0) return "";
    return html`<section class="panel stack tight last-runs-panel" aria-labelledby="last-runs-heading">
      <div class="row spread">
        <h2 id="last-runs-heading">Last runs</h2>
        <a href=${hashFromRoute("runs")}>All ${runs.length === 1 ? "" : runs.length.toLocaleString("en")} runs</a>
      </div>
      <div class="scroll" tabindex="0" role="region" aria-label="Last runs, as a table">
        <table class="last-runs">
          <thead>
            <tr>
              <th scope="col">Run</th>
              <th scope="col" class="number">Accuracy</th>
              <th scope="col" class="number">p50</th>
              <th scope="col" class="number">Size</th>
              <th scope="col">Status</th>
            </tr>
          </thead>
          <tbody>
            ${runs.slice(0, ROWS).map((run) => this.row(run))}
          </tbody>
        </table>
      </div>
    </section>`;
  }

  /** @param {RunSummary} run */
  row(run) {
    const { annotations, baseline, shown } = this.state;
    const { digest, architecture, accuracy, accuracyLow, accuracyHigh, p50Millis, weightBytes, status, started, agrees } = run;
    const here = shown?.digest === digest;
    const name = annotations[digest]?.name || `${architecture} · ${variantName(run)}`;
    return html`<tr aria-current=${here ? "true" : "false"}>
      <th scope="row">
        <button type="button" class="quiet text" aria-pressed=${here} title="Show this run" @click=${() => void app.runs.showRecord(digest)}>
          ${digest === baseline ? html`<span title="The baseline">${icon("starred")}<span class="visually-hidden">baseline </span></span>` : ""}${name}
        </button>
        <time class="soft small" datetime=${started}>${when(started)}</time>
      </th>
      <td class="number">${unlessStruck(html`${percent(accuracy)} <span class="soft">${plusMinus(accuracyLow, accuracyHigh)}</span>`, agrees)}</td>
      <td class="number">${millis(p50Millis)}</td>
      <td class="number">${bytes(weightBytes)}</td>
      <td>${statusSign(status)}${this.engine(run)}</td>
    </tr>`;
  }

  /** A second line under the status, where it was not the CPU alone. @param {RunSummary} run */
  engine({ engine, agrees }) {
    if (agrees === false) return html`<br><span class="status small" data-tone="bad">${icon("altered")} ${DISAGREES}</span>`;
    return engine === "cpu" ? "" : html`<br><span class="soft small">${engineName(engine)}</span>`;
  }
}

customElements.define("assay-last-runs", AssayLastRuns);
