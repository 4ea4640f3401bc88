// @ts-check
/** @file Widths at which the page changes its shape, for scripts; the stylesheets repeat them. */

/** One column. */
export const NARROW = matchMedia("(max-width: 720px)");
