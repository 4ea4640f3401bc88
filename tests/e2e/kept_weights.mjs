// @ts-check
/** @file What the lab is heard to do for a look or a file, and what comes of it; it judges nothing. */

import { press, waitFor } from "./person.mjs";

/** @import { Page } from "./person.mjs" */

/** From now on the names of the lab's stages are kept. @param {Page} page */
export async function hearStages(page) {
  await page.evaluate(() => {
    const { lab } = /** @type {any} */ (globalThis).assay;
    /** @type {string[]} */
    const stages = [];
    const deliver = lab.deliver.bind(lab);
    lab.deliver = (/** @type {any} */ event, /** @type {any[]} */ ...bytes) => {
      if (event.type === "stage") stages.push(event.name);
      deliver(event, ...bytes);
    };
    Object.assign(globalThis, { stages });
  });
}

/** @param {Page} page @returns {Promise<string[]>} */
export function stagesHeard(page) {
  return page.evaluate(() => /** @type {any} */ (globalThis).stages);
}

/** Exports what the Microscope shows as safetensors. @param {Page} page @returns {Promise<Record<string, string>>} the file's metadata */
export async function exported(page) {
  const before = await page.evaluate(() => /** @type {any} */ (globalThis).kept.saved.length);
  await press(page, "Export safetensors");
  await waitFor(page, "a file is saved", (before) => /** @type {any} */ (globalThis).kept.saved.length > before, { args: [before] });
  return page.evaluate(async () => {
    const bytes = await /** @type {any} */ (globalThis).kept.saved.at(-1).blob.arrayBuffer();
    const length = Number(new DataView(bytes).getBigUint64(0, true));
    return JSON.parse(new TextDecoder().decode(bytes.slice(8, 8 + length))).__metadata__;
  });
}

/** Has the Microscope compute what it shows of a record. @param {Page} page @returns {Promise<{ stored: string, note: string }>} */
export async function looked(page) {
  await waitFor(page, "the record is read", () => /** @type {any} */ (document.querySelector("assay-microscope-view"))?.looked);
  return page.evaluate(async () => {
    const view = /** @type {any} */ (document.querySelector("assay-microscope-view"));
    await view.look(view.quantization);
    if (view.problem) throw new Error(view.problem);
    return { stored: view.looked.stored, note: view.looked.note };
  });
}

/** Plays with a run's model in its details, once the lab has loaded it. @param {Page} page @param {string} digest @returns {Promise<string>} what is noted of the model */
export async function played(page, digest) {
  await page.evaluate((digest) => {
    const { runs, router } = /** @type {any} */ (globalThis).assay;
    runs.loadedModel = null;
    router.go("runs", [digest]);
  }, digest);
  await press(page, /^Try the model/);
  await waitFor(page, "a picture is picked", () => {
    const button = /** @type {HTMLElement|null} */ (document.querySelector("assay-play-panel assay-image-grid button"));
    button?.click();
    return button;
  });
  await waitFor(page, "it has scores", () => /** @type {any} */ (document.querySelector("assay-play-panel"))?.scores);
  return page.evaluate(() => /** @type {HTMLElement|null} */ (document.querySelector("assay-play-panel [data-tone=warn]"))?.innerText ?? "");
}
