import { CacheEvents } from '../../src/cache/index.js';
import { Settings } from '../../src/config/index.js';
import { cacheStatus } from '../support/cache-status.js';
import { broken, env, item, opened, OutageNodes, served } from '../support/outage-nodes.js';
import { startRedis, type TestRedis } from '../support/services.js';
import { startApp, type TestApp } from '../support/start-app.js';

const nodes = new OutageNodes();
const { create } = nodes;
let redis: TestRedis;
let a: TestApp;
let b: TestApp;
beforeAll(() => ({ redis, a, b } = nodes));

describe('while Redis is away, a row or a list', () => {
  let loads = 0;
  let stop: () => void;
  beforeEach(async () => {
    redis.pause();
    for (const node of [a, b]) await broken(node);
    loads = 0;
    stop = a.app.get(CacheEvents).on('load', () => (loads += 1));
  });
  afterEach(async () => {
    stop();
    redis.resume();
    await opened(a, b);
  });

  it('is loaded once per lease, however often it is asked for', async () => {
    const id = await create('hot');
    const { cacheL1LeaseMs: leaseMs } = a.app.get(Settings);
    const beganMs = performance.now();
    for (let asked = 0; asked < 30 || performance.now() - beganMs < 2 * leaseMs; asked += 1) {
      expect((await a.http.get(`/items/${id}`).expect(200)).body.name).toBe('hot');
      await a.http.get('/items?category=outage').expect(200);
    }
    const leases = (performance.now() - beganMs) / leaseMs;
    expect(loads).toBeLessThanOrEqual(2 * Math.ceil(leases + 1));
  });

  it('shows what this node has written at once, and what others have within a lease', async () => {
    const id = await create('first');
    await a.http.get(`/items/${id}`).expect(200);
    await a.http.put(`/items/${id}`).send(item('own')).expect(200);
    expect((await a.http.get(`/items/${id}`)).body.name).toBe('own');
    await b.http.put(`/items/${id}`).send(item('other')).expect(200);
    const answeredMs = performance.now();
    let askedMs = answeredMs;
    for (let name = ''; name !== 'other'; name = (await a.http.get(`/items/${id}`)).body.name as string) {
      expect(askedMs - answeredMs).toBeLessThan(a.app.get(Settings).cacheL1LeaseMs);
      askedMs = performance.now();
    }
  });

  it('is never shared under strict, not even where L1 is used under it', async () => {
    const id = await create('careful');
    const acknowledged = { ...env, CACHE_L1_STRICT: 'acknowledged', CACHE_POLICY: 'strict' };
    const options = { redis: redis.url, redisIsAway: true, database: a.databaseUrl, env: acknowledged };
    const strict = await startApp(options);
    try {
      let strictLoads = 0;
      strict.app.get(CacheEvents).on('load', () => (strictLoads += 1));
      for (let n = 1; n <= 5; n += 1) {
        await strict.http.get(`/items/${id}`).expect(200);
        expect(strictLoads).toBe(n);
      }
    } finally {
      await strict.close();
    }
  });
});

describe('without a Redis', () => {
  it('the service starts, serves from the database, and uses Redis when it comes', async () => {
    const late = await startRedis();
    await late.kill();
    const node = await startApp({ redis: late.url, redisIsAway: true, env });
    try {
      const { body } = await node.http.post('/items').send(item('early')).expect(201);
      expect((await node.http.get(`/items/${body.id}`)).body.name).toBe('early');
      await late.restart();
      await opened(node);
      await served(node, `/items/${body.id}`);
    } finally {
      await node.close();
      await late.stop();
    }
  });

  it('and without any configured, it serves all the same', async () => {
    const node = await startApp();
    const { body } = await node.http.post('/items').send(item('alone')).expect(201);
    const answer = await node.http.get(`/items/${body.id}`).expect(200);
    expect(cacheStatus(answer).api).toMatch(/^fwd=bypass; detail=disabled/);
    await node.close();
  });
});
