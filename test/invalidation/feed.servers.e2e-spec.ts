import { feedEnv, stateOf } from '../support/feed-nodes.js';
import { startPostgres, startRedis } from '../support/services.js';
import { migrateDatabase, startApp, type TestApp } from '../support/start-app.js';
import { eventually, until } from '../support/until.js';

it('a slot that PostgreSQL has given up, because nobody read it for too long, is made anew as well', async () => {
  const keepLittle = ['max_slot_wal_keep_size=1MB', 'min_wal_size=32MB', 'max_wal_size=32MB'];
  const [postgres, ownRedis] = await Promise.all([startPostgres(keepLittle), startRedis()]);
  const own = await postgres.createDatabase();
  await migrateDatabase(own.url);
  const first = await startApp({ redis: ownRedis.url, database: own.url, env: feedEnv });
  try {
    await until(() => stateOf(first) === 'leading');
    await first.close();
    const idle = await startApp({ database: own.url });
    const since = async () =>
      (await idle.dataSource.query<{ since: Date }[]>('SELECT since FROM cache_feed'))[0]?.since;
    const before = await since();
    for (let n = 0; n < 4; n += 1) {
      await idle.dataSource.query("SELECT pg_logical_emit_message(false, 'noise', repeat('x', 1000000))");
      await idle.dataSource.query('SELECT pg_switch_wal()');
    }
    await idle.dataSource.query('CHECKPOINT');
    const slots = () => idle.dataSource.query<{ wal_status: string }[]>('SELECT wal_status FROM pg_replication_slots');
    await until(async () => (await slots())[0]?.wal_status === 'lost');
    const second = await startApp({ redis: ownRedis.url, database: own.url, env: feedEnv });
    await until(() => stateOf(second) === 'leading');
    expect((await slots()).map(({ wal_status }) => wal_status)).not.toContain('lost');
    // It covers what has been cached since it was made, and nothing from before.
    expect((await since())!.getTime()).toBeGreaterThan(before!.getTime());
    await second.close();
    await idle.close();
  } finally {
    await Promise.all([postgres.stop(), ownRedis.stop()]);
  }
});

it('switched off, or where PostgreSQL does not keep a logical log, the service runs and says so', async () => {
  const [postgres, ownRedis] = await Promise.all([startPostgres(['wal_level=replica']), startRedis()]);
  const own = await postgres.createDatabase();
  await migrateDatabase(own.url);
  const without = await startApp({ redis: ownRedis.url, database: own.url, env: feedEnv });
  const off = await startApp({ redis: ownRedis.url, database: own.url });
  try {
    await until(() => stateOf(without) === 'unsupported');
    const feedAt = async (node: TestApp): Promise<object> =>
      (await node.http.get('/health').expect(200)).body.details.feed as object;
    await eventually(async () => {
      expect(await feedAt(without)).toMatchObject({ status: 'degraded', reason: expect.stringContaining('wal_level') });
      expect(await feedAt(off)).toEqual({ status: 'up', state: 'off' });
    });
  } finally {
    await Promise.all([without.close(), off.close()]);
    await Promise.all([postgres.stop(), ownRedis.stop()]);
  }
});
