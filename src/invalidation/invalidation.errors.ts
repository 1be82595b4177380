import { UnusableRedisError } from '../cache/index.js';

/** A write of a cached entity in a transaction that nobody has been told of: nothing could be fenced before it commits. */
export class UnguardedWriteError extends Error {
  readonly code = 'INVALIDATION_UNGUARDED_WRITE';

  constructor(readonly entity: string) {
    super(
      `${entity} is cached, and a text with several statements has begun this transaction: ` +
        'send BEGIN by itself, or use dataSource.transaction() or queryRunner.startTransaction()',
    );
    this.name = 'UnguardedWriteError';
  }
}

/** A statement that changes rows was sent while its transaction or savepoint was ending: it would take effect outside of it. */
export class OvertakingWriteError extends Error {
  readonly code = 'INVALIDATION_OVERTAKING_WRITE';

  constructor(entity: string) {
    super(
      `a statement that may change ${entity} was sent while its transaction was ending, so that it would take effect outside ` +
        'of it: wait for every statement before the transaction ends',
    );
    this.name = 'OvertakingWriteError';
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

/** Without Redis, no node hears of what another one writes: `strict` would not hold. */
export class NoRedisError extends Error {
  readonly code = 'INVALIDATION_NO_REDIS';

  constructor() {
    super('strict needs a Redis that every node reaches: set REDIS_URL, or use a weaker policy');
    this.name = 'NoRedisError';
  }
}

/** Redis may evict keys that carry no expiry: a fence that is gone refuses nothing, so `strict` cannot be promised. */
export class EvictionPolicyError extends UnusableRedisError {
  override readonly code = 'INVALIDATION_EVICTION_POLICY';

  constructor(readonly evictionPolicy: string) {
    super(`strict needs a Redis that does not evict at will: maxmemory-policy is ${evictionPolicy}, use volatile-lfu`);
    this.name = 'EvictionPolicyError';
  }
}

/** The change feed cannot run until somebody sets up PostgreSQL, or what is in front of it, otherwise. */
export class FeedRefusedError extends Error {
  readonly code = 'INVALIDATION_FEED_REFUSED';

  /** @param reason what is missing; public */
  constructor(
    readonly reason: string,
    options?: ErrorOptions,
  ) {
    super(options?.cause instanceof Error ? `${reason} (${options.cause.message})` : reason, options);
    this.name = 'FeedRefusedError';
  }
}

/** A Redis that says neither `run_id` nor `master_replid`: an older data set in its place would not be noticed. */
export class UnidentifiedServerError extends UnusableRedisError {
  override readonly code = 'INVALIDATION_UNIDENTIFIED_SERVER';

  constructor() {
    super(
      'strict needs a Redis that can be told from another: INFO shows neither run_id nor master_replid. ' +
        'Use a server that shows one of them, or a weaker policy',
    );
    this.name = 'UnidentifiedServerError';
  }
}
