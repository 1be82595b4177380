import { AdministeredNodes, entries, get, hammer, put, stats } from '../support/administered-nodes.js';
import { Stopwatch } from '../support/stopwatch.js';
import { until } from '../support/until.js';

const nodes = new AdministeredNodes();
const { createItem } = nodes;

describe('where something is', () => {
  it('is told for each layer and level, with its version, tag, time left and stamps', async () => {
    const watch = new Stopwatch();
    const id = await createItem();
    await nodes.a.http.put(`/items/${id}`).send(hammer).expect(200);
    const { headers } = await nodes.a.http.get(`/items/${id}`).expect(200);
    const seen = await entries(nodes.a, `items:${id}`);
    expect(seen).toMatchObject({ key: `/items/${id}`, entity: 'items', policy: 'write-through', database: { version: 2 } });
    const stamps = Object.fromEntries(seen.tags.map(({ tag, stamp }: Record<string, string>) => [tag, stamp]));
    expect(Object.keys(stamps).sort()).toEqual(['items:*', `items:${id}`]);
    const { api, db } = seen.layers;
    for (const [place, from] of [[api.l1, 'here'], [api.l2], [db.l1, 'l2'], [db.l2]])
      expect(place).toEqual({
        ...(from && { from }),
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
    // A minute, a tenth more or less, and what has passed of it.
    expect(freshMs).toBeLessThanOrEqual(66_000);
    expect(freshMs + watch.elapsedMs).toBeGreaterThanOrEqual(54_000);
    expect(keptMs).toBeGreaterThan(freshMs);
  }); // prettier-ignore

  it('is the same whichever way the key is written', async () => {
    const id = await createItem();
    const seen = await entries(nodes.a, `items:${id}`);
    for (const key of [`/items/${id}`, `/items/${id}/`]) expect((await entries(nodes.a, key)).key).toBe(seen.key);
    const list = await entries(nodes.a, 'items?category=tools');
    expect(list.key).toBe('/items?category=tools');
    for (const key of ['/items?category=tools', '/items?limit=020&category=tools', '/items/?sort=id&category=tools'])
      expect((await entries(nodes.a, key)).key).toBe(list.key);
    expect((await entries(nodes.a, 'items')).key).toBe('/items');
  });

  it('is told of lists, which have no version', async () => {
    await createItem({ category: 'lists' });
    const path = '/items?category=lists&limit=5';
    const { headers } = await nodes.a.http.get(path).expect(200);
    const seen = await entries(nodes.a, path);
    expect(seen).not.toHaveProperty('database');
    expect(seen.layers.db.l2).toMatchObject({ present: true, valid: true, etag: headers['etag'] });
    expect(seen.layers.db.l2).not.toHaveProperty('version');
    expect(Object.keys(seen.layers.api.l1.stamps).sort()).toEqual(['items:*', 'items?category=lists']);
  });

  it('is told with what goes with it: the row, its response, and the lists that it is in', async () => {
    const id = await createItem({ category: 'dependents' });
    expect((await entries(nodes.a, `items:${id}`)).dependents).toEqual([]);
    for (const path of [`/items/${id}`, '/items?category=dependents', '/items?category=dependents&limit=3'])
      await nodes.a.http.get(path).expect(200);
    const { dependents } = await entries(nodes.a, `items:${id}`);
    expect(dependents).toContainEqual({ tag: `items:${id}`, count: 2, keys: [`row items:${id}`, `response /items/${id}`] });
    const lists = dependents.find(({ tag }: { tag: string }) => tag === 'items?category=dependents');
    expect(lists.count).toBe(4);
    expect(lists.keys).toContain('response /items?category=dependents&limit=3');
    await nodes.a.http.put(`/items/${id}`).send({ ...hammer, category: 'dependents' }).expect(200);
    await until(async () => (await entries(nodes.a, `items:${id}`)).dependents.length === 0);
  }); // prettier-ignore

  it('is told per node: what one has in L1, the other finds in L2', async () => {
    const id = await createItem();
    await nodes.a.http.get(`/items/${id}`).expect(200);
    const { layers } = await entries(nodes.b, `/items/${id}`);
    expect(layers.api.l1).toEqual({ available: true, present: false });
    expect(layers.api.l2).toMatchObject({ present: true, valid: true, version: 1 });
  });

  it('is told of rows that do not exist, known or not', async () => {
    const before = await entries(nodes.a, '/items/2147483000');
    expect(before.database).toEqual({ version: null });
    expect(before.layers.db.l2).toEqual({ available: true, present: false });
    await nodes.a.http.get('/items/2147483000').expect(404);
    expect((await entries(nodes.a, '/items/2147483000')).layers.db.l2).toMatchObject({ present: true, version: null });
  });

  it('shows a write that is not finished yet: its transaction is pending, and nothing under the tag is valid', async () => {
    const id = await createItem();
    await put(nodes.a, '/admin/cache/policies/items', { policy: 'strict' }).expect(200);
    await nodes.a.http.get(`/items/${id}`).expect(200);
    const runner = nodes.a.dataSource.createQueryRunner();
    await runner.startTransaction();
    const [item] = await runner.manager.query<[{ xid: string }]>('SELECT pg_current_xact_id()::text AS xid');
    const { RedisTags } = await import('../../src/cache/index.js');
    await nodes.a.app.get(RedisTags).fence([`items:${id}`], { xid: item.xid, xmin: item.xid });
    const seen = await entries(nodes.a, `/items/${id}`);
    expect(seen.tags).toContainEqual({ tag: `items:${id}`, stamp: expect.any(String), pending: [item.xid] });
    expect(seen.layers.db.l2).toEqual({ available: true, present: false });
    expect(seen.layers.api.l2).toMatchObject({ present: true, valid: false });
    await runner.rollbackTransaction();
    await runner.release();
    await put(nodes.a, '/admin/cache/policies/items', { policy: 'write-through' }).expect(200);
  });

  it('changes nothing: no ticket, no stamp, no entry, no use', async () => {
    const id = await createItem();
    const { createRedisClient } = await import('../../src/cache/index.js');
    const client = createRedisClient(nodes.redis.url, 20_000);
    await client.connect();
    const everything = async () => (await client.keys('strata:*')).sort();
    const before = [await everything(), (await stats(nodes.a)).requests];
    for (const key of [`items:${id}`, `/items/${id}`, '/items?category=never&limit=7', '/items/2147482999'])
      await entries(nodes.a, key);
    expect([await everything(), (await stats(nodes.a)).requests]).toEqual(before);
    await client.disconnect();
  });

  it('is refused for what names nothing that is cached', async () => {
    const wrong = ['items:0', 'items:x', 'things:1', '/items/abc', '/items?limit=0', '/items?x=1', '/items/1/x', '/', '/health', '', 'items:*', `/items?q=${'x'.repeat(300)}`]; // prettier-ignore
    for (const key of wrong) {
      const { body } = await get(nodes.a, '/admin/cache/entries').query({ key }).expect(400);
      expect(body.errors).toEqual([expect.objectContaining({ in: 'query', field: 'key' })]);
    }
    await get(nodes.a, '/admin/cache/entries').expect(400);
    await get(nodes.a, '/admin/cache/entries?key=items:1&key=items:2').expect(400);
    await get(nodes.a, '/admin/cache/entries?key=items:1&x=1').expect(400);
  });
});

describe('the statistics', () => {
  it('tell what this node has counted, and how its levels are', async () => {
    const id = await createItem();
    const before = await stats(nodes.a);
    for (let i = 0; i < 3; i += 1) await nodes.a.http.get(`/items/${id}`).expect(200);
    const after = await stats(nodes.a);
    expect(after.requests.api.l1.hit - before.requests.api.l1.hit).toBe(2);
    expect(after.requests.api.l1.miss - before.requests.api.l1.miss).toBe(1);
    expect(after).toMatchObject({
      loads: { count: expect.any(Number), joined: expect.any(Number) },
      invalidations: { write: expect.any(Number), feed: 0, journal: 0 },
      l1: { enabled: true, maxBytes: 67_108_864, leaseValid: true },
      l2: { enabled: true, breaker: 'closed', generation: expect.stringMatching(/^[0-9a-f]{12}:[0-9a-f-]{36}$/) },
      journal: { entries: 0 },
      policies: { items: 'write-through' },
    });
    expect(after.l1.entries).toBeGreaterThan(0);
    expect((await stats(nodes.b)).l2.generation).toBe(after.l2.generation);
  });
});
