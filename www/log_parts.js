// @ts-check
/** @file Cuts a log file into parts of whole lines, so that a large one is read without stopping the page. Pure. */

/** Characters of a part; a longer line is a part of its own. */
const PART = 1_000_000;

/**
 * @param {AsyncIterable<string>|Iterable<string>} texts of the file, cut anywhere
 * @param {number} [size] characters of a part
 * @returns {AsyncGenerator<{ text: string, line: number }>} whole lines, and the number of the first, counted from 1
 */
export async function* partsOf(texts, size = PART) {
  let text = "";
  let line = 1;
  for await (const piece of texts) {
    text += piece;
    if (text.length < size) continue;
    const end = text.lastIndexOf("\n") + 1;
    if (end === 0) continue;
    const part = text.slice(0, end);
    yield { text: part, line };
    line += linesIn(part);
    text = text.slice(end);
  }
  if (text !== "") yield { text, line };
}

/** @param {string} text */
function linesIn(text) {
  let lines = 0;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) lines += 1;
  return lines;
}
