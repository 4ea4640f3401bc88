// @ts-check
/** @file Light or dark: the system's choice until the person makes one, which is kept in this browser. */

/** @import { Store } from "./store.js" */

const KEY = "assay-theme";

/** @returns {"light"|"dark"|null} */
function chosen() {
  try {
    const value = localStorage.getItem(KEY);
    return value === "light" || value === "dark" ? value : null;
  } catch {
    return null;
  }
}

/** @param {Store} store */
export function startTheme(store) {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const theme = chosen() ?? (system.matches ? "dark" : "light");
    document.documentElement.dataset.theme = theme;
    store.update({ theme });
  };
  system.addEventListener("change", apply);
  apply();
}

/** @param {Store} store */
export function toggleTheme(store) {
  const theme = store.state.theme === "dark" ? "light" : "dark";
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // Without storage the choice lasts until the page is closed.
  }
  document.documentElement.dataset.theme = theme;
  store.update({ theme });
}
