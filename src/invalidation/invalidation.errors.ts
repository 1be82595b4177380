import { spellableTypes } from '../cache/index.js';

/** A write outside of a transaction: it would commit by itself, under a policy that nothing holds. */
export class UnguardedWriteError extends Error {
  readonly code = 'INVALIDATION_UNGUARDED_WRITE';

  constructor(readonly entity: string) {
    super(`${entity} is cached, so it is written in transactions only: leave out { transaction: false }`);
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

/** Another switch of the entity was asked for before this one had ended: the later one wins. */
export class SupersededSwitchError extends Error {
  readonly code = 'INVALIDATION_SUPERSEDED_SWITCH';

  constructor(entity: string, wanted: string, target: string) {
    super(`the switch of ${entity} to ${wanted} was superseded by a later one to ${target}`);
    this.name = 'SupersededSwitchError';
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
