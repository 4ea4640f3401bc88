// @ts-check
/** @file Files of a person's own: read, learned from, kept if they say so; a link asks the next person for the same file and checks it. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { launch, servePage } from "./harness/index.mjs";
import { copied, goTo, open, press, run, says, smallRecipe, useRecipe, waitFor } from "./person.mjs";
import { idxPair, imagesZip, table, written } from "./files.mjs";

/** @import { Page } from "./person.mjs" */

/** Rows of a table that takes seconds to read. */
const LARGE = 300_000;

/** @type {import("puppeteer-core").Browser} */
let browser;
/** @type {Awaited<ReturnType<typeof servePage>>} */
let server;
/** Paths by name. @type {Record<string, string>} */
let files;

before(async () => {
  server = await servePage();
  browser = await launch();
  const { images, labels } = idxPair(200);
  files = await written({
    "plants.csv": table(),
    "other.csv": table(243),
    "large.csv": table(LARGE),
    "sides.zip": imagesZip(),
    "images-idx3-ubyte": images,
    "labels-idx1-ubyte": labels,
    "cut-idx3-ubyte": images.subarray(0, 4000),
    "wide.csv": "a,b,label\n1,2,x\n3,4,y\n5,6,7,x\n",
  });
});
after(async () => {
  await browser.close();
  await server.close();
});

/** @param {Page} page @param {string} input name of the input @param {...string} names of the files */
async function choose(page, input, ...names) {
  await waitFor(page, `there is a place for ${names}`, (name) => document.querySelector(`input[name=${name}]`) !== null, { args: [input] });
  const found = /** @type {import("puppeteer-core").ElementHandle<HTMLInputElement>} */ (await page.$(`input[name=${input}]`));
  await found.uploadFile(...names.map((name) => files[name] ?? name));
}

/** @param {string} name */
async function sha256(name) {
  return createHash("sha256").update(await readFile(files[name] ?? "")).digest("hex");
}

/** Keeps the recipe's data and makes the rest small. @param {Page} page */
async function makeSmall(page) {
  await goTo(page, "Experiment");
  await useRecipe(page, await smallRecipe(page, { training: { epochs: 30, batch_size: 16 } }));
}

test("a table is read, checked and learned from, and its link asks for the very file", async () => {
  const page = await open(browser, server.url);
  await goTo(page, "Data");
  await choose(page, "files", "plants.csv");
  await says(page, "plants.csv: 240 rows in 3 classes", { within: "assay-own-files" });
  await says(page, /apart by semicolons, with a heading; the label is column 5, "species"/, { within: "assay-data-view" });
  await says(page, /checks found something|checks that could be made/, { within: "assay-findings" });
  await makeSmall(page);
  const record = await run(page);
  assert.equal(record.status, "complete");
  assert.equal(record.recipe.data.file, await sha256("plants.csv"));
  assert.ok(record.results.accuracy.correct / record.results.accuracy.total > 0.8, JSON.stringify(record.results.accuracy));
  await press(page, /^Try the model/);
  await waitFor(page, "rows can be picked and nothing drawn", () => document.querySelector("assay-play-panel canvas") !== null && !/Draw a digit/.test(/** @type {HTMLElement} */ (document.querySelector("assay-play-panel")).innerText));
  await press(page, "Copy link", "assay-this-run");
  const link = await copied(page);

  const elsewhere = await browser.createBrowserContext();
  const fresh = await open(elsewhere, link);
  await says(fresh, "This recipe learns from a file of somebody's own");
  await says(fresh, "240 rows of 4 numbers in 3 classes", { within: "assay-file-asked" });
  await press(fresh, "Run it here");
  await says(fresh, "open it on the Data page");
  await choose(fresh, "asked", "other.csv");
  await says(fresh, /the file other\.csv: expected the very file that the recipe names, SHA-256 [0-9a-f]{64}, got another one/, { within: "assay-file-asked" });
  await choose(fresh, "asked", "plants.csv");
  await waitFor(fresh, "nothing is asked any more", () => document.querySelector("assay-file-asked section") === null);
  const again = await run(fresh, { button: "Run it here" });
  assert.equal(again.digests.weights, record.digests.weights);
  await says(fresh, "reproduced", { within: "assay-verdict" });
  assert.deepEqual(fresh.problems, []);
  await elsewhere.close();
  assert.deepEqual(page.problems, []);
  await page.close();
});

test("a file that is dropped anywhere is opened on the Data page", async () => {
  const page = await open(browser, server.url);
  const text = await readFile(files["plants.csv"] ?? "", "utf8");
  await page.evaluate((text) => {
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([text], "plants.csv"));
    for (const type of ["dragover", "drop"]) {
      document.body.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
    }
  }, text);
  await says(page, "plants.csv: 240 rows in 3 classes", { within: "assay-own-files" });
  assert.deepEqual(page.problems, []);
  await page.close();
});

test("reading a large table can be stopped, and another file read after it", async () => {
  const page = await open(browser, server.url);
  await goTo(page, "Data");
  const before = await page.evaluate(() => location.hash);
  await choose(page, "files", "large.csv");
  await press(page, "Stop", "assay-own-files");
  await says(page, "Stopped; the recipe is as it was.", { within: "assay-own-files" });
  assert.equal(await page.evaluate(() => location.hash), before);
  await choose(page, "files", "plants.csv");
  await says(page, "plants.csv: 240 rows in 3 classes", { within: "assay-own-files" });
  assert.deepEqual(page.problems, []);
  await page.close();
});

test("a ZIP of images is read, brought to another size when asked, and learned from", async () => {
  const page = await open(browser, server.url);
  await goTo(page, "Data");
  await choose(page, "files", "sides.zip");
  await says(page, "sides.zip: 120 rows in 2 classes", { within: "assay-own-files" });
  await says(page, "8 × 8 pixels, grey", { within: "assay-data-view" });
  await page.evaluate(() => {
    const own = /** @type {HTMLElement} */ (document.querySelector("assay-own-files"));
    /** @type {HTMLDetailsElement} */ (own.querySelector("details")).open = true;
    /** @type {HTMLInputElement} */ (own.querySelector("input[name=side]")).value = "16";
  });
  await press(page, "Read again", "assay-own-files");
  await says(page, "16 × 16 pixels, grey", { within: "assay-data-view" });
  await says(page, "brought to 16×16 by averaging", { within: "assay-data-view" });
  await makeSmall(page);
  const record = await run(page);
  assert.equal(record.recipe.data.side, 16);
  assert.ok(record.results.accuracy.correct / record.results.accuracy.total > 0.9, JSON.stringify(record.results.accuracy));
  assert.deepEqual(page.problems, []);
  await page.close();
});

test("an IDX pair is kept in the browser only if the person says so", async () => {
  const elsewhere = await browser.createBrowserContext();
  const page = await open(elsewhere, server.url);
  await goTo(page, "Data");
  await choose(page, "files", "labels-idx1-ubyte", "images-idx3-ubyte");
  await says(page, "200 rows in 2 classes", { within: "assay-own-files" });
  const address = await waitFor(page, "the data are in the recipe's link", () => /** @type {any} */ (globalThis).assay?.store.state.experimentHash ?? location.hash);
  assert.ok(address);
  await goTo(page, "Experiment");
  const link = await waitFor(page, "the address is the recipe's link", () => (/#r1\./.test(location.href) ? location.href : ""));
  const first = await open(elsewhere, link);
  await says(first, "This recipe learns from a file of somebody's own");
  await says(first, "choose them here", { within: "assay-file-asked" });
  await first.close();
  await goTo(page, "Data");
  await waitFor(page, "it can be kept", () => {
    const keep = /** @type {HTMLInputElement|null} */ (document.querySelector("input[name=keep]"));
    keep?.click();
    return keep?.checked;
  });
  await waitFor(page, "it is kept", async () => {
    const found = await new Promise((resolve) => {
      const opening = indexedDB.open("assay-files");
      opening.onsuccess = () => {
        const keys = opening.result.transaction("files").objectStore("files").getAllKeys();
        keys.onsuccess = () => {
          opening.result.close();
          resolve(keys.result.length);
        };
      };
    });
    return found === 1;
  });
  const second = await open(elsewhere, link);
  await goTo(second, "Data");
  await says(second, "8 × 8 pixels, grey", { within: "assay-data-view" });
  assert.deepEqual(second.problems, []);
  await elsewhere.close();
});

test("what cannot be read is said in words that name the file and the row", async () => {
  const page = await open(browser, server.url);
  await goTo(page, "Data");
  await choose(page, "files", "wide.csv");
  await says(page, /row 4 of wide\.csv \(line 4\): expected 3 cells/, { within: "assay-own-files" });
  await choose(page, "files", "cut-idx3-ubyte", "labels-idx1-ubyte");
  await says(page, /cut-idx3-ubyte: expected 12800 bytes after its header/, { within: "assay-own-files" });
  await says(page, "1,797 of", { within: "assay-data-view" });
  assert.deepEqual(page.problems, []);
  await page.close();
});

/** Where MNIST's test part lies beside the project, as its publishers' files. */
const MNIST = process.env.ASSAY_MNIST ?? new URL("../../../shared/data/mnist-t10k/", import.meta.url).pathname;
const mnist = ["t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"].map((name) => join(MNIST, name));
const noMnist = mnist.every(existsSync) ? false : `there is no ${MNIST}`;

test("MNIST's 10,000 images are read and checked within 10 s", { skip: noMnist }, async () => {
  const page = await open(browser, server.url);
  await goTo(page, "Data");
  const began = performance.now();
  await choose(page, "files", ...mnist);
  await says(page, "10,000 rows in 10 classes", { within: "assay-own-files" });
  const read = performance.now() - began;
  await says(page, "28 × 28 pixels, grey", { within: "assay-data-view" });
  await says(page, /None of the \d+ checks that could be made found anything/, { within: "assay-findings" });
  const checked = performance.now() - began;
  console.log(`MNIST: read in ${(read / 1e3).toFixed(1)} s, read and checked in ${(checked / 1e3).toFixed(1)} s`);
  assert.ok(checked < 10_000, `${checked} ms`);
  assert.deepEqual(page.problems, []);
  await page.close();
});
