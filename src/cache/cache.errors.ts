/** Why a level cannot answer. A closed set: it is shown in `Cache-Status` as `detail`. */
export type Unavailability = 'redis' | 'no-epoch' | 'lease' | 'disabled';

/** Redis cannot be asked, or cannot be trusted yet; it is not that nobody wants it. */
export const isAway = (reason: Unavailability): boolean => reason === 'redis' || reason === 'no-epoch';

/** A level cannot answer now. Readers take it as a miss; writers that need the level fail with it. */
export class LevelUnavailableError extends Error {
  readonly code = 'CACHE_LEVEL_UNAVAILABLE';

  constructor(
    readonly reason: Unavailability,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'LevelUnavailableError';
  }
}

/** A Redis that answers and that the cache cannot be kept in. The message says why, and what to do, to anybody. */
export class UnusableRedisError extends Error {
  readonly code: string = 'CACHE_UNUSABLE_REDIS';

  constructor(reason: string) {
    super(reason);
    this.name = 'UnusableRedisError';
  }
}

/** A load came without the proof that a fill needs: nothing of it can be kept. */
export class UnprovenLoadError extends Error {
  readonly code = 'CACHE_UNPROVEN_LOAD';

  constructor(entity: string) {
    super(
      `a load of ${entity} proves nothing: select loadProof in the statement that reads the rows, outside of a transaction`,
    );
    this.name = 'UnprovenLoadError';
  }
}

/** The deadline of one command has passed. The command may still take effect later: every script tolerates that. */
export class DeadlineExceededError extends Error {
  readonly code = 'CACHE_DEADLINE_EXCEEDED';

  constructor(readonly timeoutMs: number) {
    super(`no answer within ${timeoutMs} ms`);
    this.name = 'DeadlineExceededError';
  }
}

/** What is cached of an entity could not be kept right, by its rule or by what the database has of it. */
export class CachedEntityError extends Error {
  readonly code = 'CACHE_ENTITY';

  /** @param faults each with its entity, the reason, and what to do */
  constructor(readonly faults: readonly string[]) {
    super(['cached entities cannot be used as they are declared:', ...faults].join('\n  '));
    this.name = 'CachedEntityError';
  }
}

/** Something is to be cached under a tag that no writer fences. */
export class UnknownTagError extends Error {
  readonly code = 'CACHE_UNKNOWN_TAG';

  constructor(tag: string) {
    super(
      `nothing fences the tag ${JSON.stringify(tag)}: its entity has no rule; ` +
        'declare it with CacheModule.forEntity, and make tags with queryTags or rowTags',
    );
    this.name = 'UnknownTagError';
  }
}
