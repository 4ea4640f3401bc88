// @ts-check
/** @file A web server as plain as they come: files and their types, no other header. Stands for a static host. */

import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { extname, join, normalize } from "node:path";

/** @type {Record<string, string>} */
const TYPES = {
  ".css": "text/css",
  ".html": "text/html",
  ".ico": "image/x-icon",
  ".js": "text/javascript",
  ".json": "application/json",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
  ".webmanifest": "application/manifest+json",
  ".woff2": "font/woff2",
};

/**
 * Serves folders on 127.0.0.1 at a free port.
 *
 * @param {Record<string, string>} folders path that ends in a slash → folder; the longest matching path wins
 * @returns {Promise<{ origin: string, close: () => Promise<void> }>}
 */
export async function serveFolders(folders) {
  const paths = Object.keys(folders).sort((a, b) => b.length - a.length);
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://127.0.0.1");
    const path = paths.find((candidate) => pathname.startsWith(candidate));
    if (path === undefined) {
      response.writeHead(404).end();
      return;
    }
    const rest = decodeURIComponent(pathname.slice(path.length));
    // Joined to a root before it is normalized, a path cannot climb out of the folder.
    const file = join(folders[path], normalize(`/${rest}${rest === "" || rest.endsWith("/") ? "index.html" : ""}`));
    try {
      const content = await readFile(file);
      response.writeHead(200, { "Content-Type": TYPES[extname(file)] ?? "application/octet-stream" }).end(content);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return {
    origin: `http://127.0.0.1:${address.port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
