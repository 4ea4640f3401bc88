// @ts-check
/** @file The store tells those who asked, once, and only of what changed. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Store } from "../../www/store.js";

test("tells a subscriber only of the keys it asked for", () => {
  const store = new Store();
  /** @type {string[][]} */
  const heard = [];
  store.subscribe(["queue", "theme"], (changed) => heard.push([...changed]));
  store.update({ theme: "dark", runsLoaded: true });
  store.update({ runsLoaded: false });
  assert.deepEqual(heard, [["theme", "runsLoaded"]]);
});

test("says nothing when a value stays the same", () => {
  const store = new Store();
  let calls = 0;
  store.subscribe(null, () => (calls += 1));
  store.update({ theme: store.state.theme });
  assert.equal(calls, 0);
});

test("ends a subscription, also from inside it", () => {
  const store = new Store();
  let calls = 0;
  const end = store.subscribe(["theme"], () => {
    calls += 1;
    end();
  });
  store.update({ theme: "dark" });
  store.update({ theme: "light" });
  assert.equal(calls, 1);
});

test("leaves an older state as it was", () => {
  const store = new Store();
  const before = store.state;
  store.update({ theme: "dark" });
  assert.equal(before.theme, "light");
});

test("shows the same message once, the newest last, and forgets it when dismissed", () => {
  const store = new Store();
  store.notify("warn", "a");
  store.notify("info", "b");
  store.notify("warn", "a");
  assert.deepEqual(store.state.notices.map(({ text }) => text), ["b", "a"]);
  store.dismiss(store.state.notices[0]?.id ?? 0);
  assert.deepEqual(store.state.notices.map(({ text }) => text), ["a"]);
});
