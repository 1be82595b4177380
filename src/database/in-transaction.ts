import { type DataSource, type EntityManager } from 'typeorm';
import { codeOf } from './unavailable.js';

const attempts = 4;
const lostRace = new Set(['40001', '40P01']);

/**
 * Runs work in one transaction; where PostgreSQL gave it up for another's sake (serialization failure, deadlock) it is
 * run again from the start, a bounded number of times, after a short random pause.
 */
export async function inTransaction<T>(
  dataSource: DataSource,
  work: (manager: EntityManager) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await dataSource.transaction(work);
    } catch (error) {
      if (attempt === attempts || !lostRace.has(codeOf(error) ?? '')) throw error;
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 10 * 2 ** attempt));
    }
  }
}
