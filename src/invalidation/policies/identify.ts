import { type EntityManager } from 'typeorm';
import { type Writer } from '../../cache/index.js';

/** A writing transaction, and whether COMMIT itself may still change rows. */
export interface IdentifiedWriter extends Writer {
  readonly deferred: boolean;
}

/** The transaction's own id: one is assigned if it has none yet. */
export const ownXid = 'pg_current_xact_id()::text';
/** The oldest id that is still running: all below it have ended. */
export const oldestXid = 'pg_snapshot_xmin(pg_current_snapshot())::text';
/** Whether there is a constraint trigger that may fire as late as at COMMIT, and change rows there. */
export const deferredTriggers = 'EXISTS (SELECT FROM pg_trigger WHERE tgdeferrable AND NOT tgisinternal)';
/** Whether there is a trigger that acts behind the statement that fires it, and may change what that has returned. */
export const laterTriggers = 'EXISTS (SELECT FROM pg_trigger WHERE tgtype & 66 = 0 AND NOT tgisinternal)';
/** The number of the cache generation in force: a sequence's, hence as it is now, whatever the transaction's snapshot. */
export const generationNumber = '(SELECT last_value::text FROM cache_generation_number)';

/** Selects an {@link IdentifiedWriter}. */
export const writerColumns = [
  `${ownXid} AS xid`,
  `${oldestXid} AS xmin`,
  `${generationNumber} AS number`,
  `${deferredTriggers} AS deferred`,
].join(', ');

/**
 * Who is writing. Inside a transaction, after its last write: its own id; outside, an id of its own that is later than
 * everything that has committed.
 */
export async function identify(manager: EntityManager): Promise<IdentifiedWriter> {
  const [writer] = await manager.query<[IdentifiedWriter]>(`SELECT ${writerColumns}`);
  return writer;
}
