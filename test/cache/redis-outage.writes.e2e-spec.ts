import { Redis } from 'ioredis';
import { type EntitySubscriberInterface } from 'typeorm';
import { CacheEvents, LevelUnavailableError, RedisConnection, RedisTags } from '../../src/cache/index.js';
import { scripts } from '../../src/cache/testing.js';
import { Journal } from '../../src/invalidation/index.js';
import { broken, env, item, opened, OutageNodes, served, stateOf } from '../support/outage-nodes.js';
import { startRedis, type TestRedis } from '../support/services.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { Stopwatch } from '../support/stopwatch.js';
import { until } from '../support/until.js';

const nodes = new OutageNodes();
const { create } = nodes;
let redis: TestRedis;
let a: TestApp;
let b: TestApp;
beforeAll(() => ({ redis, a, b } = nodes));

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
    const cut = new LevelUnavailableError('redis', 'cut by the test');
    jest.spyOn(patient.app.get(RedisTags), 'fence').mockRejectedValueOnce(cut);
    const cutting: EntitySubscriberInterface = {
      afterQuery: ({ query }) => {
        if (query === 'COMMIT') patient.app.get(RedisConnection).reset(cut.message);
      },
    };
    patient.dataSource.subscribers.push(cutting);
    await patient.http.put(`/items/${id}`).send(item('after')).expect(200);
    expect(patient.app.get(Journal).size).toBe(0);
    expect(stateOf(patient)).toBe('closed');
  } finally {
    await patient.close();
  }
});

it('a fence that fails before its COMMIT is sent again behind it, and costs no connection', async () => {
  const id = await create('before');
  await served(b, `/items/${id}`);
  const ended = new LevelUnavailableError('no-epoch', 'the generation has ended');
  const fence = jest.spyOn(a.app.get(RedisTags), 'fence').mockRejectedValueOnce(ended);
  const reset = jest.spyOn(a.app.get(RedisConnection), 'reset');
  await a.http.put(`/items/${id}`).send(item('after')).expect(200);
  expect([fence.mock.calls.length, reset.mock.calls.length]).toEqual([2, 0]);
  fence.mockRestore();
  reset.mockRestore();
  await until(async () => (await b.http.get(`/items/${id}`)).body.name === 'after');
});

it('what a node without Redis has shared between fence and COMMIT is not served behind them', async () => {
  const id = await create('before');
  redis.pause();
  await broken(a);
  const fence = jest.spyOn(a.app.get(RedisTags), 'fence');
  const reading: EntitySubscriberInterface = {
    beforeQuery: async ({ query }) => {
      if (query !== 'COMMIT') return;
      await until(() => fence.mock.calls.length > 0);
      expect((await a.http.get(`/items/${id}`)).body.name).toBe('before');
    },
  };
  a.dataSource.subscribers.push(reading);
  try {
    await a.http.put(`/items/${id}`).send(item('after')).expect(200);
    expect((await a.http.get(`/items/${id}`)).body.name).toBe('after');
  } finally {
    a.dataSource.subscribers.splice(a.dataSource.subscribers.indexOf(reading), 1);
    fence.mockRestore();
    redis.resume();
    await opened(a, b);
  }
});

it('what was kept is executed before what is read next: a new connection first makes the scripts known', async () => {
  const client = new Redis(redis.url);
  await client.script('FLUSH');
  a.app.get(RedisConnection).reset('cut by the test');
  await opened(a);
  const known = await client.script('EXISTS', ...Object.values(scripts).map(({ sha }) => sha));
  client.disconnect();
  expect(known).toEqual(Object.values(scripts).map(() => 1));
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
