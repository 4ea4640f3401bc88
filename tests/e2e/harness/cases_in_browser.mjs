// @ts-check
/** @file The table of cases in a browser's worker. */

import { fileURLToPath } from "node:url";
import { launch, newPage } from "./browsers.mjs";
import { serveFolders } from "./static_server.mjs";

/**
 * @param {import("./browsers.mjs").BrowserName} browserName
 * @param {string} moduleFolder where bindgen left the module
 * @param {{ webgpu?: boolean }} [options] whether the browser gets a GPU
 * @returns {Promise<{ cases: CasesInPage, close: () => Promise<void> }>}
 */
export async function casesInBrowser(browserName, moduleFolder, { webgpu = false } = {}) {
  const server = await serveFolders({
    "/": fileURLToPath(new URL("./cases/", import.meta.url)),
    "/pkg/": moduleFolder,
  });
  const browser = await launch(browserName, { webgpu });
  const close = async () => {
    await browser.close();
    await server.close();
  };
  try {
    const page = await newPage(browser);
    await page.goto(`${server.origin}/`);
    const cases = {
      names: () => page.evaluate(() => window.cases.names()),
      adapter: () => page.evaluate(() => window.cases.adapter()),
      run: (/** @type {number} */ index) => page.evaluate((index) => window.cases.run(index), index),
    };
    return { cases, close };
  } catch (error) {
    await close();
    throw error;
  }
}
