// @ts-check
/** @file How whole boards were read, as a record tells it: its form is checked, so that a log from elsewhere breaks no view; and boards by what the rule did to them. */

/** @import { Latency, RunRecord } from "./types.js" */

/** @typedef {{ correct: number, total: number, low: number, high: number, confidence: number }} Share */

/**
 * `result::Boards`.
 * @typedef {Object} Way
 * @property {Share} squares
 * @property {Share} boards
 * @property {Share} games
 * @property {number} independent_boards
 * @property {number} independent_games
 * @property {number} looked_at
 * @property {number} macs
 * @property {Pick<Latency, "mean_millis"|"p50_millis"|"p50_low_millis"|"p50_high_millis"|"samples_millis"|"flags">} [latency]
 */

/**
 * `result::Reading`.
 * @typedef {Object} Reading
 * @property {Way} without
 * @property {Way} with
 * @property {number} repaired
 * @property {number} spoiled
 * @property {string[]} positions
 * @property {string} digest
 */

/** @typedef {"repaired"|"spoiled"|"wrong"|"right"} Kind */

/**
 * One board; classes are numbers of the record's own, a8 first.
 * @typedef {Object} Board
 * @property {Kind} kind
 * @property {number} game From 1, in the set.
 * @property {number} picture From 1, in the game.
 * @property {number[]} truth
 * @property {number[]} without
 * @property {number[]} with
 */

/** Letters of a position by class; `result/reading.rs` has the same. */
const LETTERS = ".PNBRQKpnbrqk";
const PLACES = 64;

/** @param {unknown} value */
const isNumber = (value) => typeof value === "number" && Number.isFinite(value);

/** @param {any} it */
const isShare = (it) => it && ["correct", "total", "low", "high", "confidence"].every((name) => isNumber(it[name])) && it.total > 0;

/** @param {any} it */
function isLatency(it) {
  return it === undefined || (it && ["mean_millis", "p50_millis", "p50_low_millis", "p50_high_millis"].every((name) => isNumber(it[name])) && Array.isArray(it.samples_millis) && Array.isArray(it.flags) && it.flags.every((/** @type {unknown} */ flag) => typeof flag === "string"));
}

/** @param {any} it */
function isWay(it) {
  return it && ["squares", "boards", "games"].every((name) => isShare(it[name])) && ["independent_boards", "independent_games", "looked_at", "macs"].every((name) => isNumber(it[name])) && isLatency(it.latency);
}

/**
 * @param {any} value Of `results.reading` of a record.
 * @returns {Reading|null} Null where it is none.
 */
export function readingFrom(value) {
  const sound = value && isWay(value.without) && isWay(value.with) && isNumber(value.repaired) && isNumber(value.spoiled) && Array.isArray(value.positions) && value.positions.every((/** @type {unknown} */ it) => typeof it === "string" && it.length === PLACES && [...it].every((letter) => LETTERS.includes(letter)));
  return sound ? value : null;
}

/**
 * @param {Reading} reading
 * @param {RunRecord["predictions"]} predictions
 * @returns {Board[]} In the order of the test rows; none where the answers are not those of whole boards.
 */
export function boardsOf(reading, predictions) {
  const { rows, labels, predicted } = predictions ?? { rows: [], labels: [], predicted: [] };
  if (rows.length !== reading.positions.length * PLACES) return [];
  const perGame = Math.max(1, Math.round(reading.with.boards.total / reading.with.games.total));
  return reading.positions.map((position, index) => {
    const part = (/** @type {number[]} */ list) => list.slice(index * PLACES, (index + 1) * PLACES);
    const [truth, without] = [part(labels), part(predicted)];
    const read = [...position].map((letter) => LETTERS.indexOf(letter));
    const picture = Math.floor((rows[index * PLACES] ?? 0) / PLACES);
    const [right, rightWith] = [wrongPlaces(without, truth).length === 0, wrongPlaces(read, truth).length === 0];
    /** @type {Kind} */
    const kind = rightWith ? (right ? "right" : "repaired") : right ? "spoiled" : "wrong";
    return { kind, game: Math.floor(picture / perGame) + 1, picture: (picture % perGame) + 1, truth, without, with: read };
  });
}

/**
 * @param {number[]} read
 * @param {number[]} truth
 * @returns {number[]} Places from a8 on.
 */
export function wrongPlaces(read, truth) {
  return read.flatMap((answer, place) => (answer === truth[place] ? [] : [place]));
}

/** A place as chess players call it. @param {number} place */
export function squareName(place) {
  return `${"abcdefgh"[place % 8]}${8 - Math.floor(place / 8)}`;
}

/** The piece of a class as a character; empty for no piece. @param {number} answer */
export function pieceSign(answer) {
  return [..." ♙♘♗♖♕♔♟♞♝♜♛♚"][answer]?.trim() ?? "?";
}
