// @ts-check
/** @file Help: what the page does in a few sentences, the keys, and what the signs mean. */

import { html } from "lit";
import { allowSingleKeys, SHORTCUTS, singleKeysAllowed } from "../shortcuts.js";
import { app } from "../app.js";
import { surroundingsSentences } from "../surroundings.js";
import { AssayDialog } from "./assay_dialog.js";

export class AssayHelp extends AssayDialog {
  get dialogName() {
    return /** @type {const} */ ("help");
  }

  get heading() {
    return "Help";
  }

  content() {
    const { app: version, arithmetic } = app.wasm.version();
    const { surroundings } = this.state;
    return html`<div class="stack">
      <p>
        A <strong>recipe</strong> decides a result completely: data, split, architecture, training, quantization, seed. <strong>Run</strong> trains and
        measures it on this machine and leaves a <strong>record</strong> in the log of this browser. <strong>Copy link</strong> packs the recipe and the
        results; whoever opens the link can run it again and is told whether the result was <em>reproduced</em>, <em>within tolerance</em> or
        <em>diverged</em>.
      </p>
      <p>Nothing leaves this machine unless you copy a link or save a file.</p>
      <section class="stack tight" aria-labelledby="engines-heading">
        <h3 id="engines-heading">Engines</h3>
        <p>
          <strong>cpu</strong> is exact: the same recipe gives the same weights, bit for bit, in every browser. <strong>gpu</strong> is WebGPU: faster for
          larger models and batches, with other roundings, so a re-run is <em>within tolerance</em> at best. Its answers are compared with the CPU's before and
          after training; where they are further apart than rounding allows, the record says <em>engine disagrees</em> and its accuracy does not count.
          <strong>auto</strong> times both for a moment and takes the faster; the record says which and why.
        </p>
        <p>Where the GPU goes away in the middle, the last epoch is kept, and the run goes on on the CPU or with a smaller batch, as you say or as its recipe says.</p>
      </section>
      <table>
        <caption class="visually-hidden">Keys</caption>
        <tbody>
          ${SHORTCUTS.map(([keys, what]) => html`<tr><th scope="row"><kbd>${keys}</kbd></th><td>${what}</td></tr>`)}
        </tbody>
      </table>
      <label class="row">
        <input type="checkbox" .checked=${singleKeysAllowed()} @change=${(/** @type {Event} */ event) => allowSingleKeys(/** @type {HTMLInputElement} */ (event.target).checked)}>
        Single keys act while nothing is being typed
      </label>
      <section class="stack tight" aria-labelledby="surroundings-heading">
        <h3 id="surroundings-heading">Where this page runs</h3>
        <ul>${surroundings ? surroundingsSentences(surroundings).map((sentence) => html`<li>${sentence}</li>`) : ""}</ul>
      </section>
      <p class="soft small">
        <strong>?</strong> beside a difference: it may be chance, and the data cannot tell. <strong>★</strong> marks the run that others are compared with.
        Intervals are at the confidence that the recipe names.
      </p>
      <p class="soft small">Assay ${version} · arithmetic ${arithmetic} · MIT OR Apache-2.0</p>
    </div>`;
  }
}

customElements.define("assay-help", AssayHelp);
