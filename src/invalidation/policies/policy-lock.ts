import { type DataSource, type QueryRunner } from 'typeorm';

/**
 * Does something once every writer that runs now has ended; whoever begins meanwhile waits for it, and sees what it did.
 * BEGIN and LOCK are one text: a transaction that TypeORM, or the cache, knows of takes the writers' lock first, and two that
 * wait for writers would then wait for each other.
 */
export async function behindWriters<T>(dataSource: DataSource, work: (runner: QueryRunner) => Promise<T>): Promise<T> {
  const runner = dataSource.createQueryRunner();
  try {
    await runner.query('BEGIN; LOCK TABLE cache_policy_lock IN EXCLUSIVE MODE');
    const result = await work(runner);
    await runner.query('COMMIT');
    return result;
  } catch (error) {
    await runner.query('ROLLBACK').catch(() => undefined);
    throw error;
  } finally {
    await runner.release();
  }
}
