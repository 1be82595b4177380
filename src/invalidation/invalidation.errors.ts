import { spellableTypes } from '../cache/index.js';

/** A statement that commits by itself changed, or would change, an entity under `strict`: nothing can be fenced before. */
export class UnguardedWriteError extends Error {
  readonly code = 'INVALIDATION_UNGUARDED_WRITE';

  constructor(readonly entity: string) {
    super(`${entity} is under strict: write it inside a transaction`);
    this.name = 'UnguardedWriteError';
  }
}

/** One key of the type can be spelled in several ways, so that a value could be kept under a name that no writer knows. */
export class UnsupportedKeyError extends Error {
  readonly code = 'INVALIDATION_UNSUPPORTED_KEY';

  constructor(entity: string, property: string, type: string) {
    super(
      `${entity} cannot be cached: its primary key ${property} has the type ${type}, of which one key has several spellings; ` +
        `give it a key of another type (${spellableTypes.join(', ')})`,
    );
    this.name = 'UnsupportedKeyError';
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

/** A Redis that says neither `run_id` nor `master_replid`: an older data set in its place would not be noticed. */
export class UnidentifiedServerError extends Error {
  readonly code = 'INVALIDATION_UNIDENTIFIED_SERVER';

  constructor() {
    super(
      'strict needs a Redis that can be told from another: INFO shows neither run_id nor master_replid. ' +
        'Use a server that shows one of them, or a weaker policy',
    );
    this.name = 'UnidentifiedServerError';
  }
}
