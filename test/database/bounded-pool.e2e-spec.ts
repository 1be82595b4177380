import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { boundedPool } from '../../src/database/bounded-pool.js';
import { DatabaseBusyError } from '../../src/database/database.errors.js';
import { createDatabase, type TestDatabase } from '../support/services.js';
import { until } from '../support/until.js';

const queueSize = 20;
let database: TestDatabase;
let pool: pg.Pool & { readonly isCrowded: boolean };

beforeAll(async () => (database = await createDatabase()));
afterAll(() => database.drop());

beforeEach(async () => {
  const BoundedPool = boundedPool(queueSize);
  pool = new BoundedPool({ connectionString: database.url, max: 2 }) as typeof pool;
  await together(2, 0);
});
afterEach(() => pool.end());

/** So many statements, each of so many seconds. */
const together = (count: number, seconds: number) =>
  Promise.all(Array.from({ length: count }, () => pool.query('SELECT pg_sleep($1)', [seconds])));

describe('a pool with a bounded queue', () => {
  it('is not crowded by a burst, and is while its queue lasts', async () => {
    const working = together(queueSize / 2, 0.1);
    expect(pool.isCrowded).toBe(false);
    await until(() => pool.isCrowded);
    await working;
    expect(pool.isCrowded).toBe(false);
    const burst = together(queueSize / 2, 0);
    expect(pool.isCrowded).toBe(false);
    await burst;
  });

  it('is not crowded while the database answers nothing', async () => {
    const answers = Array.from({ length: 4 }, () => pool.query('SELECT pg_sleep(0.5)'));
    let isAnswered = false;
    const first = Promise.race(answers).then(() => (isAnswered = true));
    while (!isAnswered) {
      expect(pool.isCrowded).toBe(false);
      await Promise.race([first, sleep(10)]);
    }
    await Promise.all(answers);
  });

  it('is crowded at once when more than half of its queue is taken, and refuses whom it has no place for', async () => {
    const working = together(2 + queueSize, 0.05);
    expect(pool.isCrowded).toBe(true);
    await expect(pool.query('SELECT 1')).rejects.toThrow(DatabaseBusyError);
    await expect(pool.connect()).rejects.toThrow(DatabaseBusyError);
    await working;
  });
});
