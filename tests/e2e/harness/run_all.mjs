// @ts-check
/** @file Runs a table of cases one by one: says which failed and why, and counts. */

import { notRun } from "./not_run.mjs";

/**
 * @param {Cases} cases
 * @returns {Promise<number>} how many failed
 */
export async function runAll(cases) {
  let [passed, failed] = [0, 0];
  for (const [index, name] of (await cases.names()).entries()) {
    const failure = await cases.run(index);
    if (failure === "") {
      passed += 1;
    } else if (failure.startsWith("not run: ")) {
      notRun(name, failure.slice("not run: ".length));
    } else {
      failed += 1;
      console.log(`${name} FAILED\n  ${failure.trimEnd().replaceAll("\n", "\n  ")}`);
    }
  }
  console.log(`${passed} passed, ${failed} failed`);
  return failed;
}
