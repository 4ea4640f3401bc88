// @ts-check
/** @file What each class lost when a model was stored, with intervals, as a table with bars. */

import { html, svg } from "lit";
import { count, NONE, percent } from "../figures.js";
import { AssayElement } from "./assay_element.js";

/** @import { ClassDamage } from "../damage.js" */

export class AssayDamagedClasses extends AssayElement {
  static properties = { classes: { attribute: false } };

  constructor() {
    super();
    /** Those that lost the largest share first. @type {ClassDamage[]} */
    this.classes = [];
  }

  render() {
    return html`<p class="small soft">Of the images that f32 answered rightly, the share that the stored model gets wrong, and its interval.</p>
      <div class="scroll" tabindex="0" role="group" aria-label="Table of classes">
        <table class="damaged-classes">
          <thead>
            <tr>
              <th scope="col">Class</th>
              <th scope="col" class="bar"><span class="visually-hidden">Interval of the share</span></th>
              <th scope="col" class="number">Lost</th>
              <th scope="col" class="number">Right with f32</th>
              <th scope="col" class="number">Right when stored</th>
            </tr>
          </thead>
          <tbody>
            ${this.classes.map((it) => {
              const share = it.lost / Math.max(1, it.rightBefore);
              return html`<tr>
                <th scope="row">${it.class}</th>
                <td class="bar">${it.rightBefore === 0 ? "" : html`<svg width="100%" height="12" aria-hidden="true">
                  ${svg`<rect class="track" x="0" y="5" width="100%" height="2"/><rect class="interval" x=${`${it.low * 100}%`} y="4" width=${`${Math.max(0.5, (it.high - it.low) * 100)}%`} height="4"/><circle class="share" cx=${`${share * 100}%`} cy="6" r="4"/>`}
                </svg>`}</td>
                <td class="number">${it.rightBefore === 0 ? NONE : html`${percent(share)} <span class="soft small">${percent(it.low)} to ${percent(it.high)}</span>`}</td>
                <td class="number">${count(it.rightBefore)} <span class="soft small">of ${count(it.rows)}</span></td>
                <td class="number">${count(it.rightAfter)}</td>
              </tr>`;
            })}
          </tbody>
        </table>
      </div>`;
  }
}

customElements.define("assay-damaged-classes", AssayDamagedClasses);
