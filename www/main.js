// @ts-check
/** @file Starts the page: looks at the browser, compiles the module once, makes one of each part and shows the shell. */

import { announce } from "./announcer.js";
import { app } from "./app.js";
import { Drafts } from "./drafts.js";
import { startDropping } from "./dropping.js";
import { findGpu } from "./gpu_surroundings.js";
import { keepTiles, keptTiles } from "./gpu_tiles.js";
import { LabClient } from "./lab_client.js";
import { Links } from "./links.js";
import { LogDb } from "./log_db.js";
import { OwnFiles } from "./own_files.js";
import { compile, instantiate } from "./page_wasm.js";
import { Router } from "./router.js";
import { RunJournal } from "./run_journal.js";
import { RunLog } from "./run_log.js";
import { Runs } from "./runs.js";
import { startShortcuts } from "./shortcuts.js";
import { Store } from "./store.js";
import { Sweeps } from "./sweeps.js";
import { environmentFrom, surroundingsNow } from "./surroundings.js";
import { startTheme } from "./theme.js";
import { Variants } from "./variants.js";

/** @import { Address } from "./router.js" */

/** The lab waits this long for what the browser says of a GPU, which records mention. */
const ADAPTER_MILLIS = 300;

const TITLES = { experiment: "Assay", runs: "Runs · Assay", compare: "Compare · Assay", variants: "Variants · Assay", microscope: "Microscope · Assay", data: "Data · Assay" };

async function start() {
  const store = new Store();
  app.store = store;
  startTheme(store);
  const surroundings = surroundingsNow();
  store.update({ surroundings });
  if (surroundings.lacks.length > 0) return showLacking(surroundings.lacks);

  const adapter = findGpu(surroundings).then((found) => store.update({ surroundings: { ...surroundings, ...found } }));
  const [module, db] = await Promise.all([
    compile(new URL("./pkg/assay_bg.wasm", import.meta.url)),
    LogDb.open(),
    import("./elements/assay_app.js"),
  ]);
  const wasm = await instantiate(module);
  const router = new Router(onAddress);
  const log = new RunLog({ store, wasm, db });
  const drafts = new Drafts({ store, wasm, router });
  const links = new Links({ store, wasm, drafts, log });
  const journal = new RunJournal({ db, wasm, log });
  const lab = makeLab({ module, environment: environmentFrom(surroundings, buildDigest()), tiles: keptTiles() });
  const runs = new Runs({ store, wasm, lab, log, journal, announce });
  const sweeps = new Sweeps({ store, wasm, log, announce, makeLab: () => makeLab(lab) });
  const ownFiles = new OwnFiles({ lab, store });
  const variants = new Variants({ store, lab, log, announce, onModel: () => (runs.loadedModel = null) });
  Object.assign(app, { wasm, router, log, drafts, links, lab, runs, sweeps, variants, ownFiles });
  if (new URLSearchParams(location.search).has("test")) Object.assign(globalThis, { assay: app });

  let first = true;
  /** @param {Address} address */
  function onAddress(address) {
    store.update({ route: "link" in address ? { view: "experiment", digests: [] } : address.route });
    document.title = TITLES[store.state.route.view];
    if (first) links.openFirst(address);
    else if ("link" in address) links.open(address.link);
    else if (store.state.linkProblem) store.update({ linkProblem: null });
    first = false;
  }

  router.start();
  startShortcuts(app);
  startDropping();
  document.querySelector("#boot")?.remove();
  document.body.prepend(document.createElement("assay-app"));
  if (db.message) store.notify("warn", db.message);

  followLab();
  await Promise.race([adapter, new Promise((resolve) => setTimeout(resolve, ADAPTER_MILLIS))]);
  const known = store.state.surroundings ?? surroundings;
  lab.environment = environmentFrom(known, buildDigest());
  lab.gpuMissing = known.gpuMissing;
  lab.start();
  await log.load();
  await runs.findInterrupted();
  const [newest] = store.state.runs;
  if (newest && !store.state.run) await runs.showRecord(newest.digest);
}

/** @param {import("./lab_client.js").Options} options */
function makeLab({ module, environment, gpuMissing, tiles }) {
  const findFiles = (/** @type {string} */ identity) => app.ownFiles.find(identity);
  const lab = new LabClient({ module, environment, gpuMissing, tiles, findFiles });
  lab.addEventListener("tuned", (event) => keepTiles(/** @type {CustomEvent} */ (event).detail.tiles));
  return lab;
}

function followLab() {
  const { lab, store } = app;
  lab.addEventListener("ready", () => {
    store.update({ lab: "ready" });
    tellVisibility();
  });
  document.addEventListener("visibilitychange", tellVisibility);
  lab.addEventListener("restarted", (event) => {
    const worked = store.state.lab === "ready";
    store.update({ lab: "starting" });
    if (worked && !app.runs.going) store.notify("warn", `${/** @type {CustomEvent} */ (event).detail.message} It was started again; the log is untouched.`);
  });
  lab.addEventListener("unavailable", (event) => {
    store.update({ lab: "unavailable" });
    store.notify("error", /** @type {CustomEvent} */ (event).detail.message);
  });
}

/** Latencies measured while the page is hidden are flagged: browsers slow hidden pages down. */
function tellVisibility() {
  if (app.store.state.lab !== "ready") return;
  app.lab.command({ type: "visibility", hidden: document.hidden }).done.catch(() => {});
  app.sweeps.tellVisibility();
}

/** @param {string[]} sentences */
function showLacking(sentences) {
  const place = document.querySelector("#boot") ?? document.body;
  const heading = Object.assign(document.createElement("h1"), { textContent: "Assay cannot run here" });
  const paragraphs = sentences.map((sentence) => Object.assign(document.createElement("p"), { textContent: sentence }));
  place.replaceChildren(heading, ...paragraphs);
}

function buildDigest() {
  return document.querySelector('meta[name="assay-build"]')?.getAttribute("content") ?? "";
}

start().catch((error) => {
  console.error(error);
  const reason = error instanceof Error ? error.message : (error?.message ?? String(error));
  showLacking([`The page could not start: ${reason}. Reload it; if it stays so, the copy on this server is incomplete.`]);
});
