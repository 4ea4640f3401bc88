// @ts-check
/** @file Serves the bench's page, isolated so that its clock is fine, and the folders it needs; nothing is cached. */

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";

/** @type {Record<string, string>} */
const TYPES = { ".js": "text/javascript", ".mjs": "text/javascript", ".json": "application/json", ".wasm": "application/wasm" };

const PAGE = `<!doctype html><meta charset="utf-8"><title>Peers</title><link rel="icon" href="data:,">
<script type="module">import { measure } from "/peers/page/measure.mjs"; globalThis.measure = measure;</script>`;

/**
 * @param {Record<string, string>} mounts path that ends in a slash → folder
 * @returns {Promise<{ origin: string, close: () => void }>}
 */
export async function serve(mounts) {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://127.0.0.1");
    response.setHeader("Cross-Origin-Opener-Policy", "same-origin");
    response.setHeader("Cross-Origin-Embedder-Policy", "require-corp");
    response.setHeader("Cache-Control", "no-store");
    if (pathname === "/") {
      response.setHeader("Content-Type", "text/html").end(PAGE);
      return;
    }
    const path = Object.keys(mounts).find((mount) => pathname.startsWith(mount));
    try {
      // Joined to a root before it is normalized, a path cannot climb out of the folder.
      const file = join(mounts[path ?? ""], normalize(`/${decodeURIComponent(pathname.slice(path?.length))}`));
      const content = await readFile(file);
      response.setHeader("Content-Type", TYPES[extname(file)] ?? "application/octet-stream").end(content);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return {
    origin: `http://127.0.0.1:${address.port}/`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
