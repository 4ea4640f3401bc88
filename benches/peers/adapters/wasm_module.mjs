// @ts-check
/** @file A wasm module that hands out its memory: what the adapters of the Rust peers have in common. */

/** The module's exports, with helpers for its memory. */
export class WasmModule {
  /** @param {string} address */
  static async open(address) {
    const module = await WebAssembly.compileStreaming(fetch(address));
    // What is only linked, a source of entropy for example, must never be called.
    /** @type {Record<string, Record<string, () => never>>} */
    const imports = {};
    for (const { module: from, name } of WebAssembly.Module.imports(module)) {
      (imports[from] ??= {})[name] = () => {
        throw new Error(`the module called ${from}.${name}`);
      };
    }
    return new WasmModule((await WebAssembly.instantiate(module, imports)).exports);
  }

  /** @param {Record<string, any>} exports */
  constructor(exports) {
    this.exports = exports;
  }

  /**
   * Copies arrays into the module's memory for the time of a call, which gets their addresses.
   *
   * @template T
   * @param {(ArrayBufferView & { byteLength: number })[]} arrays
   * @param {(...addresses: number[]) => T} call
   * @returns {T}
   */
  lent(arrays, call) {
    const { reserve, release, memory } = this.exports;
    const addresses = arrays.map((array) => reserve(array.byteLength));
    arrays.forEach((array, index) => {
      new Uint8Array(memory.buffer, addresses[index], array.byteLength).set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
    });
    const answer = call(...addresses);
    addresses.forEach((address, index) => release(address, arrays[index].byteLength));
    return answer;
  }

  /**
   * Numbers that a call writes to an address it is given.
   *
   * @param {number} length
   * @param {(address: number) => void} call
   */
  written(length, call) {
    const { reserve, release, memory } = this.exports;
    const address = reserve(4 * length);
    call(address);
    const values = new Float32Array(memory.buffer, address, length).slice();
    release(address, 4 * length);
    return values;
  }
}
