// @ts-check
import { createHash } from 'node:crypto';

/**
 * A seeded source of choices (mulberry32). Each part of a run forks one of its own, so that what the readers happen to do
 * does not change when which fault comes.
 */
export class Random {
  #state;
  #seed;

  /** @param {string | number} seed */
  constructor(seed) {
    this.#seed = String(seed);
    this.#state = createHash('sha256').update(this.#seed).digest().readUInt32LE(0);
  }

  /** @param {string | number} name */
  fork(name) {
    return new Random(`${this.#seed}/${name}`);
  }

  /** Uniform in [0, 1). */
  next() {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** @param {number} from @param {number} to */
  between(from, to) {
    return from + (to - from) * this.next();
  }

  /** @param {number} below */
  integer(below) {
    return Math.floor(this.next() * below);
  }

  /** @param {number} probability */
  chance(probability) {
    return this.next() < probability;
  }

  /** @template T @param {readonly T[]} all @returns {T} */
  pick(all) {
    const chosen = all[this.integer(all.length)];
    if (chosen === undefined) throw new Error('nothing to pick from');
    return chosen;
  }

  /** @template T @param {readonly T[]} all @returns {T[]} */
  shuffle(all) {
    const left = [...all];
    return Array.from(all, () => /** @type {T} */ (left.splice(this.integer(left.length), 1)[0]));
  }
}
