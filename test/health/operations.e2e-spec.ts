import { readFileSync } from 'node:fs';
import { Logger } from '@nestjs/common';
import { ChangeFeed } from '../../src/invalidation/index.js';
import { migrate } from '../../src/database/index.js';
import { createMigrationDataSource } from '../../src/data-source.js';
import { cacheStatus } from '../support/cache-status.js';
import { startPostgres, startRedis, type TestPostgres, type TestRedis } from '../support/services.js';
import { command } from '../support/site.js';
import { sqlFromElsewhere } from '../support/sql-from-elsewhere.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { until } from '../support/until.js';
import { adminEnv, adminToken, warmingOf } from '../support/warming.js';

const manual = readFileSync('docs/operations.md', 'utf8');
/** What the manual tells an operator to type. */
const typed = (name: string): string =>
  new RegExp(`<!-- ${name}:begin -->\\s*\`\`\`\\w+\\n([^]*?)\`\`\``).exec(manual)?.[1]?.trim() ?? '';

let postgres: TestPostgres;
let redis: TestRedis;

const as = (role: string): string => {
  const url = new URL(postgres.url);
  [url.username, url.password, url.pathname] = [`strata_${role}`, `${role}-secret`, '/strata'];
  return url.href;
};
const superuser = (sql: string) =>
  sqlFromElsewhere(Object.assign(new URL(postgres.url), { pathname: '/strata' }).href, sql);
const redisSays = (...words: string[]) => command(redis, ...words);
const start = (feed: boolean): Promise<TestApp> =>
  startApp({
    redis: `redis://strata:redis-secret@127.0.0.1:${redis.port}`,
    database: as('app'),
    env: {
      ...adminEnv,
      ...{ CACHE_L1_LEASE_MS: '1000', WARM_SCHEDULE: '*/15 * * * *' },
      ...(feed && { CACHE_FEED: 'on', DATABASE_DIRECT_URL: as('feed') }),
    },
  });

beforeAll(async () => {
  [postgres, redis] = await Promise.all([startPostgres(['max_prepared_transactions=5']), startRedis()]);
  // CREATE DATABASE stands alone.
  for (const statement of typed('postgresql-roles').split(';').filter(Boolean))
    await sqlFromElsewhere(postgres.url, statement);
  const migrations = await createMigrationDataSource(as('owner')).initialize();
  await migrate(migrations).finally(() => migrations.destroy());
  await sqlFromElsewhere(as('owner'), typed('postgresql-grants'));
  await redisSays(...typed('redis-acl').split(' '));
});
afterAll(async () => {
  await Promise.all([postgres.stop(), redis.stop()]);
});

/** Everything that the service does, once. */
async function everything(node: TestApp): Promise<number> {
  const { http } = node;
  const admin = { type: 'bearer' } as const;
  const item = (name: string) => ({ name, category: 'rights', price: 1, quantity: 1 });
  const { id } = (await http.post('/items').set('Idempotency-Key', 'key-of-the-test').send(item('made')).expect(201))
    .body;
  for (const policy of ['ttl', 'strict', 'invalidate', 'write-through']) {
    await http.put('/admin/cache/policies/items').auth(adminToken, admin).send({ policy }).expect(200);
    await http.put(`/items/${id}`).send(item(policy)).expect(200);
    for (const path of [`/items/${id}`, '/items?category=rights', '/items?q=writ']) await http.get(path).expect(200);
  }
  const doomed = (await http.post('/items').send(item('doomed')).expect(201)).body.id as number;
  await http.delete(`/items/${doomed}`).expect(204);
  for (const strategy of ['all', 'recent', 'lists']) await warmingOf(node).done({ strategy });
  await http.get(`/admin/cache/entries?key=items:${id}`).auth(adminToken, admin).expect(200);
  await http
    .post('/admin/cache/invalidate')
    .auth(adminToken, admin)
    .send({ keys: [`items:${id}`] })
    .expect(200);
  await http.post('/admin/cache/clear').auth(adminToken, admin).expect(200);
  await until(async () => (await http.get('/health')).body.status === 'ok');
  return id as number;
}

it('the rights in the manual suffice: everything works, and Redis denies nothing', async () => {
  await redisSays('ACL', 'LOG', 'RESET');
  const warned = jest.spyOn(Logger.prototype, 'warn');
  const node = await start(true);
  try {
    await until(() => node.app.get(ChangeFeed).state === 'leading');
    const id = await everything(node);
    await node.http.get(`/items/${id}`).expect(200);
    await superuser(`UPDATE items SET name = 'from elsewhere' WHERE id = ${id}`);
    await until(async () => (await node.http.get(`/items/${id}`)).body.name === 'from elsewhere');
    expect(await redisSays('ACL', 'LOG')).toEqual([]);
    expect(warned.mock.calls.filter(([text]) => /denied|permission|right/i.test(String(text)))).toEqual([]);
  } finally {
    warned.mockRestore();
    await node.close();
  }
});

it('they suffice without the feed, and without what the manual gives for it alone', async () => {
  await sqlFromElsewhere(as('owner'), 'REVOKE ALL ON cache_feed FROM strata_app');
  const node = await start(false);
  try {
    await everything(node);
    expect(await redisSays('ACL', 'LOG')).toEqual([]);
  } finally {
    await node.close();
    await sqlFromElsewhere(as('owner'), typed('postgresql-grants'));
  }
});

it('they allow no more: no changes of tables, no keys of others, no command over the server', async () => {
  for (const statement of [
    'CREATE TABLE mine ()',
    'DROP TABLE items',
    'ALTER TABLE items ADD mine int',
    'TRUNCATE items',
  ])
    await expect(sqlFromElsewhere(as('app'), statement)).rejects.toMatchObject({ code: '42501' });
  await expect(sqlFromElsewhere(as('feed'), 'SELECT FROM items')).rejects.toMatchObject({ code: '42501' });
  for (const words of [
    'FLUSHALL',
    'KEYS *',
    'CONFIG GET *',
    'CLIENT LIST',
    'SHUTDOWN',
    'GET another',
    'PUBLISH another 1',
  ])
    expect(String(await redisSays('ACL', 'DRYRUN', 'strata', ...words.split(' ')))).toMatch(
      /permission|no access|can't/i,
    );
});

it('a feed whose role may not replicate says so, and begins once it may', async () => {
  await superuser('ALTER ROLE strata_feed NOREPLICATION');
  const node = await start(true);
  try {
    await until(() => node.app.get(ChangeFeed).state === 'unsupported');
    const { feed } = (await node.http.get('/health').expect(200)).body.details;
    expect(feed).toMatchObject({ status: 'degraded', reason: expect.stringContaining('REPLICATION') });
    await superuser('ALTER ROLE strata_feed REPLICATION');
    await until(() => node.app.get(ChangeFeed).state === 'leading');
  } finally {
    await superuser('ALTER ROLE strata_feed REPLICATION');
    await node.close();
  }
});

const dropSlots = () =>
  until(() =>
    superuser('SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots').then(
      () => true,
      () => false,
    ),
  );
const waitsForItsSlot = async (node: TestApp): Promise<boolean> => {
  const { feed } = (await node.http.get('/health').expect(200)).body.details;
  return feed.state === 'starting' && /open transaction/.test(feed.reason);
};

it('a node ends at once although PostgreSQL makes it no slot before a transaction ends', async () => {
  await dropSlots();
  await superuser("BEGIN; INSERT INTO cache_feed (slot) VALUES ('none'); PREPARE TRANSACTION 'open'");
  try {
    const node = await start(true);
    await until(() => waitsForItsSlot(node));
    await node.close();
  } finally {
    await superuser("ROLLBACK PREPARED 'open'");
  }
});

it('a forgotten prepared transaction costs no hits, delays the slot only, and is seen once it is committed', async () => {
  await dropSlots();
  await superuser("INSERT INTO items (id, name, category, price, quantity) VALUES (900, 'before', 'prepared', 1, 1)");
  await superuser("BEGIN; UPDATE items SET name = 'after' WHERE id = 900; PREPARE TRANSACTION 'forgotten'");
  const node = await start(true);
  const name = async () => (await node.http.get('/items/900')).body.name as string;
  try {
    await until(async () => /^hit/.test(cacheStatus(await node.http.get('/items/900')).api ?? ''));
    expect(await name()).toBe('before');
    await until(async () => {
      const { feed } = (await node.http.get('/health').expect(200)).body.details;
      return feed.state === 'starting' && /open transaction/.test(feed.reason);
    });
    await superuser("COMMIT PREPARED 'forgotten'");
    await until(() => node.app.get(ChangeFeed).state === 'leading');
    await until(async () => (await name()) === 'after');
    await superuser("BEGIN; UPDATE items SET name = 'later' WHERE id = 900; PREPARE TRANSACTION 'forgotten'");
    await until(async () => /^hit/.test(cacheStatus(await node.http.get('/items/900')).api ?? ''));
    await superuser("COMMIT PREPARED 'forgotten'");
    await until(async () => (await name()) === 'later');
  } finally {
    await node.close();
  }
});
