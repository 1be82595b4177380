// @ts-check
import { isIn } from './history.mjs';

/** @typedef {import('./truth.mjs').Version} Version */
/** @typedef {import('./truth.mjs').Course} Course */

/**
 * How sure it is that every node was told of a version: `sure`, or `cut` where its writer may not have reached Redis, or
 * `sql` where nobody could tell. Strong to weak; what is asked of a weaker class includes the stronger ones.
 * @typedef {'sure' | 'cut' | 'sql'} Certainty
 */

/** @type {readonly Certainty[]} */
const certainties = ['sure', 'cut', 'sql'];

/**
 * The versions of one row by position, with the moments from which on nothing older may be answered. Positions are the
 * order, so a history of the row is linearizable if no operation on a version was over before one on an older version
 * began, and no version was seen before its write began (Gibbons & Korach, "Testing shared memories", 1997: zones, in a
 * known order). Where the database went back, what it lost is excused from everything later until its time is over.
 */
export class RowOrder {
  #acked;
  #seen;
  /** @type {Map<string, Int32Array>} */
  #next = new Map();
  /** @type {Map<string, boolean>} */
  #everIn = new Map();
  #certainties;
  #ends;
  /** @type {Map<number, number[]>} */
  #positions = new Map();
  #floors;

  /**
   * @param {Course} course
   * @param {(version: Version) => Certainty} certaintyOf
   */
  constructor({ versions, ends }, certaintyOf) {
    this.versions = versions;
    this.#ends = ends;
    for (const [position, { version }] of versions)
      this.#positions.set(version, [...(this.#positions.get(version) ?? []), position]);
    this.last = Math.max(0, ...versions.keys());
    this.#certainties = new Map([...versions].map(([number, version]) => [number, certaintyOf(version)]));
    this.#acked = new Float64Array(this.last + 2).fill(Infinity);
    this.#seen = new Float64Array(this.last + 2).fill(Infinity);
    for (const [position, { write }] of versions)
      if (write?.outcome === 'ok') this.#acked[position] = write.completedMs;
    this.#floors = this.#acked;
  }

  /**
   * Where a version of this name is: more than once, oldest first, if the database went back to it.
   * @param {number} version
   * @param {string} name
   */
  positionsOf(version, name) {
    return (this.#positions.get(version) ?? []).filter((position) => this.versions.get(position)?.name === name);
  }

  /** The names that a version ever had. @param {number} version */
  namesOf(version) {
    return (this.#positions.get(version) ?? []).map((position) => this.versions.get(position)?.name ?? '');
  }

  /** A read of this version was complete. @param {number} position @param {number} atMs */
  see(position, atMs) {
    if (this.versions.has(position)) this.#seen[position] = Math.min(this.#seen[position] ?? Infinity, atMs);
  }

  /** Call it once, when everything was noted: from now on each position stands for its version and all newer ones. */
  settle() {
    this.#floors = this.#acked.map((atMs, position) => Math.min(atMs, this.#seen[position] ?? Infinity));
    for (let position = this.last; position >= 0; position -= 1) {
      const excusedMs = this.#ends.get(position) ?? 0;
      for (const table of [this.#acked, this.#seen])
        table[position] = Math.min(table[position] ?? Infinity, Math.max(table[position + 1] ?? Infinity, excusedMs));
      this.#floors[position] = Math.min(this.#floors[position] ?? Infinity, this.#floors[position + 1] ?? Infinity);
    }
  }

  /** Whether the row ever was in a list. @param {string} list */
  everIn(list) {
    let known = this.#everIn.get(list);
    if (known === undefined) {
      known = [...this.versions.values()].some(({ category }) => isIn(list, category));
      this.#everIn.set(list, known);
    }
    return known;
  }

  /**
   * The newest version of which something holds that a read may have shown: `current` if that may rightly be so at its
   * moment, undefined if it never was before.
   * @param {(version: Version) => boolean} holds
   * @param {{ invokedMs: number, completedMs: number }} read
   * @returns {number | 'current' | undefined}
   */
  newest(holds, { invokedMs, completedMs }) {
    const matches = (/** @type {number} */ position) => {
      const version = this.versions.get(position);
      return version !== undefined && holds(version);
    };
    const floor = this.floor(invokedMs);
    // What was written after the read was over, and all that came after that, it cannot have shown.
    for (let position = floor; position <= this.last; position += 1) {
      if ((this.versions.get(position)?.write?.invokedMs ?? -Infinity) > completedMs) break;
      if (matches(position)) return 'current';
    }
    for (let position = floor - 1; position >= 0; position -= 1) if (matches(position)) return position;
    return undefined;
  }

  /**
   * When a write was first acknowledged that was, or came after, the first told change since a position.
   * @param {number} position
   * @param {Certainty} certainty
   * @param {string} [category] of the list that showed the position: only changes that concern it are told to it
   */
  supersededMs(position, certainty, category) {
    return this.#due(this.#acked, position, certainty, category);
  }

  /** The same for the first read that showed it. @param {number} position @param {Certainty} certainty @param {string} [category] */
  outdatedMs(position, certainty, category) {
    return this.#due(this.#seen, position, certainty, category);
  }

  /** @param {Float64Array} table @param {number} position @param {Certainty} certainty @param {string} [category] */
  #due(table, position, certainty, category) {
    const next = this.#nextTold(position, certainty, category);
    let dueMs = table[next] ?? Infinity;
    for (const [end, overMs] of this.#ends) if (position <= end && end < next) dueMs = Math.max(dueMs, overMs);
    return dueMs;
  }

  /** The newest position that was acknowledged or seen before a moment. @param {number} atMs */
  floor(atMs) {
    let low = 0;
    let high = this.last;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.#floors[middle] ?? Infinity) < atMs) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** @param {number} position @param {Certainty} certainty @param {string} [category] */
  #nextTold(position, certainty, category) {
    const name = `${certainty} ${category ?? ''}`;
    let next = this.#next.get(name);
    if (!next) this.#next.set(name, (next = this.#indexTold(certainty, category)));
    return next[Math.min(Math.max(0, position), this.last)] ?? this.last + 1;
  }

  /** @param {Certainty} certainty @param {string} [category] */
  #indexTold(certainty, category) {
    const allowed = certainties.slice(0, certainties.indexOf(certainty) + 1);
    const next = new Int32Array(this.last + 1).fill(this.last + 1);
    for (let position = this.last - 1; position >= 0; position -= 1) {
      const told = this.#concerns(position + 1, category) && allowed.includes(this.#certainty(position + 1));
      next[position] = told ? position + 1 : (next[position + 1] ?? this.last + 1);
    }
    return next;
  }

  /** @param {number} position @returns {Certainty} */
  #certainty(position) {
    return this.#certainties.get(position) ?? 'sql';
  }

  /** Whether a change entered, left or altered a list. @param {number} position @param {string} [category] */
  #concerns(position, category) {
    if (category === undefined) return true;
    const around = [this.versions.get(position), this.versions.get(position - 1)];
    return around.some((known) => !known || isIn(category, known.category));
  }
}
