import { CACHE_MANAGER } from '@nestjs/cache-manager';
import { type Cache } from 'cache-manager';
import { CacheEvents } from '../../src/cache/index.js';
import { Deadlines } from '../../src/cache/levels/l2/deadlines.js';
import { Settings } from '../../src/config/index.js';
import { Journal } from '../../src/invalidation/index.js';
import { cacheStatus } from '../support/cache-status.js';
import { broken, env, item, opened, OutageNodes, served, stateOf, timeoutMs } from '../support/outage-nodes.js';
import { startRedis, type TestRedis } from '../support/services.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { until } from '../support/until.js';

const nodes = new OutageNodes();
const { create } = nodes;
let redis: TestRedis;
let a: TestApp;
let b: TestApp;
beforeAll(() => ({ redis, a, b } = nodes));

describe.each<[string, () => unknown, () => unknown]>([
  ['is killed', () => redis.kill(), () => redis.restart()],
  ['hangs', () => redis.pause(), () => redis.resume()],
])('when Redis %s', (_, breakIt, mendIt) => {
  it('every request is still answered, from the database, and the cache heals by itself', async () => {
    const id = await create('steady');
    await served(a, `/items/${id}`);
    await breakIt();
    const during = await a.http.get(`/items/${id}`).expect(200);
    expect(during.body.name).toBe('steady');
    await a.http.get('/items?category=outage').expect(200);
    await a.http.put(`/items/${id}`).send(item('changed')).expect(200);
    expect((await a.http.get(`/items/${id}`)).body.name).toBe('changed');
    await broken(a);
    const withoutCache = cacheStatus(await a.http.get(`/items/${id}`));
    expect(withoutCache).toEqual({
      // Shared by this node's readers for at most a lease.
      db: expect.stringMatching(/^(fwd=bypass; detail=redis|hit; detail=l1;)/),
      api: expect.stringMatching(/^fwd=bypass; detail=redis/),
    });
    await mendIt();
    await opened(a, b);
    for (const node of [a, b]) {
      await served(node, `/items/${id}`);
      expect((await node.http.get(`/items/${id}`)).body.name).toBe('changed');
    }
  });

  it('values of CACHE_MANAGER that are changed or deleted meanwhile never come back', async () => {
    const [mine, others] = [a, b].map((node) => node.app.get<Cache>(CACHE_MANAGER)) as [Cache, Cache];
    for (const key of ['changed', 'deleted', 'left alone']) await mine.set(key, 'old');
    await breakIt();
    await until(async () => {
      await Promise.all([mine.get('deleted'), others.get('deleted')]);
      return [a, b].every((node) => stateOf(node) !== 'closed');
    });
    await mine.set('changed', 'new');
    await mine.del('deleted');
    expect(await mine.get('deleted')).toBeUndefined();
    await mendIt();
    await opened(a, b);
    expect(await mine.get('deleted')).toBeUndefined();
    expect(await mine.get('changed')).not.toBe('old');
    // The other node may have its connection a moment before this one has told what it kept.
    await until(async () => (await others.get('deleted')) === undefined && (await others.get('changed')) !== 'old');
    expect(a.app.get(Journal).size).toBe(0);
    await mine.set('changed', 'newest');
    expect(await others.get('changed')).toBe('newest');
  });

  it('once the breaker is open, nothing waits for Redis any more', async () => {
    const id = await create('quick');
    await breakIt();
    for (let n = 0; n < 2; n += 1) await a.http.get(`/items/${id}`).expect(200);
    // The other node asks Redis every quarter of a second whether its generation is in force.
    await Promise.all([a, b].map(broken));
    const results = new Set<string>();
    const stop = a.app.get(CacheEvents).on('request', ({ level, result }) => level === 'l2' && results.add(result));
    const bound = jest.spyOn(Deadlines.prototype, 'bound');
    for (let n = 0; n < 20; n += 1) await a.http.get(`/items/${id}`).expect(200);
    // Only attempts to open the connection again have a deadline, another one than commands have.
    const waiting = bound.mock.contexts.map((deadlines) => (deadlines as unknown as { timeoutMs: number }).timeoutMs);
    expect(waiting).not.toContain(timeoutMs);
    bound.mockRestore();
    stop();
    expect([...results]).toEqual(['bypass']);
    await mendIt();
    await opened(a, b);
  });
});

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
