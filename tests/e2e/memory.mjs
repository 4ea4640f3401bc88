// @ts-check
/** @file How much memory the pages of a browser take of their own, as Linux counts it; nothing elsewhere, and nothing for Firefox, whose pages share processes with its own. */

import { readdir, readFile } from "node:fs/promises";

/** @param {string} file */
const text = (file) => readFile(file, "utf8").catch(() => "");

/**
 * Looks ten times a second, until it is asked for the most megabytes that were in memory at once in any of the browser's processes
 * that show pages; what they share with others, as the browser's program, is not counted.
 * @param {import("puppeteer-core").Browser} browser
 * @returns {{ most: () => Promise<number|null> }}
 */
export function watchMemory(browser) {
  const root = browser.process()?.pid;
  let most = 0;
  let ended = false;
  const watching = (async () => {
    while (!ended && process.platform === "linux" && root) {
      for (const pid of await renderers(root)) {
        const status = await text(`/proc/${pid}/status`);
        const own = ["RssAnon", "RssShmem"].map((name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1] ?? 0));
        most = Math.max(most, own.reduce((sum, kilobytes) => sum + kilobytes, 0) / 1e3);
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  })();
  return {
    async most() {
      ended = true;
      await watching;
      return most || null;
    },
  };
}

/** @param {number} root @returns {Promise<number[]>} */
async function renderers(root) {
  const parents = new Map();
  for (const name of await readdir("/proc")) {
    if (/^\d+$/.test(name)) parents.set(Number(name), Number(/^PPid:\s+(\d+)/m.exec(await text(`/proc/${name}/status`))?.[1]));
  }
  const isBelow = (/** @type {number} */ pid) => {
    for (let at = pid; at > 1; at = parents.get(at) ?? 0) if (at === root) return true;
    return false;
  };
  const found = [];
  for (const pid of [...parents.keys()].filter(isBelow)) {
    if ((await text(`/proc/${pid}/cmdline`)).includes("--type=renderer")) found.push(pid);
  }
  return found;
}
