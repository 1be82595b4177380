/** Why a level cannot answer. A closed set: it is shown in `Cache-Status` as `detail`. */
export type Unavailability = 'redis' | 'no-epoch' | 'lease' | 'strict' | 'disabled';

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
