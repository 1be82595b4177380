/**
 * What a loader hands to the cache: a value together with the proof of the statement that read it.
 *
 * The proof is what {@link loadProof} selects, in the same statement as the value (or in an earlier one outside of any
 * transaction: an older snapshot claims less). It is what lets a fill prove which writers it saw.
 */
export interface Loaded<T> {
  readonly value: T;
  /** Null, or anything else that is no proof: the value is answered, to its own caller only, and kept nowhere. */
  readonly proof: string | null;
}

/** Marks a proof, so that a snapshot from a statement that has not checked anything is not taken for one. */
const mark = 'proven ';

/**
 * SQL of a column that selects the proof of a load: the text of the statement's own snapshot, or null where a fill could
 * not rely on it. It is null
 *  - in a transaction that has written: `pg_current_snapshot()` counts its own, uncommitted id as visible;
 *  - under REPEATABLE READ and SERIALIZABLE: the snapshot may be older than the statement by any time;
 *  - on a standby: its snapshot does not list which ids below xmax are still running.
 */
export const loadProof = `CASE WHEN pg_current_xact_id_if_assigned() IS NULL AND NOT pg_is_in_recovery()
  AND current_setting('transaction_isolation') IN ('read committed', 'read uncommitted')
  THEN '${mark}' || pg_current_snapshot()::text END`;

/** The snapshot that a load has proven; undefined where it has proven nothing. */
export function provenSnapshot({ proof }: Pick<Loaded<unknown>, 'proof'>): string | undefined {
  return typeof proof === 'string' && proof.startsWith(mark) ? proof.slice(mark.length) : undefined;
}
