// @ts-check
/** @file Fetches the GPU's programs, which the build writes beside the module; bindgen ships this file, and it opens no GPU. */

/** @returns {Promise<string>} Each text after a line with its name. */
export async function kernelTexts() {
  // From `snippets/NAME/src/web` to the module's folder; a variable, because there is no such file here.
  const file = "../../../../kernels.js";
  return (await import(file)).default;
}
