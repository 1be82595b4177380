import pg from 'pg';
import { CacheEvents, RedisConnection } from '../../src/cache/index.js';
import { ChangeFeed } from '../../src/invalidation/index.js';
import { FeedSlot } from '../../src/invalidation/feed/feed-slot.js';
import { Item } from '../../src/items/item.entity.js';
import { cacheStatus } from '../support/cache-status.js';
import { startPostgres, startRedis, type TestRedis } from '../support/services.js';
import { createMigratedDatabase, migrateDatabase, startApp, type TestApp } from '../support/start-app.js';
import { until } from '../support/until.js';

const item = { name: 'before', category: 'tools', price: 1, quantity: 1 };
const create = async ({ http }: TestApp): Promise<number> =>
  (await http.post('/items').send(item).expect(201)).body.id as number;
const apiStatus = async ({ http }: TestApp, path: string) => cacheStatus(await http.get(path)).api ?? '';
const renew = ({ app }: TestApp) => app.get(RedisConnection).renewGeneration();

let redis: TestRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());
afterEach(() => jest.restoreAllMocks());

describe.each(['write-through', 'strict'])('under %s, a new generation', (policy) => {
  let database: Awaited<ReturnType<typeof createMigratedDatabase>>;
  let node: TestApp;
  beforeAll(async () => {
    database = await createMigratedDatabase();
    node = await startApp({ redis: redis.url, database: database.url, env: { CACHE_POLICY: policy } });
  });
  afterAll(async () => {
    await node.close();
    await database.drop();
  });

  const keptPaths = async (paths: readonly string[]): Promise<number> => {
    let kept = 0;
    for (const path of paths) {
      await node.http.get(path);
      if ((await apiStatus(node, path)).startsWith('hit')) kept += 1;
    }
    return kept;
  };
  const partOfHealth = async () => (await node.http.get('/health').expect(200)).body.details.generation as unknown;
  const earlierWriters = async () => /^cache_earlier_writers (\d+)/m.exec((await node.http.get('/metrics')).text)?.[1];

  it('keeps what is read while a transaction of somebody else stays open, in this database or another', async () => {
    const ids = [await create(node), await create(node)];
    const elsewhere = new URL(database.url);
    elsewhere.pathname = '/postgres';
    const strangers = [database.url, elsewhere.href].map((connectionString) => new pg.Client({ connectionString }));
    for (const stranger of strangers) {
      await stranger.connect();
      await stranger.query('BEGIN');
      await stranger.query('SELECT pg_current_xact_id()');
    }
    try {
      await renew(node);
      const paths = [...ids.map((id) => `/items/${id}`), '/items', '/items?category=tools'];
      expect(await keptPaths(paths)).toBe(paths.length);
      expect(await partOfHealth()).toEqual({ status: 'up' });
      expect(await earlierWriters()).toBe('0');
    } finally {
      for (const stranger of strangers) await stranger.end();
    }
  });

  it('keeps nothing that a running writer of the service changes, and reports the writer until it has ended', async () => {
    const id = await create(node);
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => (end = resolve));
    let wrote = (): void => undefined;
    const written = new Promise<void>((resolve) => (wrote = resolve));
    const writing = node.dataSource.transaction(async (manager) => {
      await manager.save(Item, { id, name: 'after' });
      wrote();
      await ended;
    });
    await written;
    await renew(node);
    expect(await keptPaths([`/items/${id}`])).toBe(0);
    expect(await partOfHealth()).toEqual({
      status: 'degraded',
      reason: expect.stringMatching(/^nothing that is read is kept before transaction \d+ has ended$/),
      openSeconds: expect.any(Number),
      pid: expect.any(Number),
    });
    expect(await earlierWriters()).toBe('1');
    end();
    await writing;
    expect((await node.http.get(`/items/${id}`)).body.name).toBe('after');
    expect(await keptPaths([`/items/${id}`])).toBe(1);
    expect(await partOfHealth()).toEqual({ status: 'up' });
    expect(await earlierWriters()).toBe('0');
  });
});

it('a change whose COMMIT waits for a standby is fenced once loads see it, whatever generation began meanwhile', async () => {
  const postgres = await startPostgres(['synchronous_standby_names=nobody', 'synchronous_commit=local']);
  const database = await postgres.createDatabase();
  await migrateDatabase(database.url);
  const env = { CACHE_FEED: 'on', CACHE_TTL_MS: '600000' };
  const node = await startApp({ redis: redis.url, database: database.url, env });
  const writer = new pg.Client({ connectionString: database.url });
  await writer.connect();
  try {
    await until(() => node.app.get(ChangeFeed).state === 'leading');
    const id = await create(node);
    await writer.query('SET synchronous_commit = on');
    const { rows } = await writer.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    let fences = 0;
    node.app.get(CacheEvents).on('invalidated', ({ source }) => (fences += Number(source === 'feed')));
    const looks = jest.spyOn(FeedSlot.prototype, 'snapshot');
    const committing = writer.query("UPDATE items SET name = 'after' WHERE id = $1", [id]);
    // It is in the log: the feed has fenced it, or goes on looking whether it is visible.
    await until(() => fences > 0 || looks.mock.calls.length > 2);
    await renew(node);
    await until(async () => (await apiStatus(node, `/items/${id}`)).startsWith('hit'));
    await node.dataSource.query('SELECT pg_cancel_backend($1)', [rows[0]!.pid]);
    await committing;
    await until(async () => (await node.http.get(`/items/${id}`)).body.name === 'after');
  } finally {
    await writer.end();
    await node.close();
    await postgres.stop();
  }
});
