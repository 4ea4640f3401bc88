// @ts-check
/** @file Calls a function at most so often, the last time always. */

/**
 * @param {() => void} work
 * @param {number} millis
 * @returns {() => void} Asks for a call: now if the last is long enough ago, else when it is.
 */
export function throttled(work, millis) {
  let lastMillis = -Infinity;
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  let timer;
  const call = () => {
    timer = undefined;
    lastMillis = performance.now();
    work();
  };
  return () => {
    if (timer !== undefined) return;
    const wait = lastMillis + millis - performance.now();
    if (wait <= 0) call();
    else timer = setTimeout(call, wait);
  };
}
