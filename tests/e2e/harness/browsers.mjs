// @ts-check
/** @file Starts Chromium and Firefox, each with a fresh profile, and opens pages that keep watch over themselves. */

import puppeteer from "puppeteer-core";

/**
 * @typedef {"chromium" | "firefox"} BrowserName
 */

/**
 * @typedef {object} Watch
 * @property {string[]} problems errors on the console, uncaught exceptions, failed requests, answers from 400 on
 * @property {string[]} requests addresses of all requests, those of workers included
 */

/** @typedef {import("puppeteer-core").Page & Watch} WatchedPage */

const CHROMIUM_FLAGS = [
  "--no-sandbox",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/**
 * Which GPU Chromium takes: one in software, for machines without one (slow: use it with tiny sizes), or the machine's.
 *
 * @type {Record<"swiftshader" | "default", string[]>}
 */
const WEBGPU_FLAGS = {
  swiftshader: ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"],
  default: ["--enable-unsafe-webgpu", "--enable-features=Vulkan", "--ignore-gpu-blocklist"],
};

/** Firefox takes the machine's, a software Vulkan adapter too, where it is told to. */
const FIREFOX_WEBGPU = { "dom.webgpu.enabled": true, "dom.webgpu.workers.enabled": true, "gfx.webgpu.ignore-blocklist": true };

/**
 * The browser that this run of the tests is about; `ASSAY_BROWSER` names it.
 *
 * @returns {BrowserName}
 */
export function browserName() {
  return process.env.ASSAY_BROWSER === "firefox" ? "firefox" : "chromium";
}

/**
 * Starts a browser with a fresh profile, which is removed when the browser closes.
 *
 * @param {BrowserName} [name]
 * @param {{ webgpu?: boolean | "swiftshader" | "default" }} [options] `webgpu` gives it a GPU, Chromium one in software if
 *   nothing else is said; without it there is none
 */
export async function launch(name = browserName(), { webgpu = false } = {}) {
  const defaultViewport = { width: 1280, height: 800 };
  // One call into the page may compile kernels for an adapter in software, which takes minutes.
  const protocolTimeout = webgpu ? 900_000 : 180_000;
  if (name === "firefox") {
    const executablePath = process.env.ASSAY_FIREFOX ?? "/usr/bin/firefox-esr";
    const extraPrefsFirefox = webgpu ? FIREFOX_WEBGPU : {};
    return puppeteer.launch({ browser: "firefox", executablePath, headless: true, defaultViewport, protocolTimeout, extraPrefsFirefox });
  }
  return puppeteer.launch({
    browser: "chrome",
    executablePath: process.env.ASSAY_CHROMIUM ?? "/usr/bin/chromium",
    headless: true,
    defaultViewport,
    protocolTimeout,
    args: webgpu ? [...CHROMIUM_FLAGS, ...WEBGPU_FLAGS[webgpu === true ? "swiftshader" : webgpu]] : CHROMIUM_FLAGS,
  });
}

/**
 * Opens a page that records what goes wrong in it and what it asks for. A test that provokes a problem empties
 * `problems` once it has looked.
 *
 * @param {import("puppeteer-core").Browser | import("puppeteer-core").BrowserContext} browser
 * @returns {Promise<WatchedPage>}
 */
export async function newPage(browser) {
  const page = await browser.newPage();
  /** @type {Watch} */
  const watch = { problems: [], requests: [] };
  page.on("console", (message) => {
    if (message.type() === "error") watch.problems.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => watch.problems.push(`exception: ${error instanceof Error ? error.message : error}`));
  page.on("request", (request) => watch.requests.push(request.url()));
  page.on("requestfailed", (request) => {
    watch.problems.push(`request failed: ${request.url()} (${request.failure()?.errorText ?? "no reason given"})`);
  });
  page.on("response", (response) => {
    if (response.status() >= 400) watch.problems.push(`answer ${response.status()}: ${response.url()}`);
  });
  return Object.assign(page, watch);
}

/**
 * The requests that left the origin of `url`. Data that a page hands to itself is not among them.
 *
 * @param {Pick<Watch, "requests">} page
 * @param {string} url
 */
export function strangers(page, url) {
  const { origin } = new URL(url);
  return page.requests.filter((request) => !/^(data|blob|about):/.test(request) && new URL(request).origin !== origin);
}
