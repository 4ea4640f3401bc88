// @ts-check
/** @file Runs recipes side by side, each lab one at a time. While one of them measures latency all others hold, so that no measurement is disturbed; which lab runs what changes no result but timings. It knows neither store nor log. */

/** @import { LabEvent, Recipe } from "./types.js" */
/** @import { LabClient } from "./lab_client.js" */

/** What this module needs of a lab that was started. @typedef {Pick<LabClient, "command">} Lab */

/**
 * @template Item
 * @typedef {Object} Work
 * @property {() => { item: Item, recipe: Recipe }|null} take The next recipe, or null where none is left; asked anew whenever a lab is free.
 * @property {(event: LabEvent, item: Item) => Promise<void>} onRecord A run's record, with its weights.
 * @property {(event: LabEvent, item: Item) => void} [onGpuLost] The GPU went away under a run. Nobody is asked: the run goes on as its recipe says, or on the CPU.
 * @property {(item: Item, error: Error|null) => void} onEnd
 */

/** A lab and what it is doing. `held` waits for its turn to be timed; `paused` holds while another is timed. */
class Place {
  /** @param {Lab} lab */
  constructor(lab) {
    this.lab = lab;
    /** Of the run's command. */
    this.id = 0;
    /** @type {"free"|"working"|"paused"|"held"|"timing"} */
    this.state = "free";
    /** Resolves when the run has ended, however it ended. @type {Promise<unknown>} */
    this.ended = Promise.resolve();
  }

  /** @param {"pause"|"continue"|"stop"|"decide"} type @param {Record<string, any>} [more] */
  steer(type, more = {}) {
    // A run that has ended meanwhile cannot be steered, and need not be.
    return this.lab.command({ type, target: this.id, ...more }).done.then(
      () => true,
      () => false,
    );
  }
}

export class SideBySide {
  /** @param {readonly Lab[]} labs */
  constructor(labs) {
    this.places = labs.map((lab) => new Place(lab));
    this.stopped = false;
    /** Runs that wait to be timed, the one being timed included. */
    this.waiting = 0;
    /** The turns to be timed, one after the other. @type {Promise<void>} */
    this.turns = Promise.resolve();
  }

  /**
   * @template Item
   * @param {Work<Item>} work
   * @returns {Promise<void>} Resolves when nothing is left and no lab is at work.
   */
  async run(work) {
    await Promise.all(this.places.map((place) => this.keepBusy(place, work)));
  }

  /** Ends every run at its next step; what was measured is recorded. Takes no further recipe. */
  stop() {
    this.stopped = true;
    for (const place of this.places) if (place.state !== "free") void place.steer("stop");
  }

  /**
   * @template Item
   * @param {Place} place
   * @param {Work<Item>} work
   */
  async keepBusy(place, work) {
    for (;;) {
      // The beginning of a run computes as well.
      while (this.waiting > 0) await this.turns;
      const next = this.stopped ? null : work.take();
      if (!next) return;
      /** @type {Error|null} */
      let failure = null;
      try {
        await this.one(place, next.recipe, (event) => work.onRecord(event, next.item), (event) => work.onGpuLost?.(event, next.item));
      } catch (error) {
        failure = error instanceof Error ? error : new Error(String(error));
      }
      work.onEnd(next.item, failure);
    }
  }

  /**
   * @param {Place} place
   * @param {Recipe} recipe
   * @param {(event: LabEvent) => Promise<void>} onRecord
   * @param {(event: LabEvent) => void} onGpuLost
   */
  async one(place, recipe, onRecord, onGpuLost) {
    /** @type {Promise<void>[]} */
    const recorded = [];
    const command = place.lab.command(
      { type: "run", recipe, holdTiming: true },
      {
        onEvent: (event) => {
          if (event.type === "recorded") recorded.push(onRecord(event));
          if (event.type === "gpuLost") {
            onGpuLost(event);
            if (!event.decided) void place.steer("decide", { choice: "cpu" });
          }
          if (event.type === "stage" && event.name === "waiting to be timed") this.wait(place);
        },
      },
    );
    place.id = command.id;
    place.state = "working";
    place.ended = command.done.catch(() => {});
    try {
      await command.done;
    } finally {
      place.state = "free";
    }
    await Promise.all(recorded);
  }

  /** @param {Place} place */
  wait(place) {
    place.state = "held";
    this.waiting += 1;
    this.turns = this.turns.then(() => this.time(place));
  }

  /** Lets a held run measure while no other works. @param {Place} place */
  async time(place) {
    if (place.state === "held") {
      const others = this.places.filter((other) => other.state === "working");
      await Promise.all(others.map((other) => this.pause(other)));
      if (!this.stopped) {
        place.state = "timing";
        void place.steer("continue");
      }
      await place.ended;
    }
    this.waiting -= 1;
    if (this.waiting > 0) return;
    for (const other of this.places.filter(({ state }) => state === "paused")) {
      other.state = "working";
      void other.steer("continue");
    }
  }

  /** A lab answers when it holds. @param {Place} place */
  async pause(place) {
    // Between question and answer the run may have ended, or come to wait for its own turn.
    if ((await place.steer("pause")) && place.state === "working") place.state = "paused";
  }
}
