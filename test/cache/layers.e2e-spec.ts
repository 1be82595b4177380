import { CACHE_MANAGER } from '@nestjs/cache-manager';
import { Logger } from '@nestjs/common';
import { type Cache } from 'cache-manager';
import { setTimeout as sleep } from 'node:timers/promises';
import { type EntitySubscriberInterface } from 'typeorm';
import { CacheEvents, Lease, MemoryLevel, RedisConnection } from '../../src/cache/index.js';
import { Heartbeat } from '../../src/invalidation/bus/heartbeat.js';
import { PolicyStore } from '../../src/invalidation/policies/policy-store.js';
import { cacheStatus } from '../support/cache-status.js';
import { sharedRedis, type SharedRedis } from '../support/services.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { until } from '../support/until.js';

let redis: SharedRedis;
let a: TestApp;
let b: TestApp;

beforeAll(async () => {
  redis = await sharedRedis();
  a = await startApp({ redis: redis.url, env: { CACHE_L2_MAX_VALUE_BYTES: '4096' } });
  b = await startApp({ redis: redis.url, database: a.databaseUrl });
});

afterAll(async () => {
  await b.close();
  await a.close();
});

const item = (name: string, category = 'tools') => ({ name, category, price: 1.5, quantity: 2 });
const create = async (name: string, category?: string): Promise<number> =>
  (await a.http.post('/items').send(item(name, category)).expect(201)).body.id as number;
/** SELECTs of items that a node sends while something happens: its own query log. */
async function selectsDuring(node: TestApp, work: () => Promise<unknown>): Promise<number> {
  const seen: string[] = [];
  const log = { beforeQuery: ({ query }: { query: string }) => void seen.push(query) };
  node.dataSource.subscribers.push(log);
  await work();
  node.dataSource.subscribers.splice(node.dataSource.subscribers.indexOf(log), 1);
  return seen.filter((query) => /^SELECT.*FROM items/s.test(query) || query.includes('JOIN items')).length;
}

describe('a response', () => {
  it('is made once, then served by each level that is nearest', async () => {
    const id = await create('Oak table');
    await a.http.get('/items/999999').expect(404);
    await b.http.delete(`/items/${id}`).set('If-Match', '"none"').expect(412);
    const path = `/items/${id}`;
    await a.http.put(path).send(item('Oak desk')).expect(200);

    const first = cacheStatus(await a.http.get(path));
    expect(first.db).toMatch(/^hit; detail=l2/); // written through
    expect(first.api).toMatch(/^fwd=uri-miss; stored/);
    expect(cacheStatus(await a.http.get(path)).api).toMatch(/^hit; ttl=\d+; detail=l1/);

    const elsewhere = cacheStatus(await b.http.get(path));
    expect(elsewhere).toEqual({ api: expect.stringMatching(/^hit; ttl=\d+; detail=l2/) });
    expect(cacheStatus(await b.http.get(path)).api).toMatch(/^hit; ttl=\d+; detail=l1/);
  });

  it('is a miss in both layers where nothing is known', async () => {
    const [{ id }] = await a.dataSource.query(
      "INSERT INTO items (name, category, price, quantity) VALUES ('raw', 'tools', 1, 1) RETURNING id",
    );
    expect(cacheStatus(await a.http.get(`/items/${id}`))).toEqual({
      db: 'fwd=uri-miss; stored; strata-policy=write-through',
      api: 'fwd=uri-miss; stored; strata-policy=write-through',
    });
    expect(cacheStatus(await a.http.get(`/items/${id}`)).api).toMatch(
      /^hit; ttl=\d+; detail=l1; strata-policy=write-through$/,
    );
  });

  it('has the same bytes and tag from every level, for GET and HEAD', async () => {
    const id = await create('Same');
    const answers = [
      await a.http.get(`/items/${id}`),
      await a.http.get(`/items/${id}`),
      await b.http.get(`/items/${id}`),
    ];
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(new Set(answers.map(({ headers }) => String(headers['etag']))).size).toBe(1);
    const head = await a.http.head(`/items/${id}`).expect(200);
    expect(head.headers['etag']).toBe(answers[0]!.headers['etag']);
    expect(head.headers['content-length']).toBe(answers[0]!.headers['content-length']);
  });

  it('is not sent to a client that has it', async () => {
    const id = await create('Known');
    const { headers } = await a.http.get(`/items/${id}`);
    for (const tag of [headers['etag'], `W/${headers['etag']}`, `"x", ${headers['etag']}`, '*']) {
      const answer = await a.http.get(`/items/${id}`).set('If-None-Match', tag as string);
      expect(answer.status).toBe(304);
      expect(answer.headers).toMatchObject({ etag: headers['etag'], 'cache-control': 'no-cache' });
    }
  });

  it('is made anew for a client that asks for that', async () => {
    const id = await create('Fresh');
    await a.http.get(`/items/${id}`);
    const answer = await a.http.get(`/items/${id}`).set('Cache-Control', 'no-cache');
    expect(cacheStatus(answer)).toEqual({
      db: 'fwd=request; stored; strata-policy=write-through',
      api: 'fwd=request; stored; strata-policy=write-through',
    });
  });

  it('is the same entry however its URL is spelled', async () => {
    await a.http.get('/items?category=spelled&limit=5&sort=id');
    for (const query of ['limit=5&category=spelled', 'limit=005&category=spelled', 'category=%73pelled&limit=5'])
      expect(cacheStatus(await a.http.get(`/items?${query}`)).api).toMatch(/^hit/);
  });

  it('is never made of an error, and garbage makes no key', async () => {
    for (const path of ['/items/abc', '/items?limit=0', '/items?colour=red', '/items?q=%zz', '/items/1?x=1']) {
      for (let n = 0; n < 2; n += 1) {
        const answer = await a.http.get(path).expect(400);
        expect(cacheStatus(answer).api ?? '').not.toMatch(/hit|stored/);
      }
    }
    const keys = await redisKeys();
    // Behind the generation, whose name is random.
    const names = keys.map((key) => key.split(':').slice(3).join(':'));
    expect(names.filter((name) => /abc|colour|zz|limit=0/.test(name))).toEqual([]);
  });

  it('404 is made of a row that is known to be absent: the database is asked once', async () => {
    const selects = await selectsDuring(a, async () => {
      for (let n = 0; n < 5; n += 1) await a.http.get('/items/777777').expect(404);
    });
    expect(selects).toBe(1);
  });
});

describe('a write', () => {
  it('through one node is seen through the other, as a hit of the written row', async () => {
    const id = await create('before');
    await b.http.get(`/items/${id}`);
    await b.http.get(`/items/${id}`);
    await a.http.put(`/items/${id}`).send(item('after')).expect(200);
    let status: ReturnType<typeof cacheStatus> = {};
    await until(async () => {
      const answer = await b.http.get(`/items/${id}`);
      status = cacheStatus(answer);
      return answer.body.name === 'after';
    });
    expect(status.db).toMatch(/^hit/);
  });

  it('in one category leaves the lists of another cached, on every node', async () => {
    const id = await create('Spinning top', 'cat-toys');
    await create('Hammer', 'cat-tools');
    for (const node of [a, b]) await node.http.get('/items?category=cat-tools').expect(200);
    await a.http.put(`/items/${id}`).send(item('Yo-yo', 'cat-toys')).expect(200);
    for (const node of [a, b])
      expect(cacheStatus(await node.http.get('/items?category=cat-tools')).api).toMatch(/^hit/);
  });

  it('that moves an item refreshes the list it left and the one it entered', async () => {
    const id = await create('Wanderer', 'cat-left');
    const namesIn = async (category: string): Promise<string[]> => {
      const { body } = await b.http.get(`/items?category=${category}`);
      return (body.data as { name: string }[]).map(({ name }) => name);
    };
    for (const category of ['cat-left', 'cat-entered']) await namesIn(category);
    await a.http.put(`/items/${id}`).send(item('Wanderer', 'cat-entered')).expect(200);
    await until(async () => (await namesIn('cat-left')).length === 0);
    expect(await namesIn('cat-entered')).toEqual(['Wanderer']);
  });
});

it('a node that boots asks for its lease behind its first attempt to find a generation', async () => {
  const attempted = jest.spyOn(RedisConnection.prototype, 'onModuleInit');
  const asked = jest.spyOn(Heartbeat.prototype, 'ask');
  const node = await startApp({ redis: redis.url, database: a.databaseUrl });
  const [attempt = Infinity] = attempted.mock.invocationCallOrder;
  // The other nodes ask, too.
  const first = asked.mock.contexts.indexOf(node.app.get(Heartbeat));
  attempted.mockRestore();
  const order = [...asked.mock.invocationCallOrder];
  asked.mockRestore();
  await node.close();
  expect(order[first]).toBeGreaterThan(attempt);
});

describe('a value that is larger than Redis is to keep', () => {
  const description = 'x'.repeat(1_990);

  it('is answered and kept nowhere, and what is small enough still is', async () => {
    const warned = jest.spyOn(Logger.prototype, 'warn').mockImplementation();
    for (const name of ['one', 'two', 'three'])
      await a.http.post('/items').send({ ...item(name, 'heavy'), description });
    for (let n = 0; n < 3; n += 1) {
      const page = await a.http.get('/items?category=heavy').expect(200);
      expect([page.body.data.length, cacheStatus(page).api, cacheStatus(page).db]).toEqual([
        3,
        expect.stringMatching(/^fwd=/),
        expect.stringMatching(/^fwd=/),
      ]);
    }
    expect(warned.mock.calls.map(([line]) => line)).toEqual([
      expect.stringMatching(/CACHE_L2_MAX_VALUE_BYTES is 4096$/),
    ]);
    warned.mockRestore();
    const id = await create('small');
    await a.http.get(`/items/${id}`);
    expect(cacheStatus(await a.http.get(`/items/${id}`)).api).toMatch(/^hit/);
    expect(a.app.get(RedisConnection).state).toBe('closed');
  });

  it('is the new one for readers, where a writer has made it so large', async () => {
    const { body } = await a.http.post('/items').send(item('growing')).expect(201);
    await a.http.get(`/items/${body.id}`);
    // Four bytes for each: a row of more than 4 kB.
    const grown = { ...item('grown'), description: '\u{1F5C4}'.repeat(1_200) };
    await a.http.put(`/items/${body.id}`).send(grown).expect(200);
    expect((await a.http.get(`/items/${body.id}`)).body.name).toBe('grown');
    await until(async () => (await b.http.get(`/items/${body.id}`)).body.name === 'grown');
  });
});

describe('after the invalidation connection was lost', () => {
  const reconnect = async (node: TestApp): Promise<void> => {
    const connection = node.app.get(RedisConnection);
    let lost = false;
    const stop = node.app.get(CacheEvents).on('lease', ({ valid }) => (lost ||= !valid));
    await connection.command(connection.gen, (client) => client.sendCommand(['CLIENT', 'KILL', 'TYPE', 'pubsub']));
    await until(() => lost && node.app.get(Lease).valid);
    stop();
  };

  it('what L1 holds is served again once its stamps have been confirmed', async () => {
    const id = await create('kept');
    await b.http.get(`/items/${id}`);
    await reconnect(b);
    expect(cacheStatus(await b.http.get(`/items/${id}`)).api).toMatch(/^hit; ttl=\d+; detail=l1/);
  });

  it('nothing is served from L1 before the policies are known again', async () => {
    // They are asked for again after a quarter of the lease.
    const env = { CACHE_L1_LEASE_MS: '1000' };
    const node = await startApp({ redis: redis.url, database: a.databaseUrl, env });
    const [connection, lease] = [node.app.get(RedisConnection), node.app.get(Lease)];
    const asked = jest.spyOn(node.app.get(PolicyStore), 'all').mockRejectedValue(new Error('the database is away'));
    await connection.command(connection.gen, (client) => client.sendCommand(['CLIENT', 'KILL', 'TYPE', 'pubsub']));
    await until(() => asked.mock.calls.length > 1);
    expect(lease.valid).toBe(false);
    asked.mockRestore();
    await until(() => lease.valid);
    await node.close();
  });

  it('what was changed meanwhile is not', async () => {
    const id = await create('before');
    await b.http.get(`/items/${id}`);
    const lease = b.app.get(Lease);
    // The message of this change never reaches the node: its L1 is not told, only its connection ends.
    const { l1 } = { l1: b.app.get(MemoryLevel) };
    const deaf = jest.spyOn(l1, 'invalidate').mockImplementation(() => undefined);
    await a.http.put(`/items/${id}`).send(item('after')).expect(200);
    await reconnect(b);
    deaf.mockRestore();
    expect(lease.valid).toBe(true);
    expect((await b.http.get(`/items/${id}`)).body.name).toBe('after');
  });
});

describe('with L2 switched off on every node', () => {
  it('what is loaded while a write commits is not served behind it: L1 knows of the invalidation alone', async () => {
    const env = { CACHE_L2: 'off' };
    const writer = await startApp({ redis: redis.url, env });
    const reader = await startApp({ redis: redis.url, database: writer.databaseUrl, env });
    try {
      const { id } = (await writer.http.post('/items').send(item('before')).expect(201)).body as { id: number };
      const told = jest.spyOn(reader.app.get(MemoryLevel), 'invalidate');
      const committing: EntitySubscriberInterface = {
        beforeQuery: async ({ query }) => {
          if (query !== 'COMMIT') return;
          // Told or not by now: what is read here is replaced by the COMMIT.
          for (let looks = 0; looks < 20 && told.mock.calls.length === 0; looks += 1) await sleep(10);
          expect((await reader.http.get(`/items/${id}`)).body.name).toBe('before');
        },
      };
      writer.dataSource.subscribers.push(committing);
      await writer.http.put(`/items/${id}`).send(item('after')).expect(200);
      await until(() => told.mock.calls.length > 0);
      expect((await reader.http.get(`/items/${id}`)).body.name).toBe('after');
    } finally {
      await reader.close();
      await writer.close();
    }
  });
});

describe('a crowd', () => {
  it('of 500 for one cold item causes one SELECT', async () => {
    const [{ id }] = await a.dataSource.query(
      "INSERT INTO items (name, category, price, quantity) VALUES ('cold', 'tools', 1, 1) RETURNING id",
    );
    let answers: { status: number }[] = [];
    const selects = await selectsDuring(a, async () => {
      answers = await Promise.all(Array.from({ length: 500 }, () => fetch(`${a.url}/items/${id}`)));
    });
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect(selects).toBe(1);
  });

  it('of 200 for one cold list causes one SELECT', async () => {
    const selects = await selectsDuring(a, () =>
      Promise.all(Array.from({ length: 200 }, () => fetch(`${a.url}/items?category=crowded`))),
    );
    expect(selects).toBe(1);
  });
});

describe('CACHE_MANAGER', () => {
  const managers = (): [Cache, Cache] => [a.app.get(CACHE_MANAGER), b.app.get(CACHE_MANAGER)];

  it('keeps values for the whole application, and every node hears of a change', async () => {
    const [here, there] = managers();
    await here.set('greeting', { text: 'hello' });
    expect(await there.get('greeting')).toEqual({ text: 'hello' });
    expect(await there.get('greeting')).toEqual({ text: 'hello' });
    await here.set('greeting', { text: 'goodbye' });
    await until(async () => (await there.get<{ text: string }>('greeting'))?.text === 'goodbye');
    await there.del('greeting');
    await until(async () => (await here.get('greeting')) === undefined);
  });

  it('forgets a value when its time is over', async () => {
    const [here] = managers();
    await here.set('brief', 1, 1_000);
    expect(await here.get('brief')).toBe(1);
    await until(async () => (await here.get('brief')) === undefined);
  });

  it('keeps no value that is too large for Redis, and none that it has taken the place of', async () => {
    const [here] = managers();
    await here.set('size', 'small');
    await here.set('size', 'x'.repeat(5_000));
    expect(await here.get('size')).toBeUndefined();
  });

  it('clears its own values and nothing else', async () => {
    const [here, there] = managers();
    const id = await create('untouched');
    await a.http.get(`/items/${id}`);
    await here.set('one', 1);
    await there.set('two', 2);
    await here.clear();
    await until(async () => (await there.get('two')) === undefined);
    expect(await here.get('one')).toBeUndefined();
    expect(cacheStatus(await a.http.get(`/items/${id}`)).api).toMatch(/^hit/);
  });
});

async function redisKeys(): Promise<string[]> {
  const { createRedisClient } = await import('../../src/cache/index.js');
  const client = createRedisClient(redis.url, 20_000);
  client.on('error', () => undefined);
  await client.connect();
  const keys = await client.keys('*');
  await client.disconnect();
  return keys;
}
