// @ts-check
/** @file Starts the page: looks at the browser, compiles the module once, makes one of each part and shows the shell. */

import { app } from "./app.js";
import { Drafts } from "./drafts.js";
import { LabClient } from "./lab_client.js";
import { Links } from "./links.js";
import { LogDb } from "./log_db.js";
import { compile, instantiate } from "./page_wasm.js";
import { Router } from "./router.js";
import { RunLog } from "./run_log.js";
import { Runs } from "./runs.js";
import { Store } from "./store.js";
import { adapterOf, environmentFrom, surroundingsNow } from "./surroundings.js";
import { startTheme } from "./theme.js";

async function start() {
  const store = new Store();
  app.store = store;
  startTheme(store);
  const surroundings = surroundingsNow();
  store.update({ surroundings });
  if (surroundings.lacks.length > 0) return showLacking(surroundings.lacks);

  const [module, db, gpu] = await Promise.all([
    compile(new URL("./pkg/assay_bg.wasm", import.meta.url)),
    LogDb.open(),
    adapterOf(),
  ]);
  store.update({ surroundings: { ...surroundings, ...gpu } });
  const wasm = await instantiate(module);
  const environment = environmentFrom({ ...surroundings, ...gpu }, buildDigest());
  const lab = new LabClient({ module, environment });
  const log = new RunLog({ store, wasm, db });
  const drafts = new Drafts({ store, wasm });
  const links = new Links({ store, wasm, drafts, log });
  const runs = new Runs({ store, wasm, lab, log, drafts });
  const router = new Router((address) => {
    if ("link" in address) {
      links.open(address.link);
      store.update({ route: { view: "experiment", digests: [] } });
    } else {
      store.update({ route: address.route });
    }
  });
  Object.assign(app, { wasm, lab, log, drafts, links, runs, router });

  lab.addEventListener("ready", () => store.update({ lab: "ready" }));
  lab.start();
  drafts.setDefault();
  router.start();
  await import("./elements/assay_app.js");
  document.querySelector("#boot")?.remove();
  document.body.append(document.createElement("assay-app"));
  await log.load();
}

/** @param {string[]} sentences */
function showLacking(sentences) {
  const boot = document.querySelector("#boot");
  if (!boot) return;
  const heading = document.createElement("h1");
  heading.textContent = "Assay cannot run here";
  boot.replaceChildren(heading, ...sentences.map((sentence) => Object.assign(document.createElement("p"), { textContent: sentence })));
}

function buildDigest() {
  return document.querySelector('meta[name="assay-build"]')?.getAttribute("content") ?? "";
}

start().catch((error) => {
  console.error(error);
  showLacking([`The page could not start: ${error instanceof Error ? error.message : String(error)}. Reload it; if it stays so, the copy on this server is incomplete.`]);
});
