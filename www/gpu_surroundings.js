// @ts-check
/** @file Finds out whether there is a GPU, or as exactly as a page can why not and what to try; it opens none. */

/**
 * @typedef {"insecure"|"no api"|"no adapter"|"failed"} Gap What stands between the page and a GPU.
 * @typedef {"windows"|"mac"|"linux"|"android"|"chromeos"|"ios"|""} System
 */

/**
 * @typedef {Object} GpuFound
 * @property {string} adapter The WebGPU adapter, or empty.
 * @property {boolean} adapterSlow Whether it is a processor that plays a GPU.
 * @property {string} adapterMissing Why there is none in a few words, `asking` until it is known, or empty.
 * @property {string} gpuMissing The same as a clause for the lab, which writes it into records; empty where the lab may try.
 * @property {string} gpuAdvice What to try, in sentences, or empty.
 */

/** Until the browser has answered; the lab asks for itself meanwhile. @type {GpuFound} */
export const ASKING = { adapter: "", adapterSlow: false, adapterMissing: "asking", gpuMissing: "", gpuAdvice: "" };

/** Software that stands in for a GPU, as adapters name it; browsers do not all say `isFallbackAdapter`. */
const SOFTWARE = /swiftshader|llvmpipe|lavapipe|softpipe|basic render|\bwarp\b/i;

/** Browsers that have WebGPU: gpuweb's wiki (Implementation Status) and browser-compat-data, April 2026. @type {Record<System, string>} */
const OFFERED = {
  windows: "On Windows, Chrome and Edge have it from version 113 on and Firefox from 141 on.",
  mac: "On a Mac, Chrome and Edge have it from version 113 on and Safari from 26 on; Firefox on Apple silicon from 147 on (145 with macOS 26).",
  linux: "On Linux, Chrome has it from version 144 on with Intel graphics of generation 12 and later, and from 147 on with NVIDIA; Firefox does not have it yet.",
  android: "On Android, Chrome has it from version 121 on; Firefox does not have it yet.",
  chromeos: "On ChromeOS, Chrome has it from version 113 on.",
  ios: "On an iPhone or iPad, every browser has it from iOS 26 on.",
  "": "Chrome and Edge have it from version 113 on, Firefox on Windows from 141 on and Safari from 26 on.",
};

/** @type {Record<Gap, { short: string, clause: string }>} */
const GAPS = {
  insecure: { short: "needs https or localhost", clause: "the page came neither over https nor from localhost, so the browser keeps WebGPU from it" },
  "no api": { short: "not offered by this browser", clause: "this browser offers no WebGPU" },
  "no adapter": { short: "no adapter found", clause: "the browser found no WebGPU adapter" },
  failed: { short: "could not be asked for", clause: "the browser failed to give a WebGPU adapter" },
};

/**
 * @param {string} agent `navigator.userAgent`.
 * @returns {System}
 */
export function systemFrom(agent) {
  for (const [system, pattern] of /** @type {[System, RegExp][]} */ ([
    ["ios", /iPhone|iPad|iPod/],
    ["android", /Android/],
    ["chromeos", /CrOS/],
    ["windows", /Windows/],
    ["mac", /Macintosh/],
    ["linux", /Linux|X11/],
  ])) {
    if (pattern.test(agent)) return system;
  }
  return "";
}

/**
 * What to try, in sentences.
 * @param {Gap} gap
 * @param {{ browser: string, system: System }} where
 * @returns {string}
 */
export function adviceFor(gap, { browser, system }) {
  if (gap === "insecure") return "Open the page over https, or from a server on this machine: http://localhost.";
  if (gap === "no api") return `Try a current browser. ${OFFERED[system]}`;
  const why = "There may be no GPU that the browser supports, its driver may be on the browser's block list, or hardware acceleration may be switched off; a page is not told which.";
  const look = inside(browser);
  return `${why} ${look ? `The page ${look} says it. ` : ""}Update the browser and the graphics driver, and allow hardware acceleration in the browser's settings. ${OFFERED[system]}`;
}

/** The browser's own page on graphics. @param {string} browser */
function inside(browser) {
  /** @type {Record<string, string>} */
  const pages = { Chrome: "chrome://gpu", Edge: "edge://gpu", Opera: "opera://gpu", Firefox: "about:support" };
  return pages[browser] ?? "";
}

/**
 * Asks the browser for an adapter, and lets it go again.
 * @param {{ browser: string }} where
 * @param {any} [scope] The global object.
 * @returns {Promise<GpuFound>}
 */
export async function findGpu({ browser }, scope = globalThis) {
  const { navigator, isSecureContext } = scope;
  const system = systemFrom(navigator.userAgent);
  /** @param {Gap} gap @param {string} [detail] */
  const missing = (gap, detail = "") => {
    const { short, clause } = GAPS[gap];
    const more = detail && ` (${detail.replace(/[.\s]+$/u, "")})`;
    return { adapter: "", adapterSlow: false, adapterMissing: short, gpuMissing: `${clause}${more}`, gpuAdvice: adviceFor(gap, { browser, system }) };
  };
  if (!isSecureContext) return missing("insecure");
  if (!navigator.gpu) return missing("no api");
  try {
    const adapter = await navigator.gpu.requestAdapter();
    if (!adapter) return missing("no adapter");
    const { vendor = "", architecture = "", description = "" } = adapter.info ?? {};
    const name = description || [vendor, architecture].filter(Boolean).join(" ") || "unnamed adapter";
    const slow = Boolean(adapter.info?.isFallbackAdapter ?? adapter.isFallbackAdapter) || SOFTWARE.test(`${vendor} ${architecture} ${description}`);
    return { adapter: name, adapterSlow: slow, adapterMissing: "", gpuMissing: "", gpuAdvice: "" };
  } catch (error) {
    return missing("failed", error instanceof Error ? error.message : String(error));
  }
}
