// @ts-check
/** @file The lab's Worker: hands commands to the lab, pumps it between turns of the event loop, hands out its events; it decides nothing. */

import init, { LabWorker } from "./pkg/assay.js";

/** Work between two turns of the event loop, so that Stop and Pause are heard. */
const BUDGET_MILLIS = 12;
/**
 * A busy lab that has nothing to do waits for a GPU, or for a decision. A GPU's answer is looked for again at once for the
 * length of a call, since a call's time is measured so; then ever less often, so that waiting costs no processor.
 */
const EAGER_MILLIS = 30;
const REST_MILLIS = 20;

/** @type {LabWorker|null} */
let lab = null;
/** @type {{ command: object, bytes?: Uint8Array }[]} */
const inbox = [];
const turn = new MessageChannel();
let scheduled = false;
let pumping = false;
let longestMillis = 0;
/** When the lab last did something. */
let lastWorkMillis = 0;

self.onmessage = async ({ data }) => {
  if (data.ping) return postMessage({ pong: true, longestMillis });
  if (data.command) inbox.push(data);
  if (data.module) {
    await init({ module_or_path: data.module });
    lab = new LabWorker();
    postMessage({ ready: true });
  }
  schedule();
};

turn.port1.onmessage = async () => {
  scheduled = false;
  if (!lab || pumping) return;
  pumping = true;
  try {
    for (const { command, bytes } of inbox.splice(0)) lab.command(command, bytes);
    const started = performance.now();
    const { events, busy } = await lab.pump(BUDGET_MILLIS);
    const millis = performance.now() - started;
    longestMillis = Math.max(longestMillis, millis);
    for (const event of events) send(event);
    pumping = false;
    const idle = events.length === 0 && millis < 1;
    if (!idle) lastWorkMillis = started + millis;
    const idleMillis = started - lastWorkMillis;
    if (busy && idle && idleMillis > EAGER_MILLIS) setTimeout(schedule, Math.min(REST_MILLIS, idleMillis / 20));
    else if (busy || inbox.length > 0) schedule();
  } catch (error) {
    postMessage({ crash: String(error) });
  }
};

function schedule() {
  if (!scheduled) turn.port2.postMessage(null);
  scheduled = true;
}

/** @param {Record<string, any>} event */
function send(event) {
  const key = event.buffer ?? event.value?.buffer;
  const bytes = key == null ? undefined : lab?.takeBuffer(key);
  postMessage({ event, bytes }, { transfer: bytes ? [bytes.buffer] : [] });
}
