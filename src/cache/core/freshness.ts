import { type Settings } from '../../config/index.js';

/** How long a value may be used. All in milliseconds. */
export interface Lifetime {
  /** From the fill: fresh. */
  readonly freshMs: number;
  /** From the fill: kept, hence fresh or stale-but-verified. */
  readonly keepMs: number;
}

type FreshnessSettings = Pick<Settings, 'cacheTtlMs' | 'cacheTtlJitter' | 'cacheStaleMs'>;

/**
 * How long a value lives that was read some time ago. The jitter spreads the TTL (0.1: by ± 10 %), so that entries filled
 * together do not expire together.
 * @param ageMs since the value was read
 * @param random uniform in [0, 1)
 */
export function lifetime(
  { cacheTtlMs, cacheTtlJitter, cacheStaleMs }: FreshnessSettings,
  ageMs = 0,
  random = Math.random(),
): Lifetime {
  const freshMs = Math.max(1, Math.round(cacheTtlMs * (1 + cacheTtlJitter * (2 * random - 1)) - ageMs));
  return { freshMs, keepMs: freshMs + cacheStaleMs };
}

/** The narrower of two lifetimes: what a value made of both parts may claim. */
export function narrower(a: Lifetime, b: Lifetime): Lifetime {
  return { freshMs: Math.min(a.freshMs, b.freshMs), keepMs: Math.min(a.keepMs, b.keepMs) };
}
