// @ts-check
/** @file Which rows of a long table are near enough to be drawn. Pure. */

/** Rows drawn above and below what is seen, so that a little scrolling shows no gap. */
const MARGIN = 4;

/**
 * @param {number} scrolled pixels above the viewport
 * @param {number} viewport pixels
 * @param {number} rowHeight pixels
 * @param {number} count rows in all
 * @returns {{ start: number, end: number }} rows `start..end`
 */
export function drawnRows(scrolled, viewport, rowHeight, count) {
  const first = Math.floor(scrolled / rowHeight) - MARGIN;
  // Whole steps of the margin, so that most scroll events change nothing.
  const start = Math.min(Math.max(0, Math.floor(first / MARGIN) * MARGIN), Math.max(0, count - 1));
  const end = Math.min(count, start + Math.ceil(viewport / rowHeight) + 3 * MARGIN);
  return { start, end };
}

/**
 * @param {number} index of a row
 * @param {number} scrolled
 * @param {number} viewport pixels, without what covers its top
 * @param {number} rowHeight
 * @returns {number} pixels to scroll to, so that the row is seen as a whole
 */
export function scrollToSee(index, scrolled, viewport, rowHeight) {
  const top = index * rowHeight;
  if (top < scrolled) return top;
  return top + rowHeight > scrolled + viewport ? top + rowHeight - viewport : scrolled;
}
