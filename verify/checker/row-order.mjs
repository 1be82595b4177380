// @ts-check
/** @typedef {import('./truth.mjs').Version} Version */

/**
 * How sure it is that every node was told of a version: `sure`, or `cut` where its writer may not have reached Redis, or
 * `sql` where nobody could tell. Strong to weak; what is asked of a weaker class includes the stronger ones.
 * @typedef {'sure' | 'cut' | 'sql'} Certainty
 */

/** @type {readonly Certainty[]} */
const certainties = ['sure', 'cut', 'sql'];

/**
 * The versions of one row, with the moments from which on nothing older may be answered. Versions are the order, so a
 * history of the row is linearizable if no operation on a version was over before one on an older version began, and no
 * version was seen before its write began (Gibbons & Korach, "Testing shared memories", 1997: zones, in a known order).
 */
export class RowOrder {
  #acked;
  #seen;
  /** @type {Map<string, Int32Array>} */
  #next = new Map();
  #certainties;

  /**
   * @param {ReadonlyMap<number, Version>} versions
   * @param {(version: Version) => Certainty} certaintyOf
   */
  constructor(versions, certaintyOf) {
    this.versions = versions;
    this.last = Math.max(0, ...versions.keys());
    this.#certainties = new Map([...versions].map(([number, version]) => [number, certaintyOf(version)]));
    this.#acked = new Float64Array(this.last + 2).fill(Infinity);
    this.#seen = new Float64Array(this.last + 2).fill(Infinity);
    for (const [number, { write }] of versions) if (write?.outcome === 'ok') this.#acked[number] = write.completedMs;
  }

  /** A read of this version was complete. @param {number} version @param {number} atMs */
  see(version, atMs) {
    if (this.versions.has(version)) this.#seen[version] = Math.min(this.#seen[version] ?? Infinity, atMs);
  }

  /** Call it once, when everything was noted: from now on each number stands for its version and all newer ones. */
  settle() {
    for (const table of [this.#acked, this.#seen]) {
      for (let version = this.last; version >= 0; version -= 1) {
        table[version] = Math.min(table[version] ?? Infinity, table[version + 1] ?? Infinity);
      }
    }
  }

  /**
   * When a write was first acknowledged that was, or came after, the first told change since a version.
   * @param {number} version
   * @param {Certainty} certainty
   * @param {string} [category] of the list that showed the version: only changes that concern it are told to it
   */
  supersededMs(version, certainty, category) {
    return this.#acked[this.#nextTold(version, certainty, category)] ?? Infinity;
  }

  /** The same for the first read that showed it. @param {number} version @param {Certainty} certainty @param {string} [category] */
  outdatedMs(version, certainty, category) {
    return this.#seen[this.#nextTold(version, certainty, category)] ?? Infinity;
  }

  /** The newest version that was acknowledged or seen before a moment. @param {number} atMs */
  floor(atMs) {
    let low = 0;
    let high = this.last;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      const before = Math.min(this.#acked[middle] ?? Infinity, this.#seen[middle] ?? Infinity) < atMs;
      if (before) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** @param {number} version @param {Certainty} certainty @param {string} [category] */
  #nextTold(version, certainty, category) {
    const name = `${certainty} ${category ?? ''}`;
    let next = this.#next.get(name);
    if (!next) this.#next.set(name, (next = this.#indexTold(certainty, category)));
    return next[Math.min(Math.max(0, version), this.last)] ?? this.last + 1;
  }

  /** @param {Certainty} certainty @param {string} [category] */
  #indexTold(certainty, category) {
    const allowed = certainties.slice(0, certainties.indexOf(certainty) + 1);
    const next = new Int32Array(this.last + 1).fill(this.last + 1);
    for (let version = this.last - 1; version >= 0; version -= 1) {
      const told = this.#concerns(version + 1, category) && allowed.includes(this.#certainty(version + 1));
      next[version] = told ? version + 1 : (next[version + 1] ?? this.last + 1);
    }
    return next;
  }

  /** @param {number} version @returns {Certainty} */
  #certainty(version) {
    return this.#certainties.get(version) ?? 'sql';
  }

  /** Whether a change entered, left or altered a list. @param {number} version @param {string} [category] */
  #concerns(version, category) {
    if (category === undefined) return true;
    const around = [this.versions.get(version), this.versions.get(version - 1)];
    return around.some((known) => !known || known.category === category);
  }
}
