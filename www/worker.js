// @ts-check
/** @file The lab's Worker: hands commands to the lab, pumps it between turns of the event loop, hands out its events; it decides nothing. */

import init, { LabWorker } from "./pkg/assay.js";
import { SetSource } from "./set_source.js";

/** Work between two turns of the event loop, so that Stop and Pause are heard. */
const BUDGET_MILLIS = 12;
/** Rest after a turn in which a busy lab had nothing to do: it waits for a device, which wakes it. */
const REST_MILLIS = 20;
/** Firefox looks for a device's answers every 100 ms unless it is sent something; each turn of a waiting lab does that. */
const NUDGE_MILLIS = 1;
const restMillis = navigator.userAgent.includes("Firefox") ? NUDGE_MILLIS : REST_MILLIS;

/** @type {LabWorker|null} */
let lab = null;
/** @type {{ command: object, bytes?: Uint8Array }[]} */
const inbox = [];
const turn = new MessageChannel();
let scheduled = false;
let woken = false;
let longestMillis = 0;
/** @type {ReturnType<typeof setTimeout>|undefined} */
let rest;
const sets = new SetSource({ wake: schedule, want: (identity) => postMessage({ want: identity }), send: (event) => postMessage({ event }) });

self.onmessage = async ({ data }) => {
  if (data.ping) return postMessage({ pong: true, longestMillis });
  if (data.found) return sets.found(data.found, data.files);
  if (data.command?.type === "openFiles") return sets.open(data.command, data.files);
  if (data.command?.type === "stop" && sets.stop(data.command.id, data.command.target)) return;
  if (data.command) inbox.push(data);
  if (data.module) {
    await init({ module_or_path: data.module });
    lab = new LabWorker(wake, sets);
    postMessage({ ready: true });
  }
  schedule();
};

turn.port1.onmessage = () => {
  scheduled = false;
  pump();
};

function pump() {
  if (!lab) return;
  clearTimeout(rest);
  try {
    for (const { command, bytes } of inbox.splice(0)) lab.command(command, bytes);
    const started = performance.now();
    const { events, busy } = lab.pump(BUDGET_MILLIS);
    const millis = performance.now() - started;
    longestMillis = Math.max(longestMillis, millis);
    for (const event of events) send(event);
    if (busy && events.length === 0 && millis < 1) rest = setTimeout(schedule, restMillis);
    else if (busy || inbox.length > 0) schedule();
  } catch (error) {
    postMessage({ crash: String(error) });
  }
}

/** A device has answered: the lab goes on before anything else, so that the clock it reads next is not a turn late. */
function wake() {
  if (woken) return;
  woken = true;
  queueMicrotask(() => {
    woken = false;
    pump();
  });
}

function schedule() {
  if (!scheduled) turn.port2.postMessage(null);
  scheduled = true;
}

/** @param {Record<string, any>} event */
function send(event) {
  const taken = (/** @type {number|null|undefined} */ key) => (key == null ? undefined : lab?.takeBuffer(key));
  const bytes = taken(event.buffer ?? event.value?.buffer);
  const fineTuned = taken(event.fineTunedBuffer);
  postMessage({ event, bytes, fineTuned }, { transfer: [bytes, fineTuned].flatMap((each) => (each ? [each.buffer] : [])) });
}
