// @ts-check
/** @file Serves the built page: with the headers of `cargo xtask serve`, or as a plain static host would. */

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { serveFolders } from "./static_server.mjs";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/**
 * @typedef {object} Served
 * @property {string} url where the page is; ends in a slash
 * @property {() => Promise<void>} close stops the server
 */

/**
 * @param {{ headers?: boolean, prefix?: string }} [options] `headers`: the real server with all it sends (the
 *   default), or a plain static host, which may have the page under a `prefix` such as `/lab/`
 * @returns {Promise<Served>}
 */
export async function servePage({ headers = true, prefix = "/" } = {}) {
  const dir = process.env.ASSAY_PAGE_DIR ?? `${ROOT}target/www`;
  if (!headers) {
    const { origin, close } = await serveFolders({ [prefix]: dir });
    return { url: `${origin}${prefix}`, close };
  }
  if (prefix !== "/") throw new Error("only the plain host can put the page under a prefix: pass headers: false");
  return serveWithXtask(dir);
}

/**
 * @param {string} dir
 * @returns {Promise<Served>}
 */
async function serveWithXtask(dir) {
  const serve = ["serve", "--no-build", "--dir", dir, "--port", "0", "--until-stdin-ends"];
  const xtask = process.env.ASSAY_XTASK;
  const server = xtask ? spawn(xtask, serve, { cwd: ROOT }) : spawn("cargo", ["xtask", ...serve], { cwd: ROOT });
  let complaint = "";
  server.stderr.on("data", (text) => (complaint += text));
  const ended = new Promise((resolve) => {
    server.on("error", resolve);
    server.on("close", resolve);
  });
  /** @type {string | undefined} */
  let url;
  for await (const line of createInterface({ input: server.stdout })) {
    url = /http:\S+/.exec(line)?.[0];
    if (url !== undefined) break;
  }
  if (url === undefined) {
    await ended;
    throw new Error(`the server did not start: ${complaint.trim()}`);
  }
  return {
    url,
    close: async () => {
      server.stdin.end();
      await ended;
    },
  };
}
