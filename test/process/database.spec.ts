import pg from 'pg';
import { type BeforeQueryEvent, DataSource } from 'typeorm';
import { dataSourceOptions, isDatabaseUnavailable } from '../../src/database/index.js';
import { createDatabase } from '../support/services.js';

describe('a connection to PostgreSQL', () => {
  it('that ends in the moment in which nobody listens to it does not end the process', () => {
    const { Client } = dataSourceOptions({
      databaseUrl: '',
      databaseTimeoutMs: 1,
      databasePoolSize: 1,
      databaseQueueSize: 1,
    }).extra;
    const terminated = new Error('terminating connection due to administrator command');
    expect(() => new pg.Client().emit('error', terminated)).toThrow('administrator');
    expect(() => new Client({ deadlineMs: 1 }).emit('error', terminated)).not.toThrow();
  });
});

describe('the connections to PostgreSQL', () => {
  it('are waited for by so many, in order; whoever comes then is refused at once', async () => {
    const database = await createDatabase();
    const settings = { databaseUrl: database.url, databaseTimeoutMs: 0, databasePoolSize: 2, databaseQueueSize: 3 };
    const dataSource = await new DataSource(dataSourceOptions(settings)).initialize();
    const begun: number[] = [];
    const note = { beforeQuery: ({ parameters }: BeforeQueryEvent) => void begun.push((parameters as number[])[0]!) };
    try {
      await Promise.all([dataSource.query('SELECT 1'), dataSource.query('SELECT 1')]);
      dataSource.subscribers.push(note);
      const ask = (n: number) => dataSource.query('SELECT $1::int, pg_sleep(0.03)', [n]);
      const outcomes = await Promise.allSettled(Array.from({ length: 8 }, (_, n) => ask(n)));
      const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
      expect(outcomes.map(({ status }) => status)).toEqual([
        ...Array.from({ length: 5 }, () => 'fulfilled'),
        ...Array.from({ length: 3 }, () => 'rejected'),
      ]);
      for (const { reason } of refused) expect(isDatabaseUnavailable(reason)).toBe(true);
      expect(begun).toEqual([0, 1, 2, 3, 4]);
      // The one connection that is idle is nobody's while nobody waits.
      await Promise.all([ask(8), ask(9), ask(10), ask(11), ask(12)]);
    } finally {
      await dataSource.destroy();
      await database.drop();
    }
  });
});
