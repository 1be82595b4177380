import { cacheStatus } from '../support/cache-status.js';
import { startPostgres, startRedis, type TestPostgres, type TestRedis } from '../support/services.js';
import { migrateDatabase, startApp, type TestApp } from '../support/start-app.js';
import { until } from '../support/until.js';

let postgres: TestPostgres;
let redis: TestRedis;
let node: TestApp;

beforeAll(async () => {
  [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
  const { url } = await postgres.createDatabase();
  await migrateDatabase(url);
  node = await startApp({ redis: redis.url, database: url });
});

afterAll(async () => {
  await node.close();
  await redis.stop();
  await postgres.stop();
});

const item = (name: string) => ({ name, category: 'outage', price: 1, quantity: 1 });
const create = async (name: string): Promise<string> =>
  `/items/${(await node.http.post('/items').send(item(name)).expect(201)).body.id}`;

describe('while PostgreSQL is down', () => {
  it('what is cached is served, everything else is an honest 503, and all of it heals by itself', async () => {
    const [cached, uncached] = [await create('cached'), await create('uncached')];
    await node.http.get(cached).expect(200);
    await node.http.get('/items?category=outage').expect(200);
    await postgres.kill();

    expect((await node.http.get(cached).expect(200)).body.name).toBe('cached');
    await node.http.get('/items?category=outage').expect(200);
    const refused = await node.http.get('/items?category=unknown').expect(503);
    expect(refused.headers['retry-after']).toBeDefined();
    await node.http.put(cached).send(item('never')).expect(503);
    expect((await node.http.get(cached)).body.name).toBe('cached');

    await postgres.restart();
    await until(async () => (await node.http.put(cached).send(item('after'))).status === 200);
    expect((await node.http.get(cached)).body.name).toBe('after');
    await until(async () => (await node.http.get(uncached)).body.name === 'uncached');
  });

  it('a client that wants a fresh answer gets the kept one, marked as stale for the error', async () => {
    const path = await create('kept');
    await node.http.get(path).expect(200);
    await postgres.kill();
    const answer = await node.http.get(path).set('Cache-Control', 'no-cache').expect(200);
    expect(answer.body.name).toBe('kept');
    expect(cacheStatus(answer).db).toBe('fwd=stale; fwd-status=503; strata-policy=write-through');
    await postgres.restart();
    await until(async () => (await node.http.get('/items?category=fresh')).status === 200);
  });
});
