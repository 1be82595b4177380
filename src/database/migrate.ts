import { setTimeout as sleep } from 'node:timers/promises';
import { type DataSource } from 'typeorm';

/** Any number will do, as long as nothing else in the database uses it as an advisory lock. */
const migrationLock = 7_472_616_461;
/** How often a node that waits for another's migrations looks again, in ms. */
const retryMs = 100;

/**
 * Runs the pending migrations, then whatever else must happen once, under a lock: of several nodes that start together
 * one does the work and the others wait for it. The lock belongs to a transaction that does nothing else: it cannot outlive
 * the process, nor stay behind in a pooler as a session's lock does.
 * @returns the names of the migrations that ran
 */
export async function migrate(dataSource: DataSource, afterwards?: () => Promise<void>): Promise<string[]> {
  for (;;) {
    const ran = await dataSource.transaction(async (holder) => {
      // It is idle for as long as the work takes, whatever the role's deadline is.
      await holder.query('SET LOCAL idle_in_transaction_session_timeout = 0');
      const sql = 'SELECT pg_try_advisory_xact_lock($1) AS locked';
      const [{ locked }] = await holder.query<[{ locked: boolean }]>(sql, [migrationLock]);
      if (!locked) return undefined;
      const migrations = await dataSource.runMigrations({ transaction: 'each' });
      await afterwards?.();
      return migrations.map(({ name }) => name);
    });
    if (ran) return ran;
    // Whoever waited inside the transaction would keep a pooler's connection from the one that works.
    await sleep(retryMs);
  }
}
