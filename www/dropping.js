// @ts-check
/** @file Files that are dropped anywhere on the page, where no part of it takes them itself: they are opened on the Data page. */

import { app } from "./app.js";
import { droppedFiles } from "./own_files.js";

/** Begins to listen. */
export function startDropping() {
  addEventListener("dragover", (event) => {
    if (event.dataTransfer?.types.includes("Files")) event.preventDefault();
  });
  addEventListener("drop", async (event) => {
    if (event.defaultPrevented || !event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    const files = await droppedFiles(event.dataTransfer);
    app.router.go("data");
    await customElements.whenDefined("assay-own-files");
    // The view is shown in the next frame.
    requestAnimationFrame(() => {
      const element = /** @type {import("./elements/assay_own_files.js").AssayOwnFiles|null} */ (document.querySelector("assay-own-files"));
      void element?.open(files);
    });
  });
}
