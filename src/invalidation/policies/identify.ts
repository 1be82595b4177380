import { type EntityManager } from 'typeorm';
import { type Writer } from '../../cache/index.js';

/** The transaction's own id: one is assigned if it has none yet. */
export const ownXid = 'pg_current_xact_id()::text';
/** The oldest id that is still running: all below it have ended. */
export const oldestXid = 'pg_snapshot_xmin(pg_current_snapshot())::text';

/**
 * Who is writing. Inside a transaction, after its last write: its own id; outside, an id of its own that is later than
 * everything that has committed.
 */
export async function identify(manager: EntityManager): Promise<Writer> {
  const [writer] = await manager.query<[Writer]>(`SELECT ${ownXid} AS xid, ${oldestXid} AS xmin`);
  return writer;
}
