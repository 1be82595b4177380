import { nothing, type Policy } from './policy.js';

/** A write makes what is cached of it invalid, when it commits. In textbooks: cache-aside with invalidation. */
export const invalidate = {
  name: 'invalidate',
  guarantee:
    'a read after an acknowledged write is never older than it, on another node from the moment that the ' +
    'invalidation arrives there, at most the lease later; ' +
    'if the writer dies between commit and invalidation, at most the lag of the change feed ' +
    '(without one TTL + jitter + `CACHE_STALE_MS`)',
  sharesL1: true,
  servesStale: true,
  isCertain: false,
  tellsOfWrites: true,
  stores: false,
  beforeCommit: (write) => write.sendFence(),
  committed: (write) => write.deliverFence(),
  outcomeUnknown: (write) => write.deliverFence(),
  rolledBack: nothing,
} as const satisfies Policy;
