// @ts-check
/** @file Hands a file to the person: a download made from bytes that are already on the page. */

/**
 * @param {string} name with its ending
 * @param {BlobPart[]} parts
 * @param {string} type media type
 */
export function saveFile(name, parts, type) {
  const address = URL.createObjectURL(new Blob(parts, { type }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  // The browser reads the bytes after this turn; a minute is generous even for a slow disk.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/**
 * @param {string} text
 * @returns {Promise<boolean>} whether the clipboard took it
 */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** @returns {string} today, for file names */
export function today() {
  return new Date().toISOString().slice(0, 10);
}
