import { type Settings } from '../../../config/index.js';

/** How long a hash that holds nothing but a ticket lives, in ms: longer than any load may take. */
export const ticketTtlMs = 30_000;

/** A tag outlives every entry that was made under it. In ms. */
export const tagTtlMs = ({ cacheTtlMs, cacheStaleMs }: Settings): number => 2 * cacheTtlMs + cacheStaleMs + ticketTtlMs;

/** How long it is noted what a transaction has fenced, in ms: a feed that is further behind fences it once more. */
export const notedTtlMs = 10_000;

/** For how long after a reader's ticket the others take it that the reader is loading, in ms. */
export const loadWindowMs = 25;
