import { type EntityManager } from 'typeorm';
import { type Writer } from '../../cache/index.js';

/**
 * Who is writing. Inside a transaction, after its last write: its own id; outside, an id of its own that is later than
 * everything that has committed. Every id below xmin has ended.
 */
export async function identify(manager: EntityManager): Promise<Writer> {
  const [writer] = await manager.query<[Writer]>(
    'SELECT pg_current_xact_id()::text AS xid, pg_snapshot_xmin(pg_current_snapshot())::text AS xmin',
  );
  return writer;
}
