// @ts-check
/** @file The class of everything that the module throws; bindgen ships it beside the module, which exports it. */

/** Tell one from another by its `kind`, never by its message. */
export class AssayError extends Error {
  /**
   * @param {string} kind
   * @param {string} message
   */
  constructor(kind, message) {
    super(message);
    this.name = "AssayError";
    this.kind = kind;
  }
}
