// @ts-check
/**
 * @file Puts TensorFlow.js's core, its gradients and one of its backends together as one module, for they are published as many
 * files with bare imports, and the ready-made files lack the gradients. Done again when the lock file is newer.
 */

import { stat } from "node:fs/promises";
import { join } from "node:path";
import { HERE } from "./engines.mjs";

const CORE = `
  export * from "@tensorflow/tfjs-core";
  import "@tensorflow/tfjs-core/dist/register_all_gradients";`;
/** @type {Record<string, string>} */
const BACKENDS = {
  wasm: `export { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";`,
  webgpu: `import "@tensorflow/tfjs-backend-webgpu";`,
};

/** What the packages would import in Node. */
const NODE_ONLY = ["fs", "path", "perf_hooks", "os", "worker_threads", "crypto", "util", "string_decoder", "node-fetch"];

/**
 * @param {string} file to write
 * @param {string} backend
 */
export async function bundleTfjs(file, backend) {
  const age = (/** @type {string} */ path) => stat(path).then(({ mtimeMs }) => mtimeMs, () => -1);
  if ((await age(file)) > (await age(join(HERE, "package-lock.json")))) return;
  const name = "esbuild";
  const { build } = await import(name);
  await build({
    stdin: { contents: CORE + BACKENDS[backend], resolveDir: HERE },
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    mainFields: ["module", "main"],
    external: NODE_ONLY,
    define: { "process.env.NODE_ENV": '"production"' },
    logLevel: "error",
    outfile: file,
  });
}
