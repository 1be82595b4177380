import { type DataSource } from 'typeorm';

/** Any number will do, as long as nothing else in the database uses it as an advisory lock. */
const migrationLock = 7_472_616_461;

/**
 * Runs the pending migrations, then whatever else must happen once, under a lock: of several nodes that start together
 * one does the work and the others wait for it. The lock belongs to the session and cannot outlive the process.
 * @returns the names of the migrations that ran
 */
export async function migrate(dataSource: DataSource, afterwards?: () => Promise<void>): Promise<string[]> {
  const holder = dataSource.createQueryRunner();
  try {
    await holder.query('SELECT pg_advisory_lock($1)', [migrationLock]);
    const ran = await dataSource.runMigrations({ transaction: 'each' });
    await afterwards?.();
    return ran.map(({ name }) => name);
  } finally {
    await holder.query('SELECT pg_advisory_unlock($1)', [migrationLock]).catch(() => undefined);
    await holder.release();
  }
}
