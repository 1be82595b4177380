/** @typedef {import('../counters.js').Counters} Counters */

const keptMs = 5 * 60_000 + 5_000;

/** @param {Counters} a @param {Counters} b */
const sameWorkers = (a, b) => a.workers.join() === b.workers.join();

/** The pictures of the last minutes: rates are differences between two of them. */
export class History {
  /** @type {Counters[]} */
  #all = [];

  /** @param {Counters} counters */
  add(counters) {
    const last = this.latest;
    // Of other processes, or of one that began anew: nothing can be compared.
    if (last && (counters.atMs < last.atMs || counters.upSeconds < last.upSeconds || !sameWorkers(counters, last)))
      this.#all = [];
    this.#all.push(counters);
    const first = this.#all.findIndex(({ atMs }) => atMs >= counters.atMs - keptMs);
    this.#all.splice(0, first);
  }

  get all() {
    return this.#all;
  }

  get latest() {
    return this.#all.at(-1);
  }

  /**
   * The latest picture, and the one of so long ago, or the oldest there is.
   * @param {number} ms
   * @returns {{ from: Counters, to: Counters, seconds: number } | undefined}
   */
  span(ms) {
    const to = this.latest;
    if (!to) return undefined;
    const from = this.#all.find(({ atMs }) => atMs >= to.atMs - ms - 50) ?? to;
    return { from, to, seconds: (to.atMs - from.atMs) / 1000 };
  }
}
