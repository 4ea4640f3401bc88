// @ts-check
/** @file Parts of the run table that need no browser: which rows are drawn, lazy comparisons, steps made only once, figures. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { bytes, millis, percent, plusMinus, points, relative, secs, significant } from "../../www/figures.js";
import { Deltas } from "../../www/run_table/deltas.js";
import { pipeline } from "../../www/run_table/pipeline.js";
import { drawnRows, scrollToSee } from "../../www/run_table/window.js";

/** @import { RunSummary } from "../../www/types.js" */

test("the rows drawn always cover what is seen", () => {
  for (const count of [0, 1, 7, 12, 13, 5000]) {
    for (let scrolled = 0; scrolled <= Math.max(0, count * 48 - 600); scrolled += 37) {
      const { start, end } = drawnRows(scrolled, 600, 48, count);
      assert.ok(start >= 0 && end <= count && end - start <= 40, `${count} rows at ${scrolled}: ${start}..${end}`);
      assert.ok(start * 48 <= scrolled && (end === count || end * 48 >= scrolled + 600), `${count} rows at ${scrolled}: ${start}..${end}`);
    }
  }
});

test("a row is scrolled to only as far as needed", () => {
  assert.equal(scrollToSee(3, 0, 600, 48), 0);
  assert.equal(scrollToSee(0, 500, 600, 48), 0);
  assert.equal(scrollToSee(20, 0, 600, 48), 21 * 48 - 600);
});

/** @param {(a: string, b: string) => any} compare */
function deltasOf(compare) {
  /** @type {string[]} */
  const read = [];
  const deltas = new Deltas({
    compare,
    recordText: async (digest) => {
      read.push(digest);
      return digest === "gone" ? null : `text of ${digest}`;
    },
    pause: async () => {},
  });
  return { deltas, read };
}

const metric = (/** @type {string} */ name, /** @type {string} */ verdict) => ({ name, verdict, delta: 1, reason: "because" });

test("compares each run with the baseline once, reading the baseline once", async () => {
  let compared = 0;
  const { deltas, read } = deltasOf((a, b) => {
    compared += 1;
    assert.equal(a, "text of base");
    return { metrics: [metric("test_loss", "?"), metric("accuracy", b.endsWith("one") ? "better" : "can't tell"), metric("throughput_p50_millis", "?"), metric("p50_millis", "worse")] };
  });
  await deltas.want("base", ["base", "one", "two"]);
  await deltas.want("base", ["one", "two"]);
  assert.equal(compared, 2);
  assert.deepEqual(read, ["base", "one", "two"]);
  assert.equal(deltas.get("base", "one")?.accuracy?.verdict, "better");
  assert.equal(deltas.get("base", "two")?.latency?.verdict, "worse");
  assert.equal(deltas.get("base", "base"), undefined);
});

test("what cannot be compared cannot be told, and stops nothing", async () => {
  const { deltas } = deltasOf((_, b) => {
    if (b.endsWith("bad")) throw { kind: "record", message: "no" };
    return { metrics: [] };
  });
  await deltas.want("base", ["bad", "gone", "fine"]);
  for (const digest of ["bad", "gone", "fine"]) assert.deepEqual(deltas.get("base", digest), { accuracy: null, latency: null }, digest);
});

test("what is no longer looked at is not compared", async () => {
  /** @type {string[]} */
  const compared = [];
  const { deltas } = deltasOf((_, b) => {
    compared.push(b);
    return { metrics: [] };
  });
  const first = deltas.want("base", ["a", "b", "c"]);
  deltas.want("base", ["c"]);
  await first;
  assert.deepEqual(compared, ["text of a", "text of c"]);
});

test("a step of the table is made again only when what it is made of changed", () => {
  const make = pipeline();
  const summaries = new Map([["a", /** @type {RunSummary} */ (/** @type {unknown} */ ({ digest: "a", started: "2026", status: "complete", recipe: { seed: "1" }, flags: [] }))]]);
  const annotations = { a: { pin: true } };
  /** @type {import("../../www/types.js").Field[]} */
  const fields = [];
  const wanted = { summaries, version: 1, annotations, baseline: "a", fields, filter: "", deleted: false, every: false, order: { key: "started", descending: true } };
  const first = make(wanted);
  const again = make({ ...wanted });
  assert.equal(again.rows, first.rows);
  assert.equal(first.baseline?.digest, "a");
  const sorted = make({ ...wanted, order: { key: "accuracy", descending: true } });
  assert.notEqual(sorted.rows, first.rows);
  assert.equal(sorted.columns, first.columns);
  assert.equal(make({ ...wanted, filter: "nothing like it" }).rows.length, 0);
  assert.equal(make({ ...wanted, annotations: { a: { deleted: true } } }).rows.length, 0);
  assert.equal(make({ ...wanted, annotations: { a: { deleted: true } }, filter: "is:deleted" }).rows.length, 1);
});

test("figures carry their unit and no more digits than they mean", () => {
  const found = [
    percent(0.98056), percent(null), plusMinus(0.96, 0.99), points(0.006), points(-0.006), points(0), relative(88, 100), relative(100, 100), relative(6000, 100),
    millis(0.2114), millis(0.0042), millis(1234), bytes(92_345), bytes(512), bytes(4_860_000), secs(75), significant(0.000123, 2), significant(0, 3),
  ];
  assert.deepEqual(found.map((text) => text.replaceAll("\u00a0", " ")), [
    "98.1 %", "–", "±1.5", "+0.6 pp", "−0.6 pp", "±0.0 pp", "−12 %", "±0.0 %", "×60",
    "0.211 ms", "4.20 µs", "1.23 s", "92.3 kB", "512 B", "4.86 MB", "1 min 15 s", "0.00012", "0",
  ]);
});
