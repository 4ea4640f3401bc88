// @ts-check
/** @file Has onnxruntime's tools write the peers' models in 8-bit integers (quantize.py). Keeps what is there and still true. */

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { GRAPHS } from "./graphs.mjs";
import { calibrationRows } from "./numbers.mjs";
import { count } from "./shapes.mjs";

const SCRIPT = fileURLToPath(new URL("quantize.py", import.meta.url));

/**
 * Writes the quantized files of models whose ONNX files are in a folder.
 *
 * @param {string} python the interpreter that has the tools
 * @param {string} folder
 * @param {string[]} models
 */
export async function quantize(python, folder, models) {
  const script = await readFile(SCRIPT);
  for (const model of models) {
    const marker = join(folder, `${model}.quantized`);
    const rows = calibrationRows(count(GRAPHS[model].input));
    const hash = createHash("sha256").update(script).update(await readFile(join(folder, `${model}.onnx`)));
    const digest = hash.update(new Uint8Array(rows.buffer)).digest("hex");
    if ((await readFile(marker, "utf8").catch(() => "")) === digest) continue;
    await writeFile(join(folder, `${model}.calibration.f32`), rows);
    await promisify(execFile)(python, ["-W", "ignore", SCRIPT, folder, model]);
    await writeFile(marker, digest);
  }
}
