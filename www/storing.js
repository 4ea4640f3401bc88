// @ts-check
/** @file Commands that store a model again for a look or a file: how far fine-tuning is, and stopping it. They record nothing. */

import { app } from "./app.js";

/**
 * @typedef {Object} Storing
 * @property {number} command Its number.
 * @property {string} purpose What it is for, as the end of "Fine-tuning ".
 * @property {number} fraction Of the fine-tuning, 0 to 1; negative outside of it: everything else takes moments.
 * @property {boolean} stopping
 */

/**
 * Gives such a command and shows its fine-tuning.
 * @param {string} purpose
 * @param {{ type: string } & Record<string, any>} body
 * @param {Uint8Array} weights moved to the worker
 * @returns {Promise<any>} the lab's answer
 */
export async function storedAgain(purpose, body, weights) {
  /** @param {Partial<Storing>} change */
  const show = (change) => {
    const { storing } = app.store.state;
    if (storing?.command === command.id) app.store.update({ storing: { ...storing, ...change } });
  };
  const command = app.lab.command(body, {
    bytes: weights,
    onEvent: (event) => {
      if (event.type === "stage") show({ fraction: event.name === "fine-tuning" ? event.fraction : -1 });
    },
  });
  app.store.update({ storing: { command: command.id, purpose, fraction: -1, stopping: false } });
  try {
    return await command.done;
  } finally {
    if (app.store.state.storing?.command === command.id) app.store.update({ storing: null });
  }
}

/** Ends the fine-tuning between two steps; the command then fails with the kind `stopped`. */
export function stopStoring() {
  const { storing } = app.store.state;
  if (!storing) return;
  app.store.update({ storing: { ...storing, stopping: true } });
  app.lab.command({ type: "stop", target: storing.command }).done.catch(() => {});
}
