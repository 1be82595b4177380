import { nothing, type Policy } from './policy.js';

/** Nobody is told of a write: values expire. In textbooks: cache-aside with expiry. */
export const ttl = {
  name: 'ttl',
  guarantee: 'at most TTL + jitter (+ `CACHE_STALE_MS`) old',
  sharesL1: true,
  servesStale: true,
  isCertain: false,
  tellsOfWrites: false,
  stores: false,
  beforeCommit: nothing,
  committed: nothing,
  outcomeUnknown: nothing,
  rolledBack: nothing,
} as const satisfies Policy;
