// @ts-check
/** @file Writes messages in Protocol Buffers' wire format: https://protobuf.dev/programming-guides/encoding/. Reads nothing. */

const VARINT = 0;
const BYTES = 2;
const FIXED32 = 5;

/** One message; its fields are written in the order in which they are added. */
export class Message {
  constructor() {
    /** @type {Uint8Array[]} */
    this.parts = [];
  }

  /**
   * @param {number} field
   * @param {number} value a whole number from 0 to 2⁵³
   */
  number(field, value) {
    return this.raw(varint(field * 8 + VARINT), varint(value));
  }

  /**
   * @param {number} field
   * @param {number} value
   */
  float(field, value) {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    return this.raw(varint(field * 8 + FIXED32), bytes);
  }

  /**
   * @param {number} field
   * @param {Uint8Array | string | Message} value
   */
  bytes(field, value) {
    const content = value instanceof Message ? value.toBytes() : typeof value === "string" ? new TextEncoder().encode(value) : value;
    return this.raw(varint(field * 8 + BYTES), varint(content.length), content);
  }

  /** @param {Uint8Array[]} parts */
  raw(...parts) {
    this.parts.push(...parts);
    return this;
  }

  toBytes() {
    const bytes = new Uint8Array(this.parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of this.parts) {
      bytes.set(part, at);
      at += part.length;
    }
    return bytes;
  }
}

/** @param {number} value */
function varint(value) {
  const bytes = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return Uint8Array.from([...bytes, rest]);
}
