// @ts-check
/** @file The module's synchronous functions, with types: recipes, records, links, verdicts and charts. It computes nothing itself. */

import init, * as bindings from "./pkg/assay.js";

export { errorFrom } from "./errors.js";

/** @import { AnnotationState, AssayError, Chart, CheckedRecipe, Comparison, EpochPoint, Field, OpenedLink, PackedLink, ReadLog, RunRecord, RunSummary, Verdict } from "./types.js" */

/**
 * What the functions throw is an {@link AssayError}.
 * @typedef {Object} PageWasm
 * @property {() => Field[]} fields
 * @property {(set: string, family: string) => string} defaultRecipe
 * @property {(text: string, path: string, value: unknown) => string} changeRecipe
 * @property {(text: string) => CheckedRecipe} checkRecipe
 * @property {(unsealedText: string) => { record: string, digest: string }} sealRecord
 * @property {(text: string) => { record: RunRecord, altered: boolean, digest: string }} readRecord
 * @property {(text: string) => RunSummary} summarize
 * @property {(recipeText: string) => PackedLink} packRecipe
 * @property {(recordText: string, name: string) => PackedLink} packClaim
 * @property {(fragment: string) => OpenedLink} openLink
 * @property {(claimText: string, recordText: string) => Verdict} judge
 * @property {(recordTextA: string, recordTextB: string) => Comparison} compare
 * @property {(recordDigest: string, field: string, value: unknown) => string} annotate
 * @property {(annotationTexts: string[]) => Record<string, AnnotationState>} annotationState
 * @property {(text: string) => ReadLog} readLog
 * @property {(recordTexts: string[], annotationTexts?: string[]) => string} csv
 * @property {(runs: string[]|{ label: string, curve: EpochPoint[] }[], theme: string, width: number, height: number) => Chart} chartCurves
 * @property {(recordText: string, theme: string, width: number, height: number) => Chart} chartConfusion
 * @property {(record: string|{ batch: number, samples: number[] }, theme: string, width: number, height: number) => Chart} chartLatency
 * @property {(recordText: string, theme: string, width: number, height: number) => Chart} chartEngines
 * @property {(points: unknown[], xAxis: string, theme: string, width: number, height: number) => Chart} chartScatter
 * @property {() => { app: string, arithmetic: string }} version
 */

/**
 * Instantiates the page's own instance of the compiled module.
 * @param {WebAssembly.Module} module
 * @returns {Promise<PageWasm>}
 */
export async function instantiate(module) {
  await init({ module_or_path: module });
  return /** @type {any} */ (bindings);
}

/**
 * Compiles the module once, for the page and the worker; `fetch` streams it where the host sends `application/wasm`.
 * @param {string|URL} address
 * @returns {Promise<WebAssembly.Module>}
 */
export async function compile(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address} could not be loaded (status ${response.status})`);
  if (response.headers.get("content-type")?.startsWith("application/wasm")) {
    return WebAssembly.compileStreaming(response);
  }
  return WebAssembly.compile(await response.arrayBuffer());
}
