import { DataSource } from 'typeorm';
import { type CacheEvent, CacheEvents, Clock, SystemClock } from '../../src/cache/index.js';
import { Inspector } from '../../src/warming/index.js';
import { ChangeFeed } from '../../src/invalidation/index.js';
import { sharedRedis, type SharedRedis } from '../support/services.js';
import { sqlFromElsewhere } from '../support/sql-from-elsewhere.js';
import { createMigratedDatabase, startApp, type TestApp } from '../support/start-app.js';
import { until } from '../support/until.js';

type Inspected = Extract<CacheEvent, { type: 'inspected' }>;

/** It waits, but not as long as a feed may take whose machine has vanished. */
class ImpatientClock extends SystemClock {
  override sleep(ms: number): Promise<void> {
    return super.sleep(Math.min(ms, 1_500));
  }
}

let database: Awaited<ReturnType<typeof createMigratedDatabase>>;
let redis: SharedRedis;
let app: TestApp;
let id: number;
let inspected: Inspected[];

const start = async (env: Record<string, string> = {}) => {
  [redis, database] = await Promise.all([sharedRedis(), createMigratedDatabase()]);
  app = await startApp({
    redis: redis.url,
    database: database.url,
    env,
    override: (builder) => builder.overrideProvider(Clock).useClass(ImpatientClock),
  });
  // A reader that begins makes everything invalid once.
  if (env['CACHE_FEED'] === 'on') await until(() => app.app.get(ChangeFeed).state === 'leading');
  inspected = [];
  app.app.get(CacheEvents).on('inspected', (event) => inspected.push(event));
  id = (await app.http.post('/items').send(item).expect(201)).body.id as number;
  for (let n = 0; n < 3; n += 1) await app.http.get(`/items/${id}`).expect(200);
};
const item = { name: 'Anvil', category: 'tools', price: 1, quantity: 1 };
const changeBySql = () =>
  sqlFromElsewhere(database.url, 'UPDATE items SET quantity = quantity + 1 WHERE id = $1', [id]);
const inspect = () => app.app.get(Inspector).inspect();
const metric = async (name: string) =>
  (await app.http.get('/metrics')).text.split('\n').filter((line) => line.startsWith(name));

afterEach(async () => {
  await app.close();
  await database.drop();
});

describe('the inspector', () => {
  it('finds everything as it should be, in each place where it is kept', async () => {
    await start();
    expect(await inspect()).toBe(0);
    expect(inspected).toHaveLength(4);
    expect(inspected.every(({ staleSeconds, broken }) => staleSeconds === 0 && !broken)).toBe(true);
    expect(await metric('cache_staleness_seconds_count')).toEqual(['cache_staleness_seconds_count 4']);
  });

  it('says where something is served that the database has not had for longer than is promised', async () => {
    await start({ CACHE_FEED: 'on' });
    await app.app.get(DataSource).query('ALTER PUBLICATION strata_feed DROP TABLE items');
    for (let n = 0; n < 2; n += 1) await app.http.get(`/items/${id}`).expect(200);
    await changeBySql();
    expect(await inspect()).toBe(4);
    expect(inspected.every(({ staleSeconds, broken }) => Number(staleSeconds) >= 1 && broken)).toBe(true);
    expect(await metric('cache_inconsistent_total')).toEqual([
      'cache_inconsistent_total{layer="api"} 2',
      'cache_inconsistent_total{layer="db"} 2',
    ]);
  });

  it('calls nothing broken where nobody reads the change feed, and says how old it is', async () => {
    await start();
    await changeBySql();
    expect(await inspect()).toBe(0);
    expect(Math.max(...inspected.map(({ staleSeconds }) => Number(staleSeconds)))).toBeGreaterThanOrEqual(1);
  });

  it('leaves out what is past its time, and would not be served any more', async () => {
    await start({ CACHE_POLICY: 'ttl', CACHE_TTL_MS: '300', CACHE_STALE_MS: '0' });
    await app.http
      .put(`/items/${id}`)
      .send({ ...item, quantity: 2 })
      .expect(200);
    await new Promise((resolve) => setTimeout(resolve, 400));
    await inspect();
    expect(inspected).toEqual([]);
  });

  it('says that ttl serves old values, and that this is no broken promise', async () => {
    await start({ CACHE_POLICY: 'ttl' });
    await app.http
      .put(`/items/${id}`)
      .send({ ...item, quantity: 2 })
      .expect(200);
    expect(await inspect()).toBe(0);
    expect(inspected.map(({ broken }) => broken)).not.toContain(true);
    expect(Math.max(...inspected.map(({ staleSeconds }) => Number(staleSeconds)))).toBeGreaterThanOrEqual(1);
  });

  it('waits for what is on its way', async () => {
    await start();
    await changeBySql();
    const found = inspect();
    await app.http.get(`/items/${id}`).expect(200);
    await app.http
      .put(`/items/${id}`)
      .send({ ...item, quantity: 9 })
      .expect(200);
    expect(await found).toBe(0);
    expect(inspected.map(({ broken }) => broken)).not.toContain(true);
  });

  it('looks by itself, and not at L1 where nothing is served from there', async () => {
    await start({ CACHE_POLICY: 'strict', INSPECT_EVERY_MS: '50' });
    inspected.splice(0);
    await until(() => inspected.length >= 6);
    // A round that began before the response was there saw the row alone; L1 would show as two of a kind.
    expect(inspected.map(({ layer }) => layer).join()).not.toMatch(/api,api|db,db/);
  });
});
