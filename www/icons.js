// @ts-check
/** @file Small drawn signs that stand beside words, never instead of them; they take the colour of the text. */

import { svg, html } from "lit";
import { DISAGREES } from "./gpu_words.js";

const PATHS = {
  complete: svg`<path d="M3 8.5 6.5 12 13 4.5" fill="none" stroke="currentColor" stroke-width="2"/>`,
  stopped: svg`<rect x="4" y="4" width="8" height="8" fill="currentColor"/>`,
  interrupted: svg`<path d="M8 2v5M8 9v1M8 12v2" fill="none" stroke="currentColor" stroke-width="2"/><path d="M3 5v6M13 5v6" fill="none" stroke="currentColor" stroke-width="1.5"/>`,
  "non-finite": svg`<path d="M8 8C6 4.5 2 4.8 2 8s4 3.5 6 0 6-3.2 6 0-4 3.5-6 0Z" fill="none" stroke="currentColor" stroke-width="1.6"/>`,
  altered: svg`<path d="M8 2 14.5 13.5h-13Z" fill="none" stroke="currentColor" stroke-width="1.5"/><path d="M8 6.5v3.5M8 11.2v1.3" stroke="currentColor" stroke-width="1.5"/>`,
  equal: svg`<path d="M3 6h10M3 10h10" stroke="currentColor" stroke-width="1.8"/>`,
  unclear: svg`<path d="M5.5 6a2.5 2.5 0 1 1 3.6 2.2c-.8.4-1.1.8-1.1 1.6" fill="none" stroke="currentColor" stroke-width="1.7"/><circle cx="8" cy="12.5" r="1.1" fill="currentColor"/>`,
  star: svg`<path d="m8 1.8 1.9 4 4.3.5-3.2 3 .9 4.3L8 11.5l-3.9 2.1.9-4.3-3.2-3 4.3-.5Z" fill="none" stroke="currentColor" stroke-width="1.3"/>`,
  starred: svg`<path d="m8 1.8 1.9 4 4.3.5-3.2 3 .9 4.3L8 11.5l-3.9 2.1.9-4.3-3.2-3 4.3-.5Z" fill="currentColor" stroke="currentColor" stroke-width="1.3"/>`,
  up: svg`<path d="M8 3v10M4 7l4-4 4 4" fill="none" stroke="currentColor" stroke-width="1.6"/>`,
  down: svg`<path d="M8 13V3M4 9l4 4 4-4" fill="none" stroke="currentColor" stroke-width="1.6"/>`,
  right: svg`<path d="M3 8.5 6.5 12 13 4.5" fill="none" stroke="currentColor" stroke-width="2"/>`,
  wrong: svg`<path d="m4 4 8 8M12 4l-8 8" fill="none" stroke="currentColor" stroke-width="2"/>`,
  play: svg`<path d="M4 2.5 13 8l-9 5.500Z" fill="currentColor"/>`,
  pause: svg`<path d="M5 3v10M11 3v10" stroke="currentColor" stroke-width="3"/>`,
  failed: svg`<circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" stroke-width="1.5"/><path d="M8 4.500v4.500M8 10.300v1.5" stroke="currentColor" stroke-width="1.7"/>`,
  close: svg`<path d="m4 4 8 8M12 4l-8 8" fill="none" stroke="currentColor" stroke-width="1.6"/>`,
  copy: svg`<path d="M5.5 5.500h8v8h-8Z" fill="none" stroke="currentColor" stroke-width="1.4"/><path d="M10.5 5.500v-3h-8v8h3" fill="none" stroke="currentColor" stroke-width="1.4"/>`,
  share: svg`<path d="M8 10V2.500M5 5l3-3 3 3" fill="none" stroke="currentColor" stroke-width="1.5"/><path d="M4.5 7.500h-1v6h9v-6h-1" fill="none" stroke="currentColor" stroke-width="1.5"/>`,
  sun: svg`<circle cx="8" cy="8" r="3" fill="currentColor"/><path d="M8 1v2M8 13v2M1 8h2M13 8h2M3 3l1.4 1.400M11.6 11.6 13 13M3 13l1.4-1.400M11.6 4.4 13 3" stroke="currentColor" stroke-width="1.4"/>`,
  moon: svg`<path d="M13 9.800A5.5 5.5 0 0 1 6.2 3 5.5 5.5 0 1 0 13 9.800Z" fill="none" stroke="currentColor" stroke-width="1.5"/>`,
};

/** @typedef {keyof typeof PATHS} IconName */

/** @param {IconName} name */
export function icon(name) {
  return html`<svg class="icon" viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">${PATHS[name]}</svg>`;
}

/** @type {Readonly<Record<string, { icon: IconName, word: string, help: string }>>} */
const STATUS = {
  complete: { icon: "complete", word: "complete", help: "Everything that the recipe asks for was done." },
  stopped: { icon: "stopped", word: "stopped", help: "Stopped by hand; what was measured is kept." },
  interrupted: { icon: "interrupted", word: "interrupted", help: "The page was closed or the lab died in the middle; what was measured is kept." },
  "non-finite": { icon: "non-finite", word: "non-finite", help: "The loss became NaN or infinite; what was measured before is kept." },
  altered: { icon: "altered", word: "altered", help: "The record's digest does not match its content: it was changed after it was written. Do not rely on its numbers." },
};

/** @param {string} status of a run */
export function statusSign(status) {
  const sign = STATUS[status];
  return sign ? html`<span class="status" data-status=${status} title=${sign.help}>${icon(sign.icon)} ${sign.word}</span>` : status;
}

/**
 * Whether a GPU computes what the CPU computes.
 * @param {boolean} agrees
 */
export function agreementSign(agrees) {
  return agrees
    ? html`<span class="status" data-tone="good" title="Both engines computed the same numbers, within what rounding allows">${icon("equal")} engines agree</span>`
    : html`<span class="status" data-tone="bad" title="The GPU's numbers are further from the CPU's than rounding allows">${icon("altered")} ${DISAGREES}</span>`;
}

/**
 * For verdicts that have no word of their own beside the number.
 * @param {string} verdict
 * @returns {IconName}
 */
export function verdictIcon(verdict) {
  return verdict === "can't tell" ? "unclear" : "equal";
}
