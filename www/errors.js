// @ts-check
/** @file Whatever was thrown, as an error with a kind and words; it hides nothing. */

/** @import { AssayError } from "./types.js" */

/**
 * @param {unknown} error Anything that was thrown.
 * @returns {AssayError}
 */
export function errorFrom(error) {
  if (error && typeof error === "object" && "kind" in error && "message" in error) {
    return /** @type {AssayError} */ (error);
  }
  return { kind: "unexpected", message: error instanceof Error ? error.message : String(error) };
}
