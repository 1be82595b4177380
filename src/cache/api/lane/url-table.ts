import { randomInt } from 'node:crypto';

/** What is found under a URL, and knows it. */
export interface Located {
  /** Whether it is still found under this one. */
  isAt(url: string): boolean;
}

/** Places that are looked at for one URL, at most. At half a table's places, chance does not get near it. */
const reach = 64;
const fewest = 64;

/**
 * A table of URLs for many that are asked for in turn, when nothing of it is in the processor's caches. A `Map` goes through
 * a chain of entries and looks into the text of each; here hashes lie side by side (open addressing, linear probing), and
 * only what has the right one is looked at.
 *
 * Whoever makes up URLs with the same hash gains nothing: what would lie beyond the reach of a look is not kept.
 */
export class UrlTable<Value extends Located> {
  /** A power of two long; 0: free. */
  #hashes = new Int32Array(fewest);
  #values = places<Value>(fewest);
  #size = 0;

  constructor(private readonly hashOf: (url: string) => number = seededHash(randomInt(2 ** 32))) {}

  get size(): number {
    return this.#size;
  }

  get(url: string): Value | undefined {
    const at = this.#find(url);
    return at === -1 ? undefined : this.#values[at];
  }

  /** @param url one that the value is at, and nothing here is */
  add(url: string, value: Value): void {
    this.#put(this.hashOf(url), value);
    if (this.#size > this.#hashes.length / 2) this.#grow();
  }

  /** While its value is still at this URL. */
  delete(url: string): void {
    let free = this.#find(url);
    if (free === -1) return;
    this.#size -= 1;
    const hashes = this.#hashes;
    const mask = hashes.length - 1;
    // Those behind move up, as far as each may: no look ends at a hole (Knuth, TAOCP vol. 3, 6.4, algorithm R).
    for (let at = (free + 1) & mask; hashes[at] !== 0; at = (at + 1) & mask) {
      const steps = (at - hashes[at]!) & mask;
      if (steps < ((at - free) & mask)) continue;
      hashes[free] = hashes[at]!;
      this.#values[free] = this.#values[at];
      free = at;
    }
    hashes[free] = 0;
    this.#values[free] = undefined;
  }

  #find(url: string): number {
    const hash = this.hashOf(url);
    const hashes = this.#hashes;
    const mask = hashes.length - 1;
    for (let step = 0; step < reach; step += 1) {
      const at = (hash + step) & mask;
      const found = hashes[at];
      if (found === hash && this.#values[at]!.isAt(url)) return at;
      if (found === 0) return -1;
    }
    return -1;
  }

  #put(hash: number, value: Value): void {
    const mask = this.#hashes.length - 1;
    for (let step = 0; step < reach; step += 1) {
      const at = (hash + step) & mask;
      if (this.#hashes[at] !== 0) continue;
      this.#hashes[at] = hash;
      this.#values[at] = value;
      this.#size += 1;
      return;
    }
  }

  #grow(): void {
    const [hashes, values] = [this.#hashes, this.#values];
    this.#hashes = new Int32Array(hashes.length * 2);
    this.#values = places(this.#hashes.length);
    this.#size = 0;
    for (const [at, value] of values.entries()) if (value) this.#put(hashes[at]!, value);
  }
}

/** 32 bits, never 0: FNV-1a from a start of its own, finished as MurmurHash3 does. */
const seededHash = (seed: number) => (url: string) => {
  let hash = seed | 0;
  for (let at = 0; at < url.length; at += 1) hash = Math.imul(hash ^ url.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  hash ^= hash >>> 16;
  return hash === 0 ? 1 : hash;
};

const places = <Value>(count: number) => new Array<Value | undefined>(count).fill(undefined);
