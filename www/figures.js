// @ts-check
/** @file Numbers and times as people read them: unit, interval, few digits; it knows no DOM. What is missing is an en dash. */

export const NONE = "–";

const GROUPED = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/**
 * @param {number} value
 * @param {number} digits significant ones
 * @returns {string} without an exponent
 */
export function significant(value, digits) {
  if (value === 0) return "0";
  const places = Math.max(0, digits - 1 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(places, 6));
}

const SUPERSCRIPT = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/**
 * @param {number|null|undefined} value of any size, such as a rounding error
 * @returns {string} with two digits and a power of ten where it is small
 */
export function scientific(value) {
  if (value == null || !Number.isFinite(value)) return NONE;
  if (value === 0 || (Math.abs(value) >= 0.01 && Math.abs(value) < 1000)) return significant(value, 2);
  const [digits = "", power = ""] = value.toExponential(1).split("e");
  const raised = [...power.replace("+", "")].map((sign) => (sign === "-" ? "⁻" : (SUPERSCRIPT[Number(sign)] ?? ""))).join("");
  return `${digits}·10${raised}`;
}

/** @param {number|null|undefined} share in 0..=1 */
export function percent(share) {
  return share == null ? NONE : `${(share * 100).toFixed(1)}\u00a0%`;
}

/**
 * Half the width of an interval of shares, in percentage points.
 * @param {number|null|undefined} low
 * @param {number|null|undefined} high
 */
export function plusMinus(low, high) {
  return low == null || high == null ? "" : `±${((high - low) * 50).toFixed(1)}`;
}

/**
 * @param {number} difference of two shares
 * @returns {string} in percentage points, with its sign
 */
export function points(difference) {
  return `${signed((difference * 100).toFixed(1))}\u00a0pp`;
}

/**
 * @param {number} value
 * @param {number} base
 * @returns {string} by how much `value` is more than `base`, in per cent with its sign, or how many times as much
 */
export function relative(value, base) {
  if (base === 0) return NONE;
  // Beyond tenfold a factor is easier to grasp than per cent.
  if (value / base >= 10) return `×${significant(value / base, 2)}`;
  const change = (value / base - 1) * 100;
  return `${signed(Math.abs(change) < 10 ? change.toFixed(1) : change.toFixed(0))}\u00a0%`;
}

/** @param {string} text of a number */
function signed(text) {
  if (Number(text) === 0) return `±${text.replace(/^-/, "")}`;
  return text.startsWith("-") ? `−${text.slice(1)}` : `+${text}`;
}

/** @param {number|null|undefined} value */
export function millis(value) {
  if (value == null) return NONE;
  if (value >= 1000) return `${significant(value / 1000, 3)}\u00a0s`;
  return value < 0.01 ? `${significant(value * 1000, 3)}\u00a0µs` : `${significant(value, 3)}\u00a0ms`;
}

/** @param {number|null|undefined} value */
export function bytes(value) {
  if (value == null) return NONE;
  if (value < 1000) return `${Math.round(value)}\u00a0B`;
  if (value < 1e6) return `${significant(value / 1e3, 3)}\u00a0kB`;
  return value < 1e9 ? `${significant(value / 1e6, 3)}\u00a0MB` : `${significant(value / 1e9, 3)}\u00a0GB`;
}

/** @param {number|null|undefined} value */
export function count(value) {
  return value == null ? NONE : GROUPED.format(value);
}

/** @param {number|null|undefined} value */
export function secs(value) {
  if (value == null) return NONE;
  if (value < 60) return `${significant(value, 2)}\u00a0s`;
  const minutes = Math.floor(value / 60);
  return `${minutes} min ${Math.round(value - minutes * 60)}\u00a0s`;
}

/** @param {number|null|undefined} value rows per second */
export function perSec(value) {
  return value == null || value === 0 ? NONE : `${value >= 1000 ? `${significant(value / 1000, 3)}\u00a0k` : significant(value, 3)} rows/s`;
}

/**
 * @param {string} rfc3339
 * @returns {string} date and time to the minute in the reader's time zone
 */
export function when(rfc3339) {
  const date = new Date(rfc3339);
  if (Number.isNaN(date.getTime())) return rfc3339 || NONE;
  const two = (/** @type {number} */ value) => String(value).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** @param {string|null|undefined} digest */
export function shortDigest(digest) {
  return digest ? `${digest.slice(0, 8)}…` : NONE;
}
