// @ts-check
/** @file What a person does and sees on the page: opens it, presses what has a name, types into what has a label, reads. It judges nothing. */

import { newPage } from "./harness/index.mjs";

/** @typedef {import("./harness/browsers.mjs").WatchedPage} Page */
/** @typedef {import("puppeteer-core").Browser | import("puppeteer-core").BrowserContext} Profile */

/** A recipe that runs in a second or two. @type {Record<string, any>} */
const SMALL = {
  architecture: { family: "mlp", depth: 1, width: 16, activation: "relu" },
  training: { epochs: 2, batch_size: 64 },
  evaluation: { latency_secs: 0.1 },
};

/**
 * Opens the page and waits until it can be used.
 *
 * @param {Profile} profile
 * @param {string} url
 * @param {{ fragment?: string, query?: string, before?: (page: Page) => Promise<unknown>, usable?: boolean }} [options]
 *   `before` prepares the page before anything loads; `usable: false` waits only for the first words
 */
export async function open(profile, url, { fragment = "", query = "", before, usable = true } = {}) {
  const page = await newPage(profile);
  await page.evaluateOnNewDocument(keepWhatLeaves);
  await before?.(page);
  await page.goto(`${url}${query}${fragment}`);
  if (usable) await isUsable(page);
  return page;
}

/** Waits until Run can be pressed; milliseconds since the address was opened. @param {Page} page */
export function isUsable(page) {
  return waitFor(page, "Run can be pressed", () => {
    const run = /** @type {HTMLButtonElement | null} */ (document.querySelector("button.run"));
    return run && !run.disabled ? performance.now() : 0;
  });
}

/** Runs in the page before all else: what is copied or saved is kept where a test can read it. */
function keepWhatLeaves() {
  /** @type {any} */
  const kept = { copied: "", saved: [], usable: 0 };
  Object.assign(globalThis, { kept });
  /** @type {Map<string, Blob | MediaSource>} */
  const blobs = new Map();
  const create = URL.createObjectURL;
  URL.createObjectURL = (blob) => {
    const address = create.call(URL, blob);
    blobs.set(address, blob);
    return address;
  };
  const click = HTMLAnchorElement.prototype.click;
  HTMLAnchorElement.prototype.click = function () {
    if (this.download) kept.saved.push({ name: this.download, blob: blobs.get(this.href) });
    else click.call(this);
  };
  const copies = { writeText: async (/** @type {string} */ text) => (kept.copied = text) };
  if (navigator.clipboard) Object.defineProperty(navigator, "clipboard", { value: copies });
}

/**
 * Polls the page until `look` answers something true; an element counts as true.
 *
 * @template T
 * @template {any[]} Arguments
 * @param {Page} page
 * @param {string} what is waited for, in words
 * @param {(...args: Arguments) => T | Promise<T>} look runs in the page
 * @param {{ millis?: number, args?: Arguments }} [options]
 * @returns {Promise<NonNullable<T>>}
 */
export async function waitFor(page, what, look, { millis = 60_000, args = /** @type {any} */ ([]) } = {}) {
  const end = Date.now() + millis;
  // Not every driver hands out an element as something true.
  const asked = `(async () => { const seen = await (${look})(...${JSON.stringify(args)}); return seen instanceof Node ? true : seen; })()`;
  for (;;) {
    const seen = await page.evaluate(asked);
    if (seen) return /** @type {any} */ (seen);
    if (Date.now() > end) throw new Error(`waited ${millis / 1000} s in vain: ${what}. The page says:\n${await text(page)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** What the page says, or a part of it. @param {Page} page @param {string} [within] @returns {Promise<string>} */
export function text(page, within = "body") {
  return page.evaluate((selector) => [...document.querySelectorAll(selector)].map((part) => /** @type {HTMLElement} */ (part).innerText).join("\n"), within);
}

/**
 * @param {Page} page
 * @param {string | RegExp} words
 * @param {{ within?: string, millis?: number }} [options]
 */
export function says(page, words, { within = "body", millis = 60_000 } = {}) {
  const [source, flags] = typeof words === "string" ? [words.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "i"] : [words.source, words.flags];
  const look = (/** @type {string} */ within, /** @type {string} */ source, /** @type {string} */ flags) => {
    const parts = [...document.querySelectorAll(within)].map((part) => /** @type {HTMLElement} */ (part).innerText.replace(/\s+/g, " "));
    return parts.some((part) => new RegExp(source, flags).test(part));
  };
  return waitFor(page, `${words} is said in ${within}`, look, { millis, args: [within, source, flags] });
}

/**
 * The visible thing of this name that can be pressed; a name is what a screen reader would say first.
 *
 * @param {Page} page
 * @param {string | RegExp} name
 * @param {string} [within]
 */
export async function pressable(page, name, within = "body") {
  const [source, flags] = typeof name === "string" ? [`^${name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`, "i"] : [name.source, name.flags];
  const id = await waitFor(
    page,
    `there is a button or link ${name} in ${within}`,
    (within, source, flags) => {
      for (const part of document.querySelectorAll(within)) {
        for (const each of /** @type {NodeListOf<HTMLElement>} */ (part.querySelectorAll("button, a[href], summary, [role=button]"))) {
          const name = (each.getAttribute("aria-label") ?? each.innerText).replace(/\s+/g, " ").trim();
          const shown = each.checkVisibility() && !(/** @type {HTMLButtonElement} */ (each).disabled);
          if (shown && new RegExp(source, flags).test(name)) return (each.dataset.found = `${Math.random()}`);
        }
      }
      return "";
    },
    { args: [within, source, flags], millis: 30_000 },
  );
  const found = await page.$(`[data-found="${id}"]`);
  if (!found) throw new Error(`${name} went away`);
  return found;
}

/** @param {Page} page @param {string | RegExp} name @param {string} [within] */
export async function press(page, name, within) {
  const found = await pressable(page, name, within);
  // The element may be drawn anew or move between looking and pressing; a press by script always meets it.
  await found.evaluate((each) => {
    each.scrollIntoView({ block: "center" });
    /** @type {HTMLElement} */ (each).click();
  });
}

/** @param {Page} page @returns {Promise<string>} what was copied last */
export function copied(page) {
  return waitFor(page, "something is copied", () => /** @type {any} */ (globalThis).kept.copied);
}

/** The file saved last. @param {Page} page @returns {Promise<{ name: string, text: string, size: number, type: string }>} */
export function saved(page) {
  return waitFor(page, "a file is saved", async () => {
    const file = /** @type {any} */ (globalThis).kept.saved.at(-1);
    return file && { name: file.name, text: await file.blob.text(), size: file.blob.size, type: file.blob.type };
  });
}

/**
 * A recipe that is quick to run, with some fields set.
 *
 * @param {Page} page
 * @param {Record<string, any>} [changes] sections with fields
 * @returns {Promise<Record<string, any>>}
 */
export async function smallRecipe(page, changes = {}) {
  const recipe = JSON.parse(await recipeText(page));
  for (const part of [SMALL, changes]) {
    for (const [section, fields] of Object.entries(part)) {
      recipe[section] = section === "architecture" || typeof fields !== "object" ? fields : { ...recipe[section], ...fields };
    }
  }
  if (recipe.training.optimizer === "sgd") recipe.training.momentum ??= 0;
  return recipe;
}

/** The recipe in the form, as the JSON dialog shows it. @param {Page} page */
export async function recipeText(page) {
  await press(page, "Edit as JSON");
  const shown = await waitFor(page, "the recipe as JSON", () => /** @type {HTMLTextAreaElement | null} */ (document.querySelector("dialog[open] textarea"))?.value);
  await press(page, "Close", "dialog[open]");
  return shown;
}

/** Pastes a text into the JSON dialog, which stays open. @param {Page} page @param {string} json */
export async function paste(page, json) {
  await press(page, "Edit as JSON");
  await waitFor(page, "the dialog is open", () => document.querySelector("dialog[open] textarea") !== null);
  await page.evaluate((json) => {
    const area = /** @type {HTMLTextAreaElement} */ (document.querySelector("dialog[open] textarea"));
    area.value = json;
    area.dispatchEvent(new InputEvent("input", { bubbles: true }));
  }, json);
}

/** Puts a recipe into the form. @param {Page} page @param {Record<string, any>} recipe */
export async function useRecipe(page, recipe) {
  await paste(page, JSON.stringify(recipe));
  await press(page, "Use this recipe", "dialog[open]");
  await waitFor(page, "the dialog is closed", () => document.querySelector("dialog[open]") === null);
}

/**
 * Presses Run and waits for the end of the run.
 *
 * @param {Page} page
 * @param {{ button?: string, millis?: number }} [options]
 * @returns {Promise<Record<string, any>>} the record that it left in the log
 */
export async function run(page, { button = "Run", millis = 120_000 } = {}) {
  const before = new Set((await records(page)).map(({ digest }) => digest));
  await press(page, button);
  /** @type {Record<string, any>[]} */
  let fresh = [];
  // A page that has not yet heard of the press still shows the end of an earlier run.
  for (const until = Date.now() + millis; fresh.length === 0 && Date.now() < until; ) {
    await runIsOver(page, millis);
    fresh = (await records(page)).filter(({ digest }) => !before.has(digest));
  }
  if (fresh.length !== 1) throw new Error(`the run left ${fresh.length} records`);
  return fresh[0];
}

/** @param {Page} page @param {number} [millis] */
export async function runIsOver(page, millis = 120_000) {
  await waitFor(page, "the run bar shows a run, or one is over", () => document.querySelector("assay-progress progress") !== null || document.querySelector("assay-this-run .metrics") !== null);
  await waitFor(page, "the run is over", () => document.querySelector("assay-progress progress") === null && document.querySelector("button.run:not([disabled])") !== null && (document.querySelector("assay-this-run .metrics, assay-progress [role=status]") !== null), { millis });
}

/** The records in the browser's log, as stored. @param {Page} page @returns {Promise<Record<string, any>[]>} */
export async function records(page) {
  const texts = await page.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const opening = indexedDB.open("assay", 1);
        opening.onerror = () => reject(opening.error);
        opening.onsuccess = () => {
          const all = opening.result.transaction("records").objectStore("records").getAll();
          all.onsuccess = () => {
            opening.result.close();
            resolve(all.result.map(({ text }) => text));
          };
        };
      }),
  );
  return /** @type {string[]} */ (texts).map((each) => JSON.parse(each)).sort((a, b) => (a.started < b.started ? -1 : 1));
}

/** Goes to a view by its link in the header. @param {Page} page @param {"Experiment" | "Runs" | "Data"} name */
export async function goTo(page, name) {
  await press(page, name, "nav");
  await waitFor(page, `the view ${name} is shown`, (name) => document.querySelector('nav [aria-current="page"]')?.textContent === name, { args: [name] });
}
