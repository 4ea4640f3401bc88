// @ts-check
/** @file Keeps the tiles that were measured to be best on this adapter, so that the next visit need not measure again; nothing about a person or a run. */

const KEY = "assay-gpu-tiles";
/** Tiles of every shape of a dozen models have some kilobytes; more than this is not what the lab wrote. */
const MAX_CHARACTERS = 100_000;

/** @param {Pick<Storage, "getItem">|null} [storage] @returns {string} What `tuned` said last, or empty. */
export function keptTiles(storage = storageIfAllowed()) {
  try {
    const tiles = storage?.getItem(KEY) ?? "";
    return tiles.length > MAX_CHARACTERS ? "" : tiles;
  } catch {
    return "";
  }
}

/**
 * @param {string} tiles As `tuned` says them.
 * @param {Pick<Storage, "setItem">|null} [storage]
 */
export function keepTiles(tiles, storage = storageIfAllowed()) {
  try {
    if (tiles.length <= MAX_CHARACTERS) storage?.setItem(KEY, tiles);
  } catch {
    // Full or forbidden: they are measured again on the next visit.
  }
}

function storageIfAllowed() {
  try {
    return localStorage;
  } catch {
    return null;
  }
}
