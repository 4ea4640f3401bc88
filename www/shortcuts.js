// @ts-check
/** @file Keys: Ctrl+Enter runs; single keys act only while nobody types, and can be switched off. Escape closes dialogs by itself. */

/** @import { App } from "./app.js" */

const KEY = "assay-single-keys";
const CONTROLS = "input, select, textarea, button, a[href], summary, [contenteditable], [tabindex]:not(main), dialog";

/** For the help: keys, what they do. @type {[string, string][]} */
export const SHORTCUTS = [
  ["Ctrl + Enter", "Run the recipe"],
  ["Space", "Pause or continue the run, when no control has the focus"],
  ["/", "Search the runs"],
  ["?", "This help"],
  ["Esc", "Close a dialog"],
];

export function singleKeysAllowed() {
  try {
    return localStorage.getItem(KEY) !== "off";
  } catch {
    return true;
  }
}

/** @param {boolean} allowed */
export function allowSingleKeys(allowed) {
  try {
    localStorage.setItem(KEY, allowed ? "on" : "off");
  } catch {
    // Without storage single keys stay on.
  }
}

/**
 * @param {App} app
 * @param {Document} [page]
 */
export function startShortcuts(app, page = document) {
  page.addEventListener("keydown", (event) => {
    const target = /** @type {Element|null} */ (event.target);
    if (event.defaultPrevented || event.isComposing || app.store.state.dialog !== null || target?.closest("dialog")) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      // A number that is still being typed counts as entered.
      if (target instanceof HTMLInputElement) target.dispatchEvent(new Event("change", { bubbles: true }));
      app.runs.runDraft();
      event.preventDefault();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || !singleKeysAllowed() || isTyping(target)) return;
    if (event.key === "?") {
      app.store.update({ dialog: "help" });
    } else if (event.key === "/") {
      app.router.go("runs");
      setTimeout(() => /** @type {HTMLElement|null} */ (page.querySelector("assay-runs-view input[type=search]"))?.focus(), 50);
    } else if (event.key === " " && !target?.closest(CONTROLS) && app.runs.going) {
      if (app.runs.live?.status === "paused") app.runs.continue();
      else app.runs.pause();
    } else {
      return;
    }
    event.preventDefault();
  });
}

/** @param {Element|null} target */
function isTyping(target) {
  return target?.closest("input:not([type=checkbox], [type=radio], [type=button], [type=range]), textarea, select, [contenteditable]") != null;
}
