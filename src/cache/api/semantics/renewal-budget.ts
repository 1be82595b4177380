import { LRUCache } from 'lru-cache';

/** How many times a second one node honours the wish for a renewed answer of one key, and how many at once. */
export const renewalsPerSecond = 10;

const keys = 10_000;

/**
 * How often clients may have one key made anew: a token bucket per key. Request `no-cache` and `max-age` are honoured
 * (RFC 9111, 5.2.1), but a flood of them must not become a way round the cache: what is beyond the budget is answered like
 * a request that asked for nothing in particular, from what was renewed a tenth of a second ago.
 */
export class RenewalBudget {
  readonly #buckets = new LRUCache<string, { tokens: number; atMs: number }>({ max: keys });

  /** @param nowMs monotonic */
  spend(key: string, nowMs: number): boolean {
    const bucket = this.#buckets.get(key) ?? { tokens: renewalsPerSecond, atMs: nowMs };
    const refilled = bucket.tokens + ((nowMs - bucket.atMs) / 1_000) * renewalsPerSecond;
    bucket.tokens = Math.min(renewalsPerSecond, refilled);
    bucket.atMs = nowMs;
    this.#buckets.set(key, bucket);
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }
}
