import { hammer } from '../support/administered-nodes.js';
import { withNode as withNodeOf } from '../support/redis-setups.js';
import { startRedis, type TestRedis } from '../support/services.js';
import { command, create, generation, hitAt, versionAt, write } from '../support/site.js';
import { createMigratedDatabase, startApp, type StartAppOptions, type TestApp } from '../support/start-app.js';
import { until } from '../support/until.js';
import { adminToken } from '../support/warming.js';

/** Nodes share it one after the other. */
let database: Awaited<ReturnType<typeof createMigratedDatabase>>;
let redis: TestRedis;
beforeAll(async () => {
  [database, redis] = await Promise.all([createMigratedDatabase(), startRedis()]);
});
afterAll(async () => {
  await database.drop();
  await redis.stop();
});

const withNode = (options: StartAppOptions, work: (node: TestApp) => Promise<void>): Promise<void> =>
  withNodeOf({ database: database.url, ...options }, work);

it('a Redis at an IPv6 address is used', async () => {
  const six = await startRedis({ args: ['--bind', '127.0.0.1', '-::1'] });
  const url = `redis://[::1]:${six.port}`;
  await withNode({ redis: url }, async (node) => hitAt(node, await create(node), 'l1'));
  await six.stop();
});

it('a Redis in which something else has been put in the place of entries begins a new generation', async () => {
  await withNode({ redis: redis.url }, async (node) => {
    const path = await create(node);
    await hitAt(node, path, 'l1');
    const before = generation(node);
    const keys = (await command(redis, 'KEYS', `strata:${before}:tag:*`)) as string[];
    expect(keys.length).toBeGreaterThan(1);
    for (const key of keys) await command(redis, 'SET', key, 'not ours');
    await write(node, path);
    await node.http.get(path).expect(200);
    await until(() => generation(node) !== undefined && generation(node) !== before);
    await hitAt(node, path, 'l1');
    expect(await versionAt(node, path)).toBe(2);
  });
});

it('strict is refused on a Redis that evicts, and goes without one that begins to', async () => {
  const evicting = (policy: string) => command(redis, 'CONFIG', 'SET', 'maxmemory-policy', policy);
  await withNode({ redis: redis.url }, async (node) => {
    const change = () => node.http.put('/admin/cache/policies/items').auth(adminToken, { type: 'bearer' });
    const path = await create(node);
    await evicting('allkeys-lru');
    const { body } = await change().send({ policy: 'strict' }).expect(409);
    expect(body.detail).toContain('use volatile-lfu');
    await evicting('volatile-lfu');
    await change().send({ policy: 'strict' }).expect(200);
    await hitAt(node, path, 'l2');
    await evicting('allkeys-lru');
    await until(async () => {
      const { details } = (await node.http.get('/health')).body;
      return /maxmemory-policy is allkeys-lru/.test(String(details.redis.reason));
    });
    await node.http.get(path).expect(200);
    await node.http.put(path).send(hammer).expect(503);
    await evicting('volatile-lfu');
    await hitAt(node, path, 'l2');
    await until(async () => (await change().send({ policy: 'write-through' })).status === 200);
  });
});

describe('strict without any Redis', () => {
  it('is refused at start, and as a switch', async () => {
    const strict = startApp({ database: database.url, env: { CACHE_POLICY: 'strict' } });
    await expect(strict).rejects.toThrow(/strict needs a Redis.*REDIS_URL/);
    await withNode({}, async ({ http }) => {
      const change = http.put('/admin/cache/policies/items').auth(adminToken, { type: 'bearer' });
      const { body } = await change.send({ policy: 'strict' }).expect(409);
      expect(body.detail).toContain('REDIS_URL');
    });
  });
});
