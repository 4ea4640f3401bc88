// @ts-check
/** @file Samples of each class in train, validation and test, as a table with bars. */

import { html, svg } from "lit";
import { count } from "../figures.js";
import { AssayElement } from "./assay_element.js";

const PARTS = ["train", "validation", "test"];

export class AssayClassCounts extends AssayElement {
  static properties = { classes: { attribute: false }, counts: { attribute: false } };

  constructor() {
    super();
    /** @type {string[]} */
    this.classes = [];
    /** Per class: train, validation, test. @type {[number, number, number][]} */
    this.counts = [];
  }

  render() {
    const sums = this.counts.map((parts) => parts.reduce((sum, value) => sum + value, 0));
    const most = Math.max(1, ...sums);
    const all = [0, 1, 2].map((part) => this.counts.reduce((sum, parts) => sum + (parts[part] ?? 0), 0));
    return html`<div class="scroll" tabindex="0" role="group" aria-label="Table of samples per class">
      <table class="class-counts">
        <thead>
          <tr>
            <th scope="col">Class</th>
            <th scope="col" class="bar"><span class="visually-hidden">Share of each part</span></th>
            ${PARTS.map((part, index) => html`<th scope="col" class="number"><span class="key" data-part=${index} aria-hidden="true"></span>${part}</th>`)}
            <th scope="col" class="number">all</th>
          </tr>
        </thead>
        <tbody>
          ${this.classes.map((name, index) => {
            const parts = this.counts[index] ?? [0, 0, 0];
            let left = 0;
            return html`<tr>
              <th scope="row">${name}</th>
              <td class="bar">
                <svg width="100%" height="12" aria-hidden="true">
                  ${parts.map((value, part) => {
                    const x = (left / most) * 100;
                    left += value;
                    return svg`<rect data-part=${part} x=${`${x}%`} width=${`${(value / most) * 100}%`} height="12"/>`;
                  })}
                </svg>
              </td>
              ${parts.map((value) => html`<td class="number">${count(value)}</td>`)}
              <td class="number">${count(sums[index])}</td>
            </tr>`;
          })}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">All</th>
            <td></td>
            ${all.map((value) => html`<td class="number">${count(value)}</td>`)}
            <td class="number">${count(all.reduce((sum, value) => sum + value, 0))}</td>
          </tr>
        </tfoot>
      </table>
    </div>`;
  }
}

customElements.define("assay-class-counts", AssayClassCounts);
