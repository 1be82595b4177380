import {
  AdministeredNodes,
  cacheStatusAt,
  entries,
  get,
  isHit,
  post,
  put,
  stats,
} from '../support/administered-nodes.js';
import { until } from '../support/until.js';

const nodes = new AdministeredNodes();
const { cachedOnBoth, createItem } = nodes;

describe('invalidating', () => {
  it('takes what depends on a tag or key from every node, and nothing else', async () => {
    const [one, two, three] = [await createItem(), await createItem(), await createItem()];
    const paths = [one, two, three].map((id) => `/items/${id}`);
    for (const path of paths) await cachedOnBoth(path);
    const { body } = await post(nodes.a, '/admin/cache/invalidate', { tags: [`items:${one}`], keys: [paths[1], `items:${two}`] });
    expect(body).toEqual({ tags: [`items:${one}`, `items:${two}`] });
    // On this node before the answer, on the other one by a message.
    for (const path of paths.slice(0, 2)) expect(await cacheStatusAt(nodes.a, path)).toContain('strata-db; fwd=uri-miss');
    await until(async () => !(await entries(nodes.b, paths[0]!)).layers.api.l1.present);
    expect(isHit(await cacheStatusAt(nodes.b, paths[2]!), 'l1')).toBe(true);
    expect(isHit(await cacheStatusAt(nodes.a, paths[2]!), 'l1')).toBe(true);
  }); // prettier-ignore

  it('maps a list to the tag of its filter', async () => {
    await createItem({ category: 'garden' });
    for (const path of ['/items?category=garden', '/items?category=garden&limit=1', '/items?category=toys'])
      await cachedOnBoth(path);
    const { body } = await post(nodes.a, '/admin/cache/invalidate', {
      keys: ['/items?category=garden&limit=3'],
    }).expect(200);
    expect(body).toEqual({ tags: ['items?category=garden'] });
    expect(await cacheStatusAt(nodes.a, '/items?category=garden&limit=1')).toContain('fwd=uri-miss');
    expect(isHit(await cacheStatusAt(nodes.a, '/items?category=toys'), 'l1')).toBe(true);
  });

  it('counts as the operator’s', async () => {
    const before = (await stats(nodes.a)).invalidations.admin;
    await post(nodes.a, '/admin/cache/invalidate', { tags: ['items:*', 'values:*'] }).expect(200);
    expect((await stats(nodes.a)).invalidations.admin).toBe(before + 1);
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
    const answer = await post(nodes.a, '/admin/cache/invalidate', body).expect(400);
    expect(answer.body.errors).toContainEqual(expect.objectContaining({ in: 'body', field }));
  });

  it('takes a thousand tags of 90 characters at once', async () => {
    const tags = Array.from({ length: 1_000 }, (_, i) => `items?category=${String(i).padStart(64, 'x')}`);
    expect((await post(nodes.a, '/admin/cache/invalidate', { tags }).expect(200)).body.tags).toHaveLength(1_000);
  });
});

describe('clearing', () => {
  it('begins a new generation: once its message has come, no node serves anything older', async () => {
    const path = `/items/${await createItem()}`;
    await cachedOnBoth(path);
    const before = await stats(nodes.a);
    const { body } = await post(nodes.a, '/admin/cache/clear').expect(200);
    expect(body.generation).not.toBe(before.l2.generation);
    expect(await stats(nodes.a)).toMatchObject({ l1: { entries: 0, bytes: 0 }, l2: { generation: body.generation } });
    await until(async () => {
      const { l1, l2 } = await stats(nodes.b);
      return l1.entries === 0 && l2.generation !== before.l2.generation;
    });
    await until(async () => (await stats(nodes.b)).l2.generation === body.generation);
    expect(await cacheStatusAt(nodes.a, path)).toContain('strata-api; fwd=uri-miss');
    expect(isHit(await cacheStatusAt(nodes.b, path), 'l2')).toBe(true);
  });

  it('empties the other node’s L1 by a message, not by its next command', async () => {
    const path = `/items/${await createItem()}`;
    await cachedOnBoth(path);
    await post(nodes.a, '/admin/cache/clear').expect(200);
    await until(async () => !isHit(await cacheStatusAt(nodes.b, path), 'l1'));
  });

  it('is done one after the other by two nodes at once', async () => {
    const answers = await Promise.all(
      [nodes.a, nodes.b, nodes.a, nodes.b].map((app) => post(app, '/admin/cache/clear')),
    );
    expect(answers.every(({ status }) => status === 200 || status === 503)).toBe(true);
    expect(answers.some(({ status }) => status === 200)).toBe(true);
    const path = `/items/${await createItem()}`;
    await cachedOnBoth(path);
    expect((await stats(nodes.a)).l2.generation).toBe((await stats(nodes.b)).l2.generation);
  });

  it('leaves the database alone', async () => {
    const id = await createItem();
    await post(nodes.a, '/admin/cache/clear').expect(200);
    await nodes.a.http.get(`/items/${id}`).expect(200);
  });
});

describe('a policy', () => {
  it('is told with what it guarantees', async () => {
    const { body } = await get(nodes.a, '/admin/cache/policies/items').expect(200);
    expect(body).toEqual({
      entity: 'items',
      policy: 'write-through',
      guarantee: expect.stringContaining('hit'),
      choices: ['ttl', 'invalidate', 'write-through', 'strict'],
    });
    await get(nodes.a, '/admin/cache/policies/things').expect(404);
    await get(nodes.a, '/admin/cache/policies/__proto__').expect(404);
  });

  it('is switched on every node, and shows in the next answers', async () => {
    const path = `/items/${await createItem()}`;
    await cachedOnBoth(path);
    for (const policy of ['ttl', 'strict', 'invalidate', 'write-through']) {
      const { body } = await put(nodes.a, '/admin/cache/policies/items', { policy }).expect(200);
      expect(body).toMatchObject({ entity: 'items', policy });
      expect(await cacheStatusAt(nodes.a, path)).toContain(`strata-policy=${policy}`);
      await until(async () => (await get(nodes.b, '/admin/cache/policies/items')).body.policy === policy);
      expect(await cacheStatusAt(nodes.b, path)).toContain(`strata-policy=${policy}`);
    }
  });

  it('is refused where there is none of that name', async () => {
    await put(nodes.a, '/admin/cache/policies/things', { policy: 'ttl' }).expect(404);
    for (const body of [{ policy: 'hope' }, {}, { policy: null }, { policy: 'ttl', more: 1 }, { policy: ['ttl'] }])
      await put(nodes.a, '/admin/cache/policies/items', body).expect(400);
  });
});

// Last: it takes Redis away.
describe('while Redis is away', () => {
  it('what needs it is a 503 that says when to come back; what does not is answered', async () => {
    const path = `/items/${await createItem()}`;
    await nodes.redis.kill();
    await until(async () => (await stats(nodes.a)).l2.breaker !== 'closed');
    for (const request of [
      post(nodes.a, '/admin/cache/clear'),
      post(nodes.a, '/admin/cache/invalidate', { tags: ['items:1'] }),
      put(nodes.a, '/admin/cache/policies/items', { policy: 'ttl' }),
    ])
      await request.expect(503).expect('Retry-After', '1').expect('Content-Type', 'application/problem+json');
    const seen = await entries(nodes.a, path);
    expect(seen).toMatchObject({ database: { version: 1 }, tags: null });
    expect(seen.layers.api.l2).toEqual({ available: false, reason: 'redis' });
    expect((await stats(nodes.a)).l2.generation).toBeNull();
    await get(nodes.a, '/admin/cache/policies/items').expect(200);
    await nodes.redis.restart();
    await until(async () => (await stats(nodes.a)).l2.breaker === 'closed');
    await post(nodes.a, '/admin/cache/clear').expect(200);
  });
});
