// @ts-check
/** @file Whether there is a GPU, why not, and what to try: from what browsers answer; and what is kept of it between visits. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { adviceFor, findGpu, systemFrom } from "../../www/gpu_surroundings.js";
import { keepTiles, keptTiles } from "../../www/gpu_tiles.js";

const LINUX = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36";

/**
 * @param {any} gpu `navigator.gpu`.
 * @param {{ secure?: boolean, browser?: string, agent?: string }} [where]
 */
function found(gpu, { secure = true, browser = "Chrome", agent = LINUX } = {}) {
  return findGpu({ browser }, { isSecureContext: secure, navigator: { userAgent: agent, gpu } });
}

/** @param {any} info @param {any} [more] */
const withAdapter = (info, more = {}) => ({ requestAdapter: async () => ({ info, ...more }) });

test("names the adapter, by its description or else by vendor and architecture", async () => {
  const described = await found(withAdapter({ vendor: "intel", architecture: "gen-12lp", description: "Intel(R) Iris(R) Xe Graphics" }));
  assert.deepEqual(described, { adapter: "Intel(R) Iris(R) Xe Graphics", adapterSlow: false, adapterMissing: "", gpuMissing: "", gpuAdvice: "" });
  assert.equal((await found(withAdapter({ vendor: "apple", architecture: "metal-3", description: "" }))).adapter, "apple metal-3");
  assert.equal((await found(withAdapter(undefined))).adapter, "unnamed adapter");
});

test("says that an adapter is software, however the browser says it", async () => {
  for (const gpu of [
    withAdapter({ vendor: "acme", isFallbackAdapter: true }),
    withAdapter({ vendor: "acme" }, { isFallbackAdapter: true }),
    withAdapter({ vendor: "google", architecture: "swiftshader" }),
    withAdapter({ description: "llvmpipe (LLVM 19.1.7, 256 bits)" }),
    withAdapter({ description: "Microsoft Basic Render Driver" }),
  ]) {
    assert.equal((await found(gpu)).adapterSlow, true);
  }
  assert.equal((await found(withAdapter({ vendor: "nvidia", architecture: "lovelace", isFallbackAdapter: false }))).adapterSlow, false);
});

test("tells the reasons for no GPU apart, each with what to try", async () => {
  /** @type {[string, any, any, RegExp, RegExp, RegExp][]} */
  const cases = [
    ["insecure", undefined, { secure: false }, /needs https or localhost/, /neither over https nor from localhost/, /Open the page over https/],
    ["no api", undefined, {}, /not offered by this browser/, /offers no WebGPU/, /current browser.*144.*Intel/],
    ["no adapter", { requestAdapter: async () => null }, {}, /no adapter found/, /found no WebGPU adapter/, /block list.*chrome:\/\/gpu.*driver.*hardware acceleration/],
    ["failed", { requestAdapter: () => Promise.reject(new Error("the GPU process crashed.")) }, {}, /could not be asked for/, /failed to give.* \(the GPU process crashed\)$/, /chrome:\/\/gpu/],
  ];
  for (const [name, gpu, where, short, clause, advice] of cases) {
    const { adapter, adapterMissing, gpuMissing, gpuAdvice } = await found(gpu, where);
    assert.equal(adapter, "", name);
    assert.match(adapterMissing, short, name);
    assert.match(gpuMissing, clause, name);
    assert.doesNotMatch(gpuMissing, /\.$/, `${name}: the lab puts the full stop`);
    assert.match(gpuAdvice, advice, name);
  }
});

test("an insecure page is told so, even where the browser hides WebGPU from it", async () => {
  assert.match((await found(undefined, { secure: false, browser: "Firefox" })).adapterMissing, /https/);
});

test("advises by system and browser", () => {
  assert.match(adviceFor("no api", { browser: "Firefox", system: "linux" }), /Firefox does not have it yet/);
  assert.match(adviceFor("no api", { browser: "Firefox", system: "windows" }), /Firefox from 141/);
  assert.match(adviceFor("no api", { browser: "Safari", system: "ios" }), /iOS 26/);
  assert.match(adviceFor("no adapter", { browser: "Firefox", system: "mac" }), /about:support/);
  assert.match(adviceFor("no adapter", { browser: "Edge", system: "windows" }), /edge:\/\/gpu/);
  assert.doesNotMatch(adviceFor("no adapter", { browser: "unknown", system: "" }), /The page {2}|undefined/);
});

test("tells systems by the user agent", () => {
  /** @type {[string, string][]} */
  const agents = [
    ["Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X)", "ios"],
    ["Mozilla/5.0 (Linux; Android 14; Pixel 8)", "android"],
    ["Mozilla/5.0 (X11; CrOS x86_64 14541.0.0)", "chromeos"],
    ["Mozilla/5.0 (Windows NT 10.0; Win64; x64)", "windows"],
    ["Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)", "mac"],
    [LINUX, "linux"],
    ["something else", ""],
  ];
  for (const [agent, system] of agents) assert.equal(systemFrom(agent), system);
});

test("keeps tiles between visits, and does without where the browser forbids it", () => {
  /** @type {Map<string, string>} */
  const kept = new Map();
  const storage = { getItem: (/** @type {string} */ key) => kept.get(key) ?? null, setItem: (/** @type {string} */ key, /** @type {string} */ value) => void kept.set(key, value) };
  assert.equal(keptTiles(storage), "");
  keepTiles('{"adapter":"x"}', storage);
  assert.equal(keptTiles(storage), '{"adapter":"x"}');
  keepTiles("x".repeat(200_000), storage);
  assert.equal(keptTiles(storage), '{"adapter":"x"}');
  const refuse = () => {
    throw new Error("forbidden");
  };
  assert.equal(keptTiles({ getItem: refuse }), "");
  keepTiles("{}", { setItem: refuse });
  assert.equal(keptTiles(null), "");
});
