/**
 * What a loader hands to the cache: a value together with the snapshot that it was read in.
 *
 * The snapshot is the text of PostgreSQL's `pg_current_snapshot()` (`xmin:xmax:xip,…`), taken in the same statement as
 * the value (or in an earlier one: an older snapshot claims less). It is what lets a fill prove which writers it saw.
 */
export interface Loaded<T> {
  readonly value: T;
  readonly snapshot: string;
}
