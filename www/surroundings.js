// @ts-check
/** @file Finds out what the browser offers: SIMD, Worker, clock; each missing one is a sentence. Nothing finer than comparing runs needs. */

import { ASKING } from "./gpu_surroundings.js";

/** @import { GpuFound } from "./gpu_surroundings.js" */
/** @import { Environment } from "./types.js" */

/**
 * @typedef {Object} OwnSurroundings
 * @property {string} browser Family.
 * @property {string} browserVersion Major version.
 * @property {number} cores 0 when unknown.
 * @property {boolean} isolated Whether the page is cross-origin isolated.
 * @property {number} clockMicros Resolution of the page's clock as measured.
 * @property {string[]} lacks A sentence for each thing that Assay cannot run without.
 */

/** @typedef {OwnSurroundings & GpuFound} Surroundings */

// (module (func (result v128) i32.const 0 i8x16.splat)): valid only where SIMD is.
const SIMD_MODULE = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 8, 1, 6, 0, 65, 0, 253, 15, 11]);

/**
 * What Assay cannot run without.
 * @param {any} [scope] The global object.
 * @returns {string[]}
 */
export function missingFrom(scope = globalThis) {
  const lacks = [];
  if (typeof scope.WebAssembly !== "object") {
    lacks.push("This browser has WebAssembly switched off or lacks it. Allow it, or open the page in a current Chrome, Edge, Firefox or Safari.");
  } else if (!scope.WebAssembly.validate(SIMD_MODULE)) {
    lacks.push("This browser's WebAssembly has no SIMD, which the exact engine is compiled for. Update the browser: Chrome and Edge 91, Firefox 89 and Safari 16.4 have it.");
  }
  if (typeof scope.Worker !== "function") {
    lacks.push("This browser offers no Worker, in which the lab runs. Open the page in a current browser, outside any reader or preview mode.");
  }
  return lacks;
}

/**
 * @param {Navigator} navigator
 * @returns {{ browser: string, browserVersion: string }}
 */
export function browserFrom(navigator) {
  const agent = navigator.userAgent;
  for (const [browser, pattern] of /** @type {[string, RegExp][]} */ ([
    ["Edge", /\bEdg(?:A|iOS)?\/(\d+)/],
    ["Opera", /\bOPR\/(\d+)/],
    ["Firefox", /\b(?:Firefox|FxiOS)\/(\d+)/],
    ["Chrome", /\b(?:Chrome|Chromium|HeadlessChrome|CriOS)\/(\d+)/],
    ["Safari", /\bVersion\/(\d+).*Safari/],
  ])) {
    const found = pattern.exec(agent);
    if (found) return { browser, browserVersion: found[1] ?? "" };
  }
  return { browser: "unknown", browserVersion: "" };
}

/**
 * Smallest step of the clock seen in a few milliseconds, microseconds.
 * @param {() => number} [now] Milliseconds.
 */
export function clockMicrosOf(now = () => performance.now()) {
  let smallest = Infinity;
  const end = now() + 4;
  for (let last = now(), seen = 0; seen < 40 && last < end; ) {
    const next = now();
    if (next > last) {
      smallest = Math.min(smallest, next - last);
      last = next;
      seen += 1;
    }
  }
  return Number.isFinite(smallest) ? Math.round(smallest * 1000) : 0;
}

/** @returns {Surroundings} Without the GPU, which takes a while to ask for. */
export function surroundingsNow() {
  return {
    ...browserFrom(navigator),
    cores: navigator.hardwareConcurrency || 0,
    isolated: globalThis.crossOriginIsolated === true,
    clockMicros: clockMicrosOf(),
    ...ASKING,
    lacks: missingFrom(),
  };
}

/** A clock no finer than this is what browsers give pages whose host sends no isolation headers. */
const COARSE_MICROS = 50;

/** @param {Surroundings} surroundings Whether latencies suffer from headers that the host does not send. */
export function isCoarse({ isolated, clockMicros }) {
  return !isolated && clockMicros >= COARSE_MICROS;
}

/**
 * @param {Surroundings} surroundings
 * @returns {string[]} A sentence for each thing that a result may depend on.
 */
export function surroundingsSentences(surroundings) {
  const { browser, browserVersion, cores, isolated, clockMicros } = surroundings;
  const clock = clockMicros ? `The browser's clock steps by ${clockMicros} µs here.` : "The browser's clock did not move while it was measured.";
  const coarse = "The host sends no COOP and COEP headers, so the browser makes the clock coarser: short calls are timed in groups, without p95 and p99.";
  return [
    `The CPU engine runs in a Worker. It is exact: the same recipe gives the same weights, bit for bit, in every browser.`,
    gpuSentence(surroundings),
    `${browser} ${browserVersion}${cores ? `, ${cores} logical ${cores === 1 ? "core" : "cores"}` : ""}. Records carry this much of the device and no more.`,
    isCoarse(surroundings) ? `${clock} ${coarse}` : isolated ? `${clock} The page is isolated, which gives it the finest clock.` : clock,
  ];
}

/** @param {Surroundings} surroundings */
function gpuSentence({ adapter, adapterSlow, adapterMissing, gpuAdvice }) {
  if (adapter && adapterSlow) return `WebGPU: ${adapter}. That is a processor that plays a GPU: it works, and is far slower than the CPU engine.`;
  if (adapter) return `WebGPU: ${adapter}. A recipe can ask for it; what it computes counts only after it was checked against the CPU.`;
  return [`WebGPU: ${adapterMissing}. Everything works without it; a recipe that asks for a GPU is run on the CPU.`, gpuAdvice].filter(Boolean).join(" ");
}

/**
 * What the lab writes into records; it fills in version, engine, arithmetic and its own clock's resolution.
 * @param {Surroundings} surroundings
 * @param {string} build Short digest of the build's files.
 * @returns {Environment}
 */
export function environmentFrom(surroundings, build) {
  return {
    app_version: "",
    build,
    engine: "cpu",
    arithmetic: "",
    browser: surroundings.browser,
    browser_version: surroundings.browserVersion,
    cores: surroundings.cores,
    timer_resolution_micros: surroundings.clockMicros,
    isolated: surroundings.isolated,
    adapter: surroundings.adapter,
  };
}
