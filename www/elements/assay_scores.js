// @ts-check
/** @file What a model says of one picture: a bar and a number for each class, and how long it took. */

import { html, svg } from "lit";
import { millis } from "../figures.js";
import { icon } from "../icons.js";
import { AssayElement } from "./assay_element.js";

/** @import { Scores } from "../types.js" */

export class AssayScores extends AssayElement {
  static properties = { scores: { attribute: false }, classes: { attribute: false }, truth: { attribute: false } };

  constructor() {
    super();
    /** @type {Scores|null} */
    this.scores = null;
    /** @type {string[]} */
    this.classes = [];
    /** The right answer, where there is one. @type {number|null} */
    this.truth = null;
  }

  render() {
    const { scores, classes, truth } = this;
    const predicted = scores?.predicted ?? -1;
    return html`<table class="scores">
        <caption class="visually-hidden">
          Score of each class
        </caption>
        <tbody>
          ${classes.map((name, index) => {
            const share = scores?.probabilities[index] ?? 0;
            return html`<tr ?data-predicted=${index === predicted}>
              <th scope="row">${name}</th>
              <td class="bar">
                <svg width="100%" height="12" aria-hidden="true">${svg`<rect class="track" width="100%" height="12"/><rect class="share" width=${`${share * 100}%`} height="12"/>`}</svg>
              </td>
              <td class="number">${scores ? (share * 100).toFixed(1) : "–"} %</td>
              <td class="mark small">
                ${index === predicted && truth !== null ? icon(truth === predicted ? "right" : "wrong") : ""}${index === truth ? " true" : ""}
              </td>
            </tr>`;
          })}
        </tbody>
      </table>
      <p class="small soft">${scores ? `One call took ${millis(scores.millis)}; a single call says little about speed, the measured latency does.` : ""}</p>`;
  }
}

customElements.define("assay-scores", AssayScores);
