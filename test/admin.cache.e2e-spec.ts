import { startRedis, type TestRedis } from './support/services.js';
import { startApp, type TestApp } from './support/start-app.js';
import { until } from './support/until.js';

const token = 'correct-horse-battery-staple';
const hammer = { name: 'Hammer', description: null, category: 'tools', price: 19.99, quantity: 3 };

let redis: TestRedis;
let a: TestApp;
let b: TestApp;

beforeAll(async () => {
  redis = await startRedis();
  const env = { ADMIN_TOKEN: token, DRAIN_TIMEOUT_MS: '500' };
  a = await startApp({ redis: redis.url, env });
  b = await startApp({ redis: redis.url, env, database: a.databaseUrl });
}, 30_000);
afterAll(async () => {
  await b.close();
  await a.close();
  await redis.stop();
});

const get = (app: TestApp, path: string) => app.http.get(path).auth(token, { type: 'bearer' });
const post = (app: TestApp, path: string, body?: object) =>
  app.http.post(path).auth(token, { type: 'bearer' }).send(body);
const put = (app: TestApp, path: string, body: object) => app.http.put(path).auth(token, { type: 'bearer' }).send(body);

const entries = async (app: TestApp, key: string) =>
  (await get(app, '/admin/cache/entries').query({ key }).expect(200)).body;
const stats = async (app: TestApp) => (await get(app, '/admin/cache/stats').expect(200)).body;
const createItem = async (fields: object = {}): Promise<number> =>
  (await a.http.post('/items').send({ ...hammer, ...fields }).expect(201)).body.id; // prettier-ignore
const cacheStatus = async (app: TestApp, path: string) => String((await app.http.get(path)).headers['cache-status']);
const isHit = (status: string, level: 'l1' | 'l2') =>
  new RegExp(`strata-api; hit; ttl=\\d+; detail=${level}`).test(status);
/** A response that both nodes serve from their own L1. */
const cachedOnBoth = async (path: string) => {
  for (const app of [a, b]) await until(async () => isHit(await cacheStatus(app, path), 'l1'));
};

describe('where something is', () => {
  it('is told for each layer and level, with its version, tag, time left and stamps', async () => {
    const id = await createItem();
    await a.http.put(`/items/${id}`).send(hammer).expect(200);
    const { headers } = await a.http.get(`/items/${id}`).expect(200);
    const seen = await entries(a, `items:${id}`);
    expect(seen).toMatchObject({ key: `/items/${id}`, entity: 'items', policy: 'write-through', database: { version: 2 } });
    const stamps = Object.fromEntries(seen.tags.map(({ tag, stamp }: Record<string, string>) => [tag, stamp]));
    expect(Object.keys(stamps).sort()).toEqual(['items:*', `items:${id}`]);
    for (const place of [seen.layers.api.l1, seen.layers.api.l2, seen.layers.db.l1, seen.layers.db.l2])
      expect(place).toEqual({
        available: true,
        present: true,
        valid: true,
        freshMs: expect.any(Number),
        keptMs: expect.any(Number),
        version: 2,
        etag: headers['etag'],
        stamps,
      });
    const { freshMs, keptMs } = seen.layers.db.l2;
    expect(freshMs).toBeGreaterThan(50_000);
    expect(keptMs).toBeGreaterThan(freshMs);
  }); // prettier-ignore

  it('is the same whichever way the key is written', async () => {
    const id = await createItem();
    const seen = await entries(a, `items:${id}`);
    for (const key of [`/items/${id}`, `/items/${id}/`]) expect((await entries(a, key)).key).toBe(seen.key);
    const list = await entries(a, 'items?category=tools');
    expect(list.key).toBe('/items?category=tools');
    for (const key of ['/items?category=tools', '/items?limit=020&category=tools', '/items/?sort=id&category=tools'])
      expect((await entries(a, key)).key).toBe(list.key);
    expect((await entries(a, 'items')).key).toBe('/items?');
  });

  it('is told of lists, which have no version', async () => {
    await createItem({ category: 'lists' });
    const path = '/items?category=lists&limit=5';
    const { headers } = await a.http.get(path).expect(200);
    const seen = await entries(a, path);
    expect(seen).not.toHaveProperty('database');
    expect(seen.layers.db.l2).toMatchObject({ present: true, valid: true, etag: headers['etag'] });
    expect(seen.layers.db.l2).not.toHaveProperty('version');
    expect(Object.keys(seen.layers.api.l1.stamps).sort()).toEqual(['items:*', 'items?category=lists']);
  });

  it('is told per node: what one has in L1, the other finds in L2', async () => {
    const id = await createItem();
    await a.http.get(`/items/${id}`).expect(200);
    const { layers } = await entries(b, `/items/${id}`);
    expect(layers.api.l1).toEqual({ available: true, present: false });
    expect(layers.api.l2).toMatchObject({ present: true, valid: true, version: 1 });
  });

  it('is told of rows that do not exist, known or not', async () => {
    const before = await entries(a, '/items/2147483000');
    expect(before.database).toEqual({ version: null });
    expect(before.layers.db.l2).toEqual({ available: true, present: false });
    await a.http.get('/items/2147483000').expect(404);
    expect((await entries(a, '/items/2147483000')).layers.db.l2).toMatchObject({ present: true, version: null });
  });

  it('shows a write that is not finished yet: its transaction is pending, and nothing under the tag is valid', async () => {
    const id = await createItem();
    await put(a, '/admin/cache/policies/items', { policy: 'strict' }).expect(200);
    await a.http.get(`/items/${id}`).expect(200);
    const runner = a.dataSource.createQueryRunner();
    await runner.startTransaction();
    const [item] = await runner.manager.query<[{ xid: string }]>('SELECT pg_current_xact_id()::text AS xid');
    const { RedisTags } = await import('../src/cache/index.js');
    await a.app.get(RedisTags).fence([`items:${id}`], [], { xid: item.xid, xmin: item.xid });
    const seen = await entries(a, `/items/${id}`);
    expect(seen.tags).toContainEqual({ tag: `items:${id}`, stamp: expect.any(String), pending: [item.xid] });
    expect(seen.layers.db.l2).toEqual({ available: true, present: false });
    expect(seen.layers.api.l2).toMatchObject({ present: true, valid: false });
    await runner.rollbackTransaction();
    await runner.release();
    await put(a, '/admin/cache/policies/items', { policy: 'write-through' }).expect(200);
  });

  it('changes nothing: no ticket, no stamp, no entry, no use', async () => {
    const id = await createItem();
    const { createRedisClient } = await import('../src/cache/index.js');
    const client = createRedisClient(redis.url, 1_000);
    await client.connect();
    const everything = async () => (await client.keys('strata:*')).sort();
    const before = [await everything(), (await stats(a)).requests];
    for (const key of [`items:${id}`, `/items/${id}`, '/items?category=never&limit=7', '/items/2147482999'])
      await entries(a, key);
    expect([await everything(), (await stats(a)).requests]).toEqual(before);
    await client.disconnect();
  });

  it('is refused for what names nothing that is cached', async () => {
    const wrong = ['items:0', 'items:x', 'things:1', '/items/abc', '/items?limit=0', '/items?x=1', '/items/1/x', '/', '/health', '', 'items:*', `/items?q=${'x'.repeat(300)}`]; // prettier-ignore
    for (const key of wrong) {
      const { body } = await get(a, '/admin/cache/entries').query({ key }).expect(400);
      expect(body.errors).toEqual([expect.objectContaining({ in: 'query', field: 'key' })]);
    }
    await get(a, '/admin/cache/entries').expect(400);
    await get(a, '/admin/cache/entries?key=items:1&key=items:2').expect(400);
    await get(a, '/admin/cache/entries?key=items:1&x=1').expect(400);
  });
});

describe('the statistics', () => {
  it('tell what this node has counted, and how its levels are', async () => {
    const id = await createItem();
    const before = await stats(a);
    for (let i = 0; i < 3; i += 1) await a.http.get(`/items/${id}`).expect(200);
    const after = await stats(a);
    expect(after.requests.api.l1.hit - before.requests.api.l1.hit).toBe(2);
    expect(after.requests.api.l1.miss - before.requests.api.l1.miss).toBe(1);
    expect(after).toMatchObject({
      loads: { count: expect.any(Number), joined: expect.any(Number) },
      invalidations: { write: expect.any(Number), feed: 0, journal: 0 },
      l1: { enabled: true, maxBytes: 67_108_864, leaseValid: true },
      l2: { enabled: true, breaker: 'closed', generation: expect.stringMatching(/^[0-9a-f-]{36}$/) },
      journal: { entries: 0 },
      policies: { items: 'write-through' },
    });
    expect(after.l1.entries).toBeGreaterThan(0);
    expect((await stats(b)).l2.generation).toBe(after.l2.generation);
  });
});

describe('invalidating', () => {
  it('takes what depends on a tag or key from every node, and nothing else', async () => {
    const [one, two, three] = [await createItem(), await createItem(), await createItem()];
    const paths = [one, two, three].map((id) => `/items/${id}`);
    for (const path of paths) await cachedOnBoth(path);
    const { body } = await post(a, '/admin/cache/invalidate', { tags: [`items:${one}`], keys: [paths[1], `items:${two}`] });
    expect(body).toEqual({ tags: [`items:${one}`, `items:${two}`] });
    // On this node before the answer, on the other one within a second.
    for (const path of paths.slice(0, 2)) expect(await cacheStatus(a, path)).toContain('strata-db; fwd=uri-miss');
    await until(async () => !(await entries(b, paths[0]!)).layers.api.l1.present, 1_000);
    expect(isHit(await cacheStatus(b, paths[2]!), 'l1')).toBe(true);
    expect(isHit(await cacheStatus(a, paths[2]!), 'l1')).toBe(true);
  }); // prettier-ignore

  it('maps a list to the tag of its filter', async () => {
    await createItem({ category: 'garden' });
    for (const path of ['/items?category=garden', '/items?category=garden&limit=1', '/items?category=toys'])
      await cachedOnBoth(path);
    const { body } = await post(a, '/admin/cache/invalidate', { keys: ['/items?category=garden&limit=3'] }).expect(200);
    expect(body).toEqual({ tags: ['items?category=garden'] });
    expect(await cacheStatus(a, '/items?category=garden&limit=1')).toContain('fwd=uri-miss');
    expect(isHit(await cacheStatus(a, '/items?category=toys'), 'l1')).toBe(true);
  });

  it('counts as the operator’s', async () => {
    const before = (await stats(a)).invalidations.admin;
    await post(a, '/admin/cache/invalidate', { tags: ['items:*', 'values:*'] }).expect(200);
    expect((await stats(a)).invalidations.admin).toBe(before + 1);
  });

  it.each<[string, object | undefined, string]>([
    ['nothing', {}, 'tags'],
    ['empty lists', { tags: [], keys: null }, 'tags'],
    ['no list', { tags: 'items:1' }, 'tags'],
    ['a number', { tags: [1] }, 'tags'],
    ['an empty tag', { tags: [''] }, 'tags'],
    ['a tag of 301', { tags: [`items:${'1'.repeat(295)}`] }, 'tags'],
    ['1001 tags', { tags: Array.from({ length: 1_001 }, (_, i) => `items:${i}`) }, 'tags'],
    ['a tag of no entity', { tags: ['things:1'] }, 'tags'],
    ['a key of nothing', { keys: ['/items/abc'] }, 'keys'],
    ['an unknown field', { tags: ['items:1'], all: true }, 'all'],
    ['no body', undefined, 'body'],
  ])('refuses %s', async (_, body, field) => {
    const answer = await post(a, '/admin/cache/invalidate', body).expect(400);
    expect(answer.body.errors).toContainEqual(expect.objectContaining({ in: 'body', field }));
  });

  it('takes a thousand tags of 90 characters at once', async () => {
    const tags = Array.from({ length: 1_000 }, (_, i) => `items?category=${String(i).padStart(64, 'x')}`);
    expect((await post(a, '/admin/cache/invalidate', { tags }).expect(200)).body.tags).toHaveLength(1_000);
  });
});

describe('clearing', () => {
  it('begins a new generation: within a second no node serves anything older', async () => {
    const path = `/items/${await createItem()}`;
    await cachedOnBoth(path);
    const before = await stats(a);
    const { body } = await post(a, '/admin/cache/clear').expect(200);
    expect(body.generation).not.toBe(before.l2.generation);
    expect(await stats(a)).toMatchObject({ l1: { entries: 0, bytes: 0 }, l2: { generation: body.generation } });
    const startedMs = performance.now();
    await until(async () => {
      const { l1, l2 } = await stats(b);
      return l1.entries === 0 && l2.breaker === 'closed' && l2.generation === body.generation;
    }, 1_000);
    expect(performance.now() - startedMs).toBeLessThan(1_000);
    expect(await cacheStatus(a, path)).toContain('strata-api; fwd=uri-miss');
    expect(isHit(await cacheStatus(b, path), 'l2')).toBe(true);
  });

  it('empties the other node’s L1 by a message, not by its next command', async () => {
    const path = `/items/${await createItem()}`;
    await cachedOnBoth(path);
    await post(a, '/admin/cache/clear').expect(200);
    await until(async () => !isHit(await cacheStatus(b, path), 'l1'), 1_000);
  });

  it('is done one after the other by two nodes at once', async () => {
    const answers = await Promise.all([a, b, a, b].map((app) => post(app, '/admin/cache/clear')));
    expect(answers.every(({ status }) => status === 200 || status === 503)).toBe(true);
    expect(answers.some(({ status }) => status === 200)).toBe(true);
    const path = `/items/${await createItem()}`;
    await cachedOnBoth(path);
    expect((await stats(a)).l2.generation).toBe((await stats(b)).l2.generation);
  });

  it('leaves the database alone', async () => {
    const id = await createItem();
    await post(a, '/admin/cache/clear').expect(200);
    await a.http.get(`/items/${id}`).expect(200);
  });
});

describe('a policy', () => {
  it('is told with what it guarantees', async () => {
    const { body } = await get(a, '/admin/cache/policies/items').expect(200);
    expect(body).toEqual({ entity: 'items', policy: 'write-through', guarantee: expect.stringContaining('hit') });
    await get(a, '/admin/cache/policies/things').expect(404);
    await get(a, '/admin/cache/policies/__proto__').expect(404);
  });

  it('is switched on every node within a second, and shows in the next answers', async () => {
    const path = `/items/${await createItem()}`;
    await cachedOnBoth(path);
    for (const policy of ['ttl', 'strict', 'invalidate', 'write-through']) {
      const { body } = await put(a, '/admin/cache/policies/items', { policy }).expect(200);
      expect(body).toMatchObject({ entity: 'items', policy });
      expect(await cacheStatus(a, path)).toContain(`strata-policy=${policy}`);
      const onB = async () => (await get(b, '/admin/cache/policies/items')).body.policy === policy;
      await until(onB, 1_000);
      expect(await cacheStatus(b, path)).toContain(`strata-policy=${policy}`);
    }
  });

  it('is refused where there is none of that name', async () => {
    await put(a, '/admin/cache/policies/things', { policy: 'ttl' }).expect(404);
    for (const body of [{ policy: 'hope' }, {}, { policy: null }, { policy: 'ttl', more: 1 }, { policy: ['ttl'] }])
      await put(a, '/admin/cache/policies/items', body).expect(400);
  });
});

// Last: it takes Redis away.
describe('while Redis is away', () => {
  it('what needs it is a 503 that says when to come back; what does not is answered', async () => {
    const path = `/items/${await createItem()}`;
    await redis.kill();
    await until(async () => (await stats(a)).l2.breaker !== 'closed');
    for (const request of [
      post(a, '/admin/cache/clear'),
      post(a, '/admin/cache/invalidate', { tags: ['items:1'] }),
      put(a, '/admin/cache/policies/items', { policy: 'ttl' }),
    ])
      await request.expect(503).expect('Retry-After', '1').expect('Content-Type', 'application/problem+json');
    const seen = await entries(a, path);
    expect(seen).toMatchObject({ database: { version: 1 }, tags: null });
    expect(seen.layers.api.l2).toEqual({ available: false, reason: 'redis' });
    expect((await stats(a)).l2.generation).toBeNull();
    await get(a, '/admin/cache/policies/items').expect(200);
    await redis.restart();
    await until(async () => (await stats(a)).l2.breaker === 'closed');
    await post(a, '/admin/cache/clear').expect(200);
  });
});
