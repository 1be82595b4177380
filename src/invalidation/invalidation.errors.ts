/** A statement that commits by itself changed, or would change, an entity under `strict`: nothing can be fenced before. */
export class UnguardedWriteError extends Error {
  readonly code = 'INVALIDATION_UNGUARDED_WRITE';

  constructor(readonly entity: string) {
    super(`${entity} is under strict: write it inside a transaction`);
    this.name = 'UnguardedWriteError';
  }
}
