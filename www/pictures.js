// @ts-check
/** @file The images of a set and its split, asked of the lab once and kept; and their pixels on a canvas. */

import { app } from "./app.js";

/** @import { LabClient } from "./lab_client.js" */
/** @import { DatasetSummary, Images, Recipe } from "./types.js" */

/** Rows of one command; the lab's own limit is 4,096. */
const ROWS_PER_COMMAND = 2048;

/**
 * One image.
 * @typedef {Object} Picture
 * @property {Uint8ClampedArray|Uint8Array} pixels one byte each, row by row
 * @property {number} width
 * @property {number} height
 * @property {number} channels
 */

/** Images that are kept; more are asked for anew. */
const MAX_KNOWN = 20_000;
/** Summaries that are kept; one of a large set has megabytes. */
const MAX_SUMMARIES = 4;

/** What decides a set, its split and the faults in it. @param {Recipe} recipe */
export function dataKey({ data, split, seed }) {
  return JSON.stringify([data, split, seed]);
}

/** What decides what the rows of a set are, whatever was edited in it. @param {Recipe} recipe */
export function rowsKey({ data, split, seed }) {
  const { edits: _edits, reason: _reason, ...made } = data ?? {};
  return JSON.stringify([Object.entries(made).sort(), ...(made.faults ? [split?.validation, split?.test, seed] : [])]);
}

export class Pictures {
  /** @param {LabClient} lab */
  constructor(lab) {
    this.lab = lab;
    /** By set and row. @type {Map<string, Picture>} */
    this.known = new Map();
    /** By what decides the split. @type {Map<string, Promise<DatasetSummary>>} */
    this.summaries = new Map();
  }

  /**
   * @param {Recipe} recipe whose set and split they are of
   * @param {readonly number[]} rows
   * @returns {Promise<Map<number, Picture>>}
   */
  async images(recipe, rows) {
    const set = rowsKey(recipe);
    if (this.known.size > MAX_KNOWN) this.known.clear();
    const missing = [...new Set(rows)].filter((row) => !this.known.has(`${set} ${row}`));
    for (let start = 0; start < missing.length; start += ROWS_PER_COMMAND) {
      const part = missing.slice(start, start + ROWS_PER_COMMAND);
      /** @type {Images} */
      const { bytes, width, height, channels } = await this.lab.command({ type: "images", recipe, rows: part }).done;
      const size = width * height * channels;
      part.forEach((row, index) => {
        this.known.set(`${set} ${row}`, { pixels: bytes.subarray(index * size, (index + 1) * size), width, height, channels });
      });
    }
    /** @type {Map<number, Picture>} */
    const found = new Map();
    for (const row of rows) {
      const picture = this.known.get(`${set} ${row}`);
      if (picture) found.set(row, picture);
    }
    return found;
  }

  /**
   * @param {Recipe} recipe
   * @param {(stage: string, fraction: number) => void} [onStage] while the set is made
   * @param {(id: number) => void} [onCommand] told the command that makes it, so that it can be stopped
   * @returns {Promise<DatasetSummary>}
   */
  summary(recipe, onStage = () => {}, onCommand = () => {}) {
    const key = dataKey(recipe);
    const known = this.summaries.get(key);
    if (known) return known;
    const command = this.lab.command({ type: "dataset", recipe }, { onEvent: ({ name, fraction }) => onStage(name, fraction) });
    onCommand(command.id);
    /** @type {Promise<DatasetSummary>} */
    const asked = command.done;
    if (this.summaries.size >= MAX_SUMMARIES) this.summaries.clear();
    this.summaries.set(key, asked);
    asked.catch(() => this.summaries.delete(key));
    return asked;
  }
}

/** @type {Pictures|undefined} */
let shared;

/** @returns {Pictures} the page's one */
export function pictures() {
  shared ??= new Pictures(app.lab);
  return shared;
}

/**
 * Draws an image pixel for pixel; the stylesheet scales it. What was written is ink on nothing, so that it suits any
 * background; a photograph is as bright as it was.
 * @param {HTMLCanvasElement} canvas
 * @param {Picture} picture
 * @param {boolean} written
 */
export function drawPicture(canvas, { pixels, width, height, channels }, written) {
  if (height === 1) return drawSignal(canvas, pixels, channels);
  canvas.width = width;
  canvas.height = height;
  const size = width * height;
  const data = new ImageData(width, height);
  for (let index = 0; index < size; index += 1) {
    if (channels === 1 && written) {
      data.data[index * 4 + 3] = pixels[index] ?? 0;
    } else {
      // One plane per channel.
      for (let channel = 0; channel < 3; channel += 1) data.data[index * 4 + channel] = pixels[(channel % channels) * size + index] ?? 0;
      data.data[index * 4 + 3] = 255;
    }
  }
  canvas.getContext("2d")?.putImageData(data, 0, 0);
}

/** Height of a drawn signal, in its own pixels; its width is one pixel a number, at least 64. */
const SIGNAL_HEIGHT = 64;

/**
 * A row of numbers as a line from left to right, one below the other where there are several channels.
 * @param {HTMLCanvasElement} canvas
 * @param {Uint8ClampedArray|Uint8Array} values
 * @param {number} channels
 */
function drawSignal(canvas, values, channels) {
  const length = values.length / channels;
  canvas.width = Math.max(64, length);
  canvas.height = SIGNAL_HEIGHT * channels;
  canvas.classList.add("signal");
  const context = canvas.getContext("2d");
  if (!context) return;
  context.lineWidth = 1.5;
  for (let channel = 0; channel < channels; channel += 1) {
    context.beginPath();
    for (let index = 0; index < length; index += 1) {
      const x = ((index + 0.5) * canvas.width) / length;
      const y = channel * SIGNAL_HEIGHT + 2 + (1 - (values[channel * length + index] ?? 0) / 255) * (SIGNAL_HEIGHT - 4);
      context.lineTo(x, y);
    }
    context.stroke();
  }
}
