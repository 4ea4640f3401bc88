// @ts-check
/** @file Says what a test could not try, so that the summary of `cargo xtask test` lists it. */

/**
 * Call it where a test finds out that something is missing, then skip or return.
 *
 * @param {string} name what was not tried
 * @param {string} reason why not
 */
export function notRun(name, reason) {
  console.log(`not run: ${name}: ${reason}`);
}
