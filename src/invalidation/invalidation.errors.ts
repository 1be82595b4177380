/** A statement that commits by itself changed, or would change, an entity under `strict`: nothing can be fenced before. */
export class UnguardedWriteError extends Error {
  readonly code = 'INVALIDATION_UNGUARDED_WRITE';

  constructor(readonly entity: string) {
    super(`${entity} is under strict: write it inside a transaction`);
    this.name = 'UnguardedWriteError';
  }
}

/** Redis may evict keys that carry no expiry: a fence that is gone refuses nothing, so `strict` cannot be promised. */
export class EvictionPolicyError extends Error {
  readonly code = 'INVALIDATION_EVICTION_POLICY';

  constructor(readonly evictionPolicy: string) {
    super(`strict needs a Redis that does not evict at will: maxmemory-policy is ${evictionPolicy}, use volatile-lfu`);
    this.name = 'EvictionPolicyError';
  }
}
