import { Redis } from 'ioredis';
import { CacheEvents, RedisConnection, RedisTags } from '../src/cache/index.js';
import { Deadlines } from '../src/cache/levels/l2/deadlines.js';
import { Settings } from '../src/config/index.js';
import { Journal } from '../src/invalidation/index.js';
import { cacheStatus } from './support/cache-status.js';
import { startRedis, type TestRedis } from './support/services.js';
import { startApp, type TestApp } from './support/start-app.js';
import { Stopwatch } from './support/stopwatch.js';
import { until } from './support/until.js';

const timeoutMs = 100;
let redis: TestRedis;
let a: TestApp;
let b: TestApp;

/** Outages are noticed soon, and a lease is over soon. */
const env = { REDIS_TIMEOUT_MS: String(timeoutMs), CACHE_L1_LEASE_MS: '1000' };

beforeAll(async () => {
  redis = await startRedis();
  a = await startApp({ redis: redis.url, env });
  b = await startApp({ redis: redis.url, database: a.databaseUrl, env });
});

afterAll(async () => {
  await b.close();
  await a.close();
  await redis.stop();
});

afterEach(() => redis.resume());

const item = (name: string) => ({ name, category: 'outage', price: 1, quantity: 1 });
const create = async (name: string): Promise<number> =>
  (await a.http.post('/items').send(item(name))).body.id as number;
const stateOf = (node: TestApp) => node.app.get(RedisConnection).state;
const opened = (...nodes: TestApp[]) => until(() => nodes.every((node) => stateOf(node) === 'closed'));
/** It takes some failures, one after the other; those of one moment are one. */
const broken = (node: TestApp) =>
  until(async () => {
    if (stateOf(node) === 'closed') await node.http.get('/items/1');
    return stateOf(node) !== 'closed';
  });
/** An L1 hit again: connection, lease and level are back. */
const served = (node: TestApp, path: string) =>
  until(async () => /^hit/.test(cacheStatus(await node.http.get(path)).api ?? ''));

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

  it('once the breaker is open, nothing waits for Redis any more', async () => {
    const id = await create('quick');
    await breakIt();
    for (let n = 0; n < 2; n += 1) await a.http.get(`/items/${id}`).expect(200);
    await broken(a);
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

describe('a write that Redis could not be told of', () => {
  it('is kept and told as soon as Redis is back, before this node reads from it again', async () => {
    const id = await create('before');
    await served(a, `/items/${id}`);
    await served(b, `/items/${id}`);
    redis.pause();
    await a.http.put(`/items/${id}`).send(item('after')).expect(200);
    expect(a.app.get(Journal).size).toBeGreaterThan(0);
    redis.resume();
    await opened(a, b);
    expect((await a.http.get(`/items/${id}`)).body.name).toBe('after');
    await until(() => a.app.get(Journal).size === 0);
    await until(async () => (await b.http.get(`/items/${id}`)).body.name === 'after');
    expect((await a.http.get('/items?category=outage')).body.data.map(({ name }: { name: string }) => name)).toContain(
      'after',
    );
  });

  it('is told again where telling it failed once more', async () => {
    const id = await create('before');
    await served(b, `/items/${id}`);
    redis.pause();
    await a.http.put(`/items/${id}`).send(item('after')).expect(200);
    const fence = jest.spyOn(a.app.get(RedisTags), 'fence').mockRejectedValueOnce(new Error('once more'));
    redis.resume();
    await opened(a, b);
    await until(() => fence.mock.calls.length > 1);
    fence.mockRestore();
    await until(() => a.app.get(Journal).size === 0);
    await until(async () => (await b.http.get(`/items/${id}`)).body.name === 'after');
  });

  it('fails instead under strict, and nothing is changed', async () => {
    const own = await startRedis();
    const strict = await startApp({ redis: own.url, env: { ...env, CACHE_POLICY: 'strict' } });
    try {
      // Where Redis stood still, it is refused already.
      let created = await strict.http.post('/items').send(item('guarded'));
      await until(async () => {
        if (created.status !== 201) created = await strict.http.post('/items').send(item('guarded'));
        return created.status === 201;
      });
      const path = `/items/${created.body.id}`;
      own.pause();
      const refused = await strict.http.put(path).send(item('never')).expect(503);
      expect(refused.headers['retry-after']).toBeDefined();
      expect((await strict.http.get(path)).body.name).toBe('guarded');
      own.resume();
      await opened(strict);
      await until(async () => (await strict.http.put(path).send(item('accepted'))).status === 200);
      expect((await strict.http.get(path)).body.name).toBe('accepted');
    } finally {
      own.resume();
      await strict.close();
      await own.stop();
    }
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

describe('what could not be told', () => {
  /** For so long the end of the service waits for Redis. */
  const lastAttemptMs = 2_000;

  /** @returns how long the service took to end, and what was told meanwhile */
  async function endAfterOutage(id: number) {
    const c = await startApp({ redis: redis.url, database: a.databaseUrl, env });
    const told: string[] = [];
    c.app.get(CacheEvents).on('invalidated', ({ source, tags }) => source === 'journal' && told.push(...tags));
    redis.pause();
    await c.http.put(`/items/${id}`).send(item('after')).expect(200);
    expect(c.app.get(Journal).size).toBeGreaterThan(0);
    const watch = new Stopwatch();
    const closed = c.close();
    redis.resume();
    await closed;
    return { told, left: c.app.get(Journal).size, ms: watch.elapsedMs };
  }

  it('is told before the service ends, if Redis comes back in time', async () => {
    const id = await create('before');
    await served(a, `/items/${id}`);
    let ended = await endAfterOutage(id);
    // It came back in time unless the machine stood still.
    for (; ended.left > 0 && ended.ms >= lastAttemptMs; ended = await endAfterOutage(id)) await opened(a, b);
    expect(ended).toMatchObject({ told: expect.arrayContaining([`items:${id}`]), left: 0 });
    await opened(a, b);
  });
});

it('a write that meets a cut connection is told on the next one before it is answered', async () => {
  const patient = await startApp({ redis: redis.url, database: a.databaseUrl });
  try {
    const id = await create('before');
    await served(patient, `/items/${id}`);
    patient.app.get(RedisConnection).reset('cut by the test');
    await patient.http.put(`/items/${id}`).send(item('after')).expect(200);
    expect(patient.app.get(Journal).size).toBe(0);
    expect(stateOf(patient)).toBe('closed');
  } finally {
    await patient.close();
  }
});

describe('a flush', () => {
  const flush = async () => {
    const client = new Redis(redis.url);
    await client.flushall();
    client.disconnect();
  };

  it('loses no write: the next one is told under the new generation before it is answered', async () => {
    const id = await create('before');
    for (let round = 0; round < 5; round += 1) {
      await served(b, `/items/${id}`);
      await flush();
      await a.http
        .put(`/items/${id}`)
        .send(item(`after ${round}`))
        .expect(200);
      expect((await a.http.get(`/items/${id}`)).body.name).toBe(`after ${round}`);
      await until(async () => (await b.http.get(`/items/${id}`)).body.name === `after ${round}`);
      await opened(a, b);
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
