// @ts-check
/** @file Writes what the engines load: weights, ONNX files and the reference's answers. Keeps what is there and still true. */

import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { GRAPHS } from "./graphs.mjs";
import { labels, uniform } from "./numbers.mjs";
import { toOnnx } from "./onnx.mjs";
import { Reference } from "./reference.mjs";
import { count } from "./shapes.mjs";
import { draw, toSafetensors } from "./weights.mjs";

/** Rows whose logits are compared. */
export const CHECKED_ROWS = 16;
/** Rows and steps of the training whose losses are compared, and its rate: plain SGD, so that the scale of a gradient counts. */
export const CHECKED_TRAINING = { rows: 8, steps: 3, rate: 0.01 };

/**
 * Seeds of everything that is drawn.
 *
 * @param {string} model
 */
const seedOf = (model) => 1 + Object.keys(GRAPHS).indexOf(model);

/**
 * Writes the files of the named models into a folder.
 *
 * @param {string} folder
 * @param {string[]} models
 */
export async function prepare(folder, models) {
  await mkdir(folder, { recursive: true });
  const here = fileURLToPath(new URL(".", import.meta.url));
  const hash = createHash("sha256");
  for (const name of (await readdir(here)).sort()) hash.update(await readFile(join(here, name)));
  const digest = hash.digest("hex");
  for (const model of models) {
    const answers = join(folder, `${model}.reference.json`);
    if ((await readFile(answers, "utf8").then(JSON.parse).catch(() => ({}))).digest === digest) continue;
    const graph = GRAPHS[model];
    const weights = draw(graph, seedOf(model));
    await writeFile(join(folder, `${model}.safetensors`), toSafetensors(weights));
    await writeFile(join(folder, `${model}.onnx`), toOnnx(graph, weights));
    const width = count(graph.input);
    const reference = new Reference(graph, weights);
    const logits = [...reference.predict(uniform(CHECKED_ROWS * width, 1), CHECKED_ROWS)];
    const { rows, steps, rate } = CHECKED_TRAINING;
    const batch = uniform(rows * width, 2);
    const losses = Array.from({ length: steps }, () => reference.train(batch, labels(rows, 2), rate));
    await writeFile(answers, JSON.stringify({ digest, logits, losses }));
  }
}
