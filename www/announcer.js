// @ts-check
/** @file Says things to screen readers, politely: ends at once, epochs at most every few seconds so that nobody is talked over. */

const QUIET_MILLIS = 6000;

let lastMillis = -Infinity;

/**
 * @param {string} text
 * @param {boolean} [important] Said even if something was said a moment ago.
 */
export function announce(text, important = false) {
  const now = performance.now();
  if (!important && now - lastMillis < QUIET_MILLIS) return;
  lastMillis = now;
  const region = document.querySelector("#announcer");
  if (region) region.textContent = text;
}
