// @ts-check
/** @file Which runs are selected: single, toggled and as a range from the last one touched. Plain values, knows no DOM. */

/**
 * @typedef {object} Selection
 * @property {ReadonlySet<string>} digests
 * @property {string | null} anchor where a range starts
 */

/** @type {Selection} */
export const EMPTY = Object.freeze({ digests: new Set(), anchor: null });

/**
 * @param {Selection} selection
 * @param {string} digest
 * @returns {Selection} with that run the other way round
 */
export function toggled(selection, digest) {
  const digests = new Set(selection.digests);
  if (!digests.delete(digest)) digests.add(digest);
  return { digests, anchor: digest };
}

/**
 * What a shift-click does: every run from the anchor to this one takes the state that the anchor has.
 * @param {Selection} selection
 * @param {string} digest
 * @param {readonly string[]} order digests as shown
 * @returns {Selection}
 */
export function ranged(selection, digest, order) {
  const from = selection.anchor === null ? -1 : order.indexOf(selection.anchor);
  const to = order.indexOf(digest);
  if (from < 0 || to < 0) return toggled(selection, digest);
  const digests = new Set(selection.digests);
  const on = selection.anchor !== null && digests.has(selection.anchor);
  for (const item of order.slice(Math.min(from, to), Math.max(from, to) + 1)) {
    if (on) digests.add(item);
    else digests.delete(item);
  }
  return { digests, anchor: selection.anchor };
}

/**
 * @param {readonly string[]} order digests as shown
 * @returns {Selection}
 */
export function everything(order) {
  return { digests: new Set(order), anchor: order[0] ?? null };
}

/**
 * @param {Selection} selection
 * @param {readonly string[]} order digests as shown
 * @returns {Selection} without runs that are no longer shown: nobody acts on what they do not see
 */
export function kept(selection, order) {
  if (selection.digests.size === 0) return selection;
  const shown = new Set(order);
  const digests = new Set([...selection.digests].filter((digest) => shown.has(digest)));
  if (digests.size === selection.digests.size) return selection;
  return { digests, anchor: selection.anchor !== null && shown.has(selection.anchor) ? selection.anchor : null };
}

/**
 * @param {Selection} selection
 * @param {readonly string[]} order
 * @returns {"all" | "some" | "none"}
 */
export function extent(selection, order) {
  const count = order.reduce((sum, digest) => sum + (selection.digests.has(digest) ? 1 : 0), 0);
  if (count === 0) return "none";
  return count === order.length ? "all" : "some";
}
