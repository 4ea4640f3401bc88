// @ts-check
/** @file Files as a person would have them, made for the tests: a table, an IDX pair, and a ZIP of PNG images in folders. */

import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, deflateSync } from "node:zlib";

/** Numbers from 0 to 1 that are the same each time. @param {number} seed */
export function numbers(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/**
 * Writes files into a fresh folder.
 * @param {Record<string, string|Uint8Array>} files
 * @returns {Promise<Record<string, string>>} Path by name.
 */
export async function written(files) {
  const folder = await mkdtemp(join(tmpdir(), "assay-files-"));
  /** @type {Record<string, string>} */
  const paths = {};
  for (const [name, content] of Object.entries(files)) {
    paths[name] = join(folder, name);
    await writeFile(paths[name], content);
  }
  return paths;
}

/** A table of three kinds of plants that a model can tell apart, semicolons between the cells. @param {number} [rows] */
export function table(rows = 240) {
  const random = numbers(7);
  const lines = ["petal;sepal;stem;leaf;species"];
  for (let row = 0; row < rows; row += 1) {
    const kind = row % 3;
    const cells = [1, 2, 3, 4].map((column) => (kind * column + random()).toFixed(3));
    lines.push([...cells, ["aster", "birch", "clover"][kind]].join(";"));
  }
  return `${lines.join("\n")}\n`;
}

/** Two classes of 8×8 images as PNG in two folders of a ZIP: bright left or bright right. @param {number} [each] */
export function imagesZip(each = 60) {
  const random = numbers(3);
  /** @type {{ name: string, bytes: Buffer }[]} */
  const entries = [];
  for (const side of ["left", "right"]) {
    for (let index = 0; index < each; index += 1) {
      const pixels = Array.from({ length: 64 }, (_, at) => {
        const bright = (at % 8 < 4) === (side === "left");
        return Math.floor((bright ? 150 : 20) + random() * 90);
      });
      entries.push({ name: `${side}/${index}.png`, bytes: png(8, 8, pixels) });
    }
  }
  return zip(entries);
}

/** An IDX pair of so many images of two classes. @param {number} rows */
export function idxPair(rows) {
  const random = numbers(5);
  const images = Buffer.alloc(16 + rows * 64);
  images.set([0, 0, 8, 3]);
  images.writeUInt32BE(rows, 4);
  images.writeUInt32BE(8, 8);
  images.writeUInt32BE(8, 12);
  const labels = Buffer.alloc(8 + rows);
  labels.set([0, 0, 8, 1]);
  labels.writeUInt32BE(rows, 4);
  for (let row = 0; row < rows; row += 1) {
    labels[8 + row] = row % 2;
    for (let at = 0; at < 64; at += 1) images[16 + row * 64 + at] = Math.floor((at < 32 === (row % 2 === 0) ? 150 : 20) + random() * 90);
  }
  return { images, labels };
}

/** A grey PNG. @param {number} width @param {number} height @param {number[]} pixels */
function png(width, height, pixels) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 0, 0, 0, 0], 8);
  const rows = Buffer.concat(Array.from({ length: height }, (_, row) => Buffer.from([0, ...pixels.slice(row * width, (row + 1) * width)])));
  const chunk = (/** @type {string} */ kind, /** @type {Buffer} */ data) => {
    const body = Buffer.concat([Buffer.from(kind, "latin1"), data]);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(data.length);
    const sum = Buffer.alloc(4);
    sum.writeUInt32BE(checksum(body));
    return Buffer.concat([length, body, sum]);
  };
  return Buffer.concat([Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]), chunk("IHDR", header), chunk("IDAT", deflateSync(rows)), chunk("IEND", Buffer.alloc(0))]);
}

/** An archive of stored entries. @param {{ name: string, bytes: Buffer }[]} entries */
function zip(entries) {
  /** @type {Buffer[]} */
  const parts = [];
  /** @type {Buffer[]} */
  const directory = [];
  let at = 0;
  for (const { name, bytes } of entries) {
    const label = Buffer.from(name);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt32LE(checksum(bytes), 10);
    common.writeUInt32LE(bytes.length, 14);
    common.writeUInt32LE(bytes.length, 18);
    common.writeUInt16LE(label.length, 22);
    const local = Buffer.concat([Buffer.from("PK\x03\x04", "latin1"), common, label, bytes]);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(at, 10);
    directory.push(Buffer.concat([Buffer.from("PK\x01\x02\x14\x00", "latin1"), common, place, label]));
    parts.push(local);
    at += local.length;
  }
  const entriesBytes = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", 0, "latin1");
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(entriesBytes.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, entriesBytes, end]);
}

/** @type {Uint32Array|null} */
let sums = null;

/** CRC-32; Node's own only where it has one. @param {Buffer} bytes */
function checksum(bytes) {
  if (typeof crc32 === "function") return crc32(bytes);
  sums ??= Uint32Array.from({ length: 256 }, (_, byte) => {
    let sum = byte;
    for (let bit = 0; bit < 8; bit += 1) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
    return sum >>> 0;
  });
  let sum = 0xffffffff;
  for (const byte of bytes) sum = (sums[(sum ^ byte) & 255] ?? 0) ^ (sum >>> 8);
  return (sum ^ 0xffffffff) >>> 0;
}
