import { Logger } from '@nestjs/common';
import { RedisConnection } from '../../src/cache/index.js';
import { Settings } from '../../src/config/index.js';
import { FeedSlot } from '../../src/invalidation/feed/feed-slot.js';
import { ChangeFeed } from '../../src/invalidation/index.js';
import { cacheStatus } from '../support/cache-status.js';
import { startPostgres, startRedis, type TestRedis } from '../support/services.js';
import { sqlFromElsewhere } from '../support/sql-from-elsewhere.js';
import { createMigratedDatabase, migrateDatabase, startApp, type TestApp } from '../support/start-app.js';
import { eventually, until } from '../support/until.js';

let redis: TestRedis;
let database: Awaited<ReturnType<typeof createMigratedDatabase>>;
let nodes: TestApp[];

const env = { CACHE_FEED: 'on', CACHE_TTL_MS: '600000' };
const start = (own: Record<string, string> = {}) =>
  startApp({ redis: redis.url, database: database.url, env: { ...env, ...own } });
const stateOf = (node: TestApp) => node.app.get(ChangeFeed).state;
const genOf = (node: TestApp) => {
  try {
    return node.app.get(RedisConnection).gen;
  } catch {
    return undefined;
  }
};
const reader = () => nodes.find((node) => stateOf(node) === 'leading');
const settled = () => until(() => nodes.filter((node) => stateOf(node) === 'leading').length === 1);

beforeAll(async () => {
  [redis, database] = await Promise.all([startRedis(), createMigratedDatabase()]);
});
afterAll(async () => {
  await database.drop();
  await redis.stop();
});
beforeEach(async () => {
  nodes = [await start(), await start()];
  await settled();
});
afterEach(async () => {
  await Promise.all(nodes.map((node) => node.close()));
});

const sql = <T = unknown>(text: string, parameters: unknown[] = []) =>
  nodes.at(-1)!.dataSource.query<T[]>(text, parameters);
const cached = async (path: string) => {
  for (const node of nodes) await until(async () => /^hit/.test(cacheStatus(await node.http.get(path)).api ?? ''));
};
const create = async (): Promise<number> => {
  const item = { name: 'before', category: 'feed', price: 1, quantity: 1 };
  const { body } = await nodes.at(-1)!.http.post('/items').send(item).expect(201);
  await cached(`/items/${body.id}`);
  return body.id as number;
};
const rename = (id: number) => sql("UPDATE items SET name = 'after' WHERE id = $1", [id]);
const seen = async (id: number) => {
  for (const node of nodes) await until(async () => (await node.http.get(`/items/${id}`)).body.name === 'after');
};

it('another node reads on where the reader left off', async () => {
  const id = await create();
  const gone = reader()!;
  nodes = nodes.filter((node) => node !== gone);
  await gone.close();
  await rename(id);
  await settled();
  await seen(id);
});

it('a reader whose connection is cut begins again, and what was changed meanwhile is seen', async () => {
  const id = await create();
  await sql('SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE active');
  await rename(id);
  await seen(id);
});

it('what is changed while Redis is away is seen when it is back', async () => {
  await Promise.all(nodes.map((node) => node.close()));
  nodes = [await start({ REDIS_TIMEOUT_MS: '300' }), await start({ REDIS_TIMEOUT_MS: '300' })];
  await settled();
  const id = await create();
  redis.pause();
  await rename(id);
  // Health asks Redis on every node, and reads no item.
  const isLost = async (node: TestApp) => {
    await node.http.get('/health');
    return node.app.get(RedisConnection).state !== 'closed';
  };
  await Promise.all(nodes.map((node) => until(() => isLost(node))));
  redis.resume();
  await until(() => nodes.every((node) => node.app.get(RedisConnection).state === 'closed'));
  await seen(id);
});

it('a slot that is lost is made anew, and so is everything that is cached', async () => {
  const id = await create();
  const { gen } = nodes[0]!.app.get(RedisConnection);
  const { name: slot } = await nodes[0]!.app.get(FeedSlot).look();
  await until(async () => {
    await sql('SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = $1', [slot]);
    return sql('SELECT pg_drop_replication_slot($1)', [slot]).then(
      () => true,
      () => false,
    );
  });
  await rename(id);
  await seen(id);
  for (const node of nodes) await until(() => ![undefined, gen].includes(genOf(node)));
  await settled();
  await cached(`/items/${id}`);
});

it('a table that is not published is named, and the service is degraded', async () => {
  await sql('ALTER PUBLICATION strata_feed DROP TABLE items');
  const third = await start();
  try {
    await Promise.all(nodes.map((node) => node.close()));
    nodes = [third];
    await settled();
    await eventually(async () => {
      const { body } = await third.http.get('/health').expect(200);
      expect(body.details.feed).toMatchObject({ status: 'degraded', state: 'leading' });
    });
    // What has been cached meanwhile may be old.
    const { gen } = third.app.get(RedisConnection);
    await sql('ALTER PUBLICATION strata_feed ADD TABLE items');
    await until(() => ![undefined, gen].includes(genOf(third)));
    await eventually(async () => {
      const { body } = await third.http.get('/health').expect(200);
      expect(body.details.feed).toEqual({ status: 'up', state: 'leading' });
    });
  } finally {
    await sql('ALTER PUBLICATION strata_feed ADD TABLE items').catch(() => undefined);
  }
});

it('without its publication no slot is kept, and one warning says so; with it everything is cached anew', async () => {
  const id = await create();
  const { gen } = nodes[0]!.app.get(RedisConnection);
  const warned = jest.spyOn(Logger.prototype, 'warn');
  const slots = () => sql('SELECT slot_name FROM pg_replication_slots WHERE database = current_database()');
  await sql('DROP PUBLICATION strata_feed');
  await until(() => nodes.every((node) => stateOf(node) === 'unsupported'));
  await until(async () => (await slots()).length === 0);
  await rename(id);
  const pauses = 3;
  for (let n = 0; n < pauses; n += 1) await sql('SELECT pg_sleep(0.5)');
  const texts = warned.mock.calls.map(([text]) => String(text)).filter((text) => text.includes('CREATE PUBLICATION'));
  expect(texts).toHaveLength(nodes.length);
  warned.mockRestore();
  await sql('CREATE PUBLICATION strata_feed FOR TABLE items');
  await settled();
  await seen(id);
  for (const node of nodes) await until(() => ![undefined, gen].includes(genOf(node)));
});

it('a slot that has kept changes from when there was no publication is made anew', async () => {
  const id = await create();
  await Promise.all(nodes.map((node) => node.close()));
  await sqlFromElsewhere(database.url, 'DROP PUBLICATION strata_feed');
  await sqlFromElsewhere(database.url, "UPDATE items SET name = 'after' WHERE id = $1", [id]);
  await sqlFromElsewhere(database.url, 'CREATE PUBLICATION strata_feed FOR TABLE items');
  nodes = [await start()];
  await settled();
  await seen(id);
});

it('what the publication lacks of a table is told by the statement that adds it', async () => {
  const [node] = nodes as [TestApp];
  const paths = ['parts', 'app.odd'];
  const slot = new FeedSlot(node.app.get(Settings), node.dataSource, {
    all: () => paths.map((path) => ({ path })),
  } as never);
  await sql('CREATE SCHEMA app');
  await sql('CREATE TABLE app.odd (id int)');
  await sql('CREATE TABLE parts (id int) PARTITION BY RANGE (id)');
  await sql('CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (1) TO (100)');
  const add = (table: string) => ({ table, remedy: `ALTER PUBLICATION strata_feed ADD TABLE ${table}` });
  try {
    expect(await slot.gaps()).toEqual([add('parts'), add('app.odd')]);
    await sql('ALTER PUBLICATION strata_feed ADD TABLE parts, app.odd');
    const viaRoot = 'ALTER PUBLICATION strata_feed SET (publish_via_partition_root = true)';
    expect(await slot.gaps()).toEqual([{ table: 'parts', remedy: viaRoot }]);
    await sql(viaRoot);
    expect(await slot.gaps()).toEqual([]);
    await sql("ALTER PUBLICATION strata_feed SET (publish = 'insert, update')");
    const all = "ALTER PUBLICATION strata_feed SET (publish = 'insert, update, delete, truncate')";
    expect((await slot.gaps())?.map(({ remedy }) => remedy)).toEqual([all, all]);
  } finally {
    slot.close();
    await sql(
      "ALTER PUBLICATION strata_feed SET (publish = 'insert, update, delete, truncate', publish_via_partition_root = false)",
    );
    await sql('DROP SCHEMA app CASCADE');
    await sql('DROP TABLE parts');
  }
});

it('its lag is told by the node that reads, and by no other', async () => {
  // Another one reads where the machine stood still between the two questions.
  await eventually(async () => {
    const samples = await Promise.all(
      nodes.map(async (node) => /^cache_feed_lag_seconds (\S+)/m.exec((await node.http.get('/metrics')).text)?.[1]),
    );
    expect(samples.filter((sample) => sample !== undefined)).toHaveLength(1);
    expect(samples[nodes.indexOf(reader()!)]).toBeDefined();
  });
});

it('a slot that PostgreSQL has given up, because nobody read it for too long, is made anew as well', async () => {
  const keepLittle = ['max_slot_wal_keep_size=1MB', 'min_wal_size=32MB', 'max_wal_size=32MB'];
  const [postgres, ownRedis] = await Promise.all([startPostgres(keepLittle), startRedis()]);
  const own = await postgres.createDatabase();
  await migrateDatabase(own.url);
  const first = await startApp({ redis: ownRedis.url, database: own.url, env });
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
    const second = await startApp({ redis: ownRedis.url, database: own.url, env });
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
  const without = await startApp({ redis: ownRedis.url, database: own.url, env });
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
