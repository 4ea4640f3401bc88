// @ts-check
/** @file Assay in a page of one's own: make a model, train it, score it, export it, load it as 8-bit integers, ask it. */

import init, { Model } from "../../www/pkg/assay.js";

await init();

const graph = JSON.stringify({
  assay: "graph",
  version: 1,
  input: [1, 8, 8],
  layers: [
    { name: "conv", type: "convolution", channels: 8, kernel: [3, 3], padding: [1, 1, 1, 1] },
    { name: "relu", type: "activation", function: "relu" },
    { name: "flatten", type: "flatten" },
    { name: "classes", type: "linear", units: 2 },
  ],
});
const model = Model.create(graph, 1);
const learn = stripes(256, 1);
const trained = model.train(learn.images, learn.labels, { steps: 40, batchSize: 32, learningRate: 0.01 });
const test = stripes(500, 2);
const { accuracy, low, high, predictionsDigest } = model.evaluate(test.images, test.labels);
const file = model.exportWeights(); // a safetensors file

const small = Model.load(graph, file, { scheme: "Q8_0" });
const [across, down] = small.predict(test.images.subarray(0, 64), 1);
const answer = down > across ? 1 : 0;
const result = { trained, accuracy, low, high, predictionsDigest, answer, weights: model.weightsDigest(), info: small.info() };
const place = document.querySelector("pre");
if (place) place.textContent = JSON.stringify(result, null, 2);

/** @param {number} count @param {number} seed grey images of 8×8, dark stripes across (0) or down (1) under noise */
function stripes(count, seed) {
  const images = new Float32Array(count * 64);
  const labels = new Uint16Array(count);
  let state = seed;
  for (let at = 0; at < images.length; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const [row, place] = [Math.floor(at / 64), at % 64];
    if (place === 0) labels[row] = state >>> 31;
    const line = labels[row] === 1 ? place % 8 : Math.floor(place / 8);
    images[at] = (line + row) % 2 + (state >>> 24) / 256 - 0.5;
  }
  return { images, labels };
}
