// @ts-check
/**
 * @file Packs what node_gpu.mjs needs into one folder for a Linux machine with a GPU and neither Node nor a network:
 * `node node_gpu_folder.mjs FOLDER`, then there `sh run.sh --rounds 1 --json`. Large files are compressed; run.sh unpacks them.
 */

import { execFileSync } from "node:child_process";
import { cp, mkdir, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { bundleTfjs } from "./bundle_tfjs.mjs";
import { HERE, engines, prepared } from "./engines.mjs";
import { GRAPHS } from "./models/graphs.mjs";
import { prepare } from "./models/prepare.mjs";

const [, , folder] = process.argv;
if (folder === undefined) throw new Error("usage: node node_gpu_folder.mjs FOLDER");
const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const TARGET = process.env.ASSAY_TARGET ?? join(ROOT, "target");
const PAGE = process.env.ASSAY_PAGE_DIR ?? join(TARGET, "www");
/** Files above this size are worth the compression. */
const LARGE = 500_000;

const models = Object.keys(GRAPHS);
await prepare(prepared(TARGET), models);
const tfjs = engines({ page: PAGE, target: TARGET }).find(({ id }) => id === "tfjs-webgpu");
if (tfjs) await bundleTfjs(join(prepared(TARGET), "tfjs_webgpu.mjs"), tfjs.options.backend);

await rm(folder, { recursive: true, force: true });
for (const name of ["adapters", "models", "page"]) await cp(join(HERE, name), join(folder, name), { recursive: true });
for (const name of await readdir(HERE)) if (name.endsWith(".mjs") || name === "package.json") await cp(join(HERE, name), join(folder, name));
/** @type {[string, string][]} from where, to where in the folder */
const files = [
  [join(HERE, "dawn/node_modules/webgpu/dist/linux-x64/dawn.node"), "packed/dawn.node"],
  ...models.flatMap((model) => [".onnx", ".safetensors", ".reference.json"].map((end) => /** @type {[string, string]} */ ([join(prepared(TARGET), model + end), `packed/peers/models/${model}${end}`]))),
  [join(prepared(TARGET), "tfjs_webgpu.mjs"), "packed/peers/models/tfjs_webgpu.mjs"],
  ...["ort.webgpu.min.mjs", "ort-wasm-simd-threaded.asyncify.mjs", "ort-wasm-simd-threaded.asyncify.wasm"].map((name) => /** @type {[string, string]} */ ([join(HERE, "node_modules/onnxruntime-web/dist", name), `node_modules/onnxruntime-web/dist/${name}`])),
  [join(HERE, "node_modules/@tensorflow/tfjs-backend-webgpu/dist/index.js"), "node_modules/@tensorflow/tfjs-backend-webgpu/dist/index.js"],
];
for (const [from, to] of files) await put(await readFile(from), to);
await cp(join(PAGE, "pkg"), join(folder, "packed/www/pkg"), { recursive: true });
await writeFile(join(folder, "packed/www/pkg/package.json"), '{"type":"module"}');
const node = join(folder, "node");
await cp(process.execPath, node);
// Without its symbols it is an eighth smaller; where there is no `strip`, it stays as it is.
try { execFileSync("strip", [node]); } catch { /* as it is */ }
const program = await readFile(node);
await rm(node);
await put(program, "node");
await writeFile(join(folder, "run.sh"), `#!/bin/sh
# Measures the engines on this machine's GPU: sh run.sh --rounds 1 --json
cd "$(dirname "$0")" || exit 1
find . -name '*.gz' -exec gzip -df {} +
chmod +x node
exec ./node node_gpu.mjs "$@"
`);
let bytes = 0;
for (const name of await readdir(folder, { recursive: true })) {
  const found = await stat(join(folder, name));
  if (found.isFile()) bytes += found.size;
}
console.log(`${folder}: ${(bytes / 2 ** 20).toFixed(1)} MiB`);

/**
 * @param {Buffer} content
 * @param {string} to
 */
async function put(content, to) {
  const isLarge = content.length > LARGE;
  const file = join(folder, isLarge ? `${to}.gz` : to);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, isLarge ? gzipSync(content, { level: 9 }) : content);
}
