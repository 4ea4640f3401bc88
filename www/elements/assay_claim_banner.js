// @ts-check
/** @file The open link: when, where and by whom its claim was made, what it claims, and what one can do with it. It does nothing by itself. */

import { html } from "lit";
import { app } from "../app.js";
import { bytes, millis, percent, plusMinus, shortDigest, when } from "../figures.js";
import { icon } from "../icons.js";
import { isGoing } from "../live_run.js";
import { AssayElement } from "./assay_element.js";

/** @import { LinkState, StateKey } from "../store.js" */

export class AssayClaimBanner extends AssayElement {
  /** @type {StateKey[]} */
  static follows = ["link", "linkProblem", "run", "lab"];

  render() {
    const { link, linkProblem } = this.state;
    return html`${linkProblem ? this.problem(linkProblem.message) : ""} ${link ? this.banner(link) : ""}`;
  }

  /** @param {string} message */
  problem(message) {
    return html`<section class="panel banner stack tight" role="alert" aria-labelledby="link-problem-heading">
      <h2 id="link-problem-heading" class="status" data-tone="bad">${icon("failed")} This link cannot be opened</h2>
      <p>${message.charAt(0).toUpperCase()}${message.slice(1)}${/[.!?]$/.test(message) ? "" : "."}</p>
      <div class="row">
        <button type="button" class="primary" @click=${() => app.links.close()}>Start with the recipe below</button>
        <span class="soft small">Nothing was run or stored.</span>
      </div>
    </section>`;
  }

  /** @param {LinkState} link */
  banner({ opened, modified }) {
    const { run, lab } = this.state;
    const claim = opened.kind === "claim";
    const busy = isGoing(run) || lab !== "ready";
    return html`<section class="panel banner" aria-labelledby="link-heading">
      <div class="stack tight">
        <div class="row">
          <h2 id="link-heading">${claim ? "A claimed result" : "A recipe from a link"}</h2>
          ${modified ? html`<span class="badge" data-tone="warn">modified</span>` : ""}
        </div>
        <p>
          ${claim ? this.words(opened.banner) : "Somebody shared this recipe, without results."}
          ${run && run.claimText === (opened.claimText ?? null) ? "" : html`<span class="soft">Nothing runs until you say so.</span>`}
        </p>
        ${claim ? this.claimed(opened.claim ?? {}) : ""}
        ${modified ? html`<p class="small">The form differs from the link${claim ? ", so Run is not a check of it; Run it here still runs the link's own recipe" : ""}.</p>` : ""}
      </div>
      <div class="row">
        <button type="button" class="primary" ?disabled=${busy} @click=${() => app.runs.runLink()}>${icon("play")} Run it here</button>
        <button type="button" @click=${this.copy}>Open a copy</button>
        ${modified ? html`<button type="button" @click=${() => app.drafts.resetToLink()}>Reset to the link's version</button>` : ""}
      </div>
    </section>`;
  }

  /** @param {import("../types.js").ClaimBanner|undefined} banner */
  words(banner) {
    if (!banner) return "";
    const { started, browser, engine, by } = banner;
    return html`Recorded ${by ? html`by <strong>${by}</strong> (as the sender typed it) ` : ""}on <time datetime=${started}>${when(started)}</time> in ${browser}, engine ${engine}.`;
  }

  /** @param {Record<string, any>} claim */
  claimed({ results = {}, digests = {} }) {
    const { accuracy, latency = [], weight_bytes: size } = results;
    const one = latency.find((/** @type {{ batch: number }} */ { batch }) => batch === 1);
    return html`<dl class="claimed">
      ${accuracy ? html`<div><dt>accuracy</dt><dd>${percent(accuracy.correct / accuracy.total)} <span class="soft">${plusMinus(accuracy.low, accuracy.high)}</span></dd></div>` : ""}
      ${one ? html`<div><dt>p50</dt><dd>${millis(one.p50)}</dd></div>` : ""}
      ${size ? html`<div><dt>size</dt><dd>${bytes(size)}</dd></div>` : ""}
      ${digests.weights ? html`<div><dt>weights</dt><dd class="digest" title=${digests.weights}>${shortDigest(digests.weights)}</dd></div>` : ""}
    </dl>`;
  }

  async copy() {
    app.links.close();
    const form = /** @type {HTMLElement|null} */ (document.querySelector("assay-recipe-form summary"));
    form?.focus();
  }
}

customElements.define("assay-claim-banner", AssayClaimBanner);
