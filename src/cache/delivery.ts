import { type Tag } from './core/tags.js';

/** Sends what must not be lost. A port: the invalidation module keeps what Redis cannot be told now. */
export abstract class InvalidationDelivery {
  /** Sends a change of values that no database row stands behind; should it fail, their tags are invalidated first thing on the next connection. */
  abstract deliver(tags: readonly Tag[], send: () => Promise<unknown>): Promise<void>;
}
