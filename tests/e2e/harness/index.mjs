// @ts-check
/** @file What an end-to-end test needs: browsers, pages that keep watch, and web servers for the built page. */

export { browserName, launch, newPage, strangers } from "./browsers.mjs";
export { servePage } from "./serve_page.mjs";
export { notRun } from "./not_run.mjs";
