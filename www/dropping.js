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
    void (await ownFiles()).open(files);
  });
}

/** The view's part that opens files, once it is shown: its code may have to be fetched first. @returns {Promise<import("./elements/assay_own_files.js").AssayOwnFiles>} */
async function ownFiles() {
  for (;;) {
    const element = document.querySelector("assay-own-files");
    if (element?.matches(":defined")) return /** @type {import("./elements/assay_own_files.js").AssayOwnFiles} */ (element);
    await new Promise(requestAnimationFrame);
  }
}
