// @ts-check
/** @file Whether everybody can use what a page shows now: axe, light and dark, and a narrow screen. It opens nothing. */

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

/** @typedef {import("./person.mjs").Page} Page */

const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/**
 * @param {Page} page
 * @param {string} view What it shows, for the messages.
 * @returns {Promise<string[]>} What is serious: findings of axe in both themes and at 360 px, and what is wider than that.
 */
export async function everybodyCanUse(page, view) {
  /** @type {string[]} */
  const problems = [];
  for (const theme of ["light", "dark"]) {
    await setTheme(page, theme);
    problems.push(...(await findings(page)).map((finding) => `${view}, ${theme}: ${finding}`));
  }
  await page.setViewport({ width: 360, height: 740 });
  const width = await settledWidth(page);
  problems.push(...(await findings(page)).map((finding) => `${view}, 360 px: ${finding}`));
  if (width > 360) problems.push(`${view}: ${width} px wide at 360 px: ${await widest(page)}`);
  await page.setViewport({ width: 1280, height: 800 });
  await painted(page);
  return problems;
}

/** @param {Page} page @returns {Promise<string[]>} serious and critical findings */
async function findings(page) {
  if (!(await page.evaluate(() => "axe" in globalThis))) await page.evaluate(AXE);
  return page.evaluate(async () => {
    const { violations } = await /** @type {any} */ (globalThis).axe.run(document, { resultTypes: ["violations"] });
    return violations
      .filter((/** @type {any} */ { impact }) => impact === "serious" || impact === "critical")
      .flatMap((/** @type {any} */ { id, nodes }) => nodes.slice(0, 3).map((/** @type {any} */ node) => `${id}: ${node.html.slice(0, 120)} ${node.any[0]?.message ?? ""}`));
  });
}

/** @param {Page} page @param {string} theme */
async function setTheme(page, theme) {
  await page.evaluate((theme) => {
    if (document.documentElement.dataset.theme !== theme) /** @type {HTMLElement} */ (document.querySelector("header button[aria-label^=Switch]")).click();
  }, theme);
  await painted(page);
}

/** @param {Page} page */
const painted = (page) => page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));

/** Charts are drawn anew for a new width a moment later. @param {Page} page @returns {Promise<number>} */
async function settledWidth(page) {
  let width = Infinity;
  for (let looks = 0; looks < 20 && width > 360; looks += 1) {
    await painted(page);
    await new Promise((resolve) => setTimeout(resolve, 50));
    width = await page.evaluate(() => document.documentElement.scrollWidth);
  }
  return width;
}

/** What sticks out, for the message. @param {Page} page */
const widest = (page) =>
  page.evaluate(() => {
    const clipped = (/** @type {Element} */ each) => {
      for (let outer = each.parentElement; outer; outer = outer.parentElement) if (outer !== document.documentElement && getComputedStyle(outer).overflowX !== "visible") return true;
      return false;
    };
    const wide = [...document.querySelectorAll("body *")].filter((each) => each.getBoundingClientRect().right > 361 && !clipped(each));
    return wide.slice(0, 4).map((each) => `${each.localName}.${each.className}`).join(", ");
  });
