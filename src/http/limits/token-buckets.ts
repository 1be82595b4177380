import { LRUCache } from 'lru-cache';

/**
 * A token bucket per name, full at first. Of so many names the least recently used are forgotten, and begin anew.
 * @see Turner, "New directions in communications", IEEE Communications Magazine, 1986
 */
export class TokenBuckets {
  readonly #buckets: LRUCache<string, { tokens: number; atMs: number }>;
  readonly #perMs: number;

  /** @param capacity tokens of a full bucket @param refillMs in which an empty one is full again @param names at most */
  constructor(
    private readonly capacity: number,
    refillMs: number,
    names: number,
  ) {
    this.#buckets = new LRUCache({ max: names });
    this.#perMs = capacity / refillMs;
  }

  /** Takes a token. @param nowMs monotonic @returns in how many ms there will be one; 0 where it has been taken */
  take(name: string, nowMs: number): number {
    const bucket = this.#buckets.get(name);
    const tokens = bucket
      ? Math.min(this.capacity, bucket.tokens + (nowMs - bucket.atMs) * this.#perMs)
      : this.capacity;
    const taken = tokens >= 1;
    this.#buckets.set(name, { tokens: taken ? tokens - 1 : tokens, atMs: nowMs });
    return taken ? 0 : (1 - tokens) / this.#perMs;
  }
}
