// @ts-check
/** @file The answer to a check: the overall word with its reason, and each metric as claimed and as found. */

import { html } from "lit";
import { icon } from "../icons.js";
import { AssayElement } from "./assay_element.js";

/** @import { MetricVerdict } from "../types.js" */
/** @import { StateKey } from "../store.js" */
/** @import { IconName } from "../icons.js" */

/** @type {Record<string, { icon: IconName, tone: string, words: string }>} */
const WORDS = {
  reproduced: { icon: "complete", tone: "good", words: "The same weights and the same answers, bit for bit." },
  "within tolerance": { icon: "equal", tone: "good", words: "Not bit for bit, but as close as the claim says a re-run may lie." },
  "cannot be judged": { icon: "unclear", tone: "warn", words: "This run says nothing about the claim." },
  diverged: { icon: "wrong", tone: "bad", words: "The result here is not the claimed one." },
};
const OTHER = { icon: /** @type {IconName} */ ("unclear"), tone: "", words: "" };

export class AssayVerdict extends AssayElement {
  /** @type {StateKey[]} */
  static follows = ["run"];

  render() {
    const { run } = this.state;
    if (!run?.verdict) return "";
    const { overall, reason, metrics } = run.verdict;
    const { icon: name, tone, words } = WORDS[overall] ?? OTHER;
    // The roles hold the table together where a narrow screen stacks its cells.
    return html`<section class="panel banner verdict stack tight" data-verdict=${overall} aria-labelledby="verdict-heading">
      <h2 id="verdict-heading" class="status" data-tone=${tone}>${icon(name)} ${overall}</h2>
      <p>${reason || words}</p>
      <div class="scroll" tabindex="0" role="region" aria-label="The verdict, metric by metric">
        <table role="table">
          <thead>
            <tr role="row">
              <th scope="col" role="columnheader">Metric</th>
              <th scope="col" role="columnheader" class="number">Claimed</th>
              <th scope="col" role="columnheader" class="number">Found here</th>
              <th scope="col" role="columnheader">Verdict, tolerance and why</th>
            </tr>
          </thead>
          <tbody>
            ${metrics.map((metric) => this.metric(metric))}
          </tbody>
        </table>
      </div>
    </section>`;
  }

  /** @param {MetricVerdict} metric */
  metric({ label, claimedText: claimed, foundText: found, verdict, tolerance, reason }) {
    const { icon: sign, tone } = WORDS[verdict] ?? OTHER;
    return html`<tr role="row">
      <th scope="row" role="rowheader">${label}</th>
      <td role="cell" data-head="claimed" class="number ${isDigest(claimed) ? "digest" : ""}" title=${claimed}>${short(claimed)}</td>
      <td role="cell" data-head="found here" class="number ${isDigest(found) ? "digest" : ""}" title=${found}>${short(found)}</td>
      <td role="cell"><span class="status" data-tone=${tone}>${tone ? icon(sign) : ""} ${verdict}</span> <span class="small soft">${reason}${said(tolerance)}</span></td>
    </tr>`;
  }
}

/** @param {string} tolerance `none` and `equal` are said by the reason. */
function said(tolerance) {
  return !tolerance || tolerance === "none" || tolerance === "equal" ? "" : ` Tolerance: ${tolerance}.`;
}

/** @param {string} text */
function isDigest(text) {
  return /^[0-9a-f]{8,}…?$/.test(text);
}

/** @param {string} text */
function short(text) {
  return isDigest(text) && text.length > 16 ? `${text.slice(0, 12)}…` : text;
}

customElements.define("assay-verdict", AssayVerdict);
