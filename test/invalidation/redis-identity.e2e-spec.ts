import { RedisConnection } from '../../src/cache/index.js';
import { hammer } from '../support/administered-nodes.js';
import { maskIdentity } from '../support/mask-identity.js';
import { startRedis } from '../support/services.js';
import {
  command,
  create,
  generation,
  hitAt,
  open,
  replicatedAtOnce,
  versionAt,
  withRedis,
  write,
} from '../support/site.js';
import { startApp } from '../support/start-app.js';
import { until } from '../support/until.js';

describe('a Redis that says neither run_id nor master_replid', () => {
  it('is refused for strict, with the reason', async () => {
    await withRedis({}, async ({ node, redis, databaseUrl }) => {
      const masked = await maskIdentity(redis.port);
      const [admin, token] = [{ ADMIN_TOKEN: 'correct-horse-battery-staple' }, 'correct-horse-battery-staple'];
      node.app.get(RedisConnection).onApplicationShutdown();
      const nameless = await startApp({ redis: masked.url, database: databaseUrl, env: admin });
      try {
        await open(nameless);
        const path = await create(nameless);
        await hitAt(nameless, path, 'l1');
        const change = nameless.http.put('/admin/cache/policies/items').auth(token, { type: 'bearer' });
        const refused = await change.send({ policy: 'strict' }).expect(409);
        expect(refused.body.detail).toContain('run_id');
      } finally {
        await nameless.close();
        masked.close();
      }
    });
  });

  it('begins a new generation where an older data set has come back in its place', async () => {
    await withRedis({}, async ({ node, databaseUrl }) => {
      node.app.get(RedisConnection).onApplicationShutdown();
      const redis = await startRedis({ args: ['--dbfilename', 'old.rdb'] });
      const masked = await maskIdentity(redis.port);
      const nameless = await startApp({ redis: masked.url, database: databaseUrl });
      try {
        const path = await create(nameless);
        await open(nameless);
        await hitAt(nameless, path, 'l1');
        await command(redis, 'SAVE');
        const before = generation(nameless);
        await write(nameless, path);
        // A heartbeat, at least, that the dump does not know of.
        await until(() => nameless.app.get(RedisConnection).certain);
        await new Promise((resolve) => setTimeout(resolve, 600));
        await redis.kill();
        await redis.restart();
        await until(() => generation(nameless) !== undefined && generation(nameless) !== before);
        expect(await versionAt(nameless, path)).toBe(2);
      } finally {
        await nameless.close();
        masked.close();
        await redis.stop();
      }
    });
  });
});

describe('a Redis', () => {
  it('that took over the data of an older copy, and is a primary again, begins a new generation', async () => {
    await withRedis({ CACHE_POLICY: 'strict' }, async ({ node, redis }) => {
      const older = await startRedis({ args: replicatedAtOnce });
      try {
        const path = await create(node);
        await hitAt(node, path, 'l2');
        await command(older, 'REPLICAOF', '127.0.0.1', String(redis.port));
        await until(async () => String(await command(older, 'INFO', 'replication')).includes('master_link_status:up'));
        await command(older, 'REPLICAOF', 'NO', 'ONE');
        await write(node, path);
        expect(await versionAt(node, path)).toBe(2);
        await command(redis, 'REPLICAOF', '127.0.0.1', String(older.port));
        await until(async () => String(await command(redis, 'INFO', 'replication')).includes('master_link_status:up'));
        await command(redis, 'REPLICAOF', 'NO', 'ONE');
        await until(async () => (await versionAt(node, path)) === 2);
        await hitAt(node, path, 'l2');
        expect(await versionAt(node, path)).toBe(2);
      } finally {
        await older.stop();
      }
    });
  });

  it('that is not the one in force is not used: its node goes without, and says why', async () => {
    await withRedis({ CACHE_POLICY: 'strict' }, async ({ node, databaseUrl }) => {
      const other = await startRedis();
      const env = { CACHE_POLICY: 'strict' };
      const elsewhere = await startApp({ redis: other.url, redisIsAway: true, database: databaseUrl, env });
      try {
        const path = await create(node);
        await hitAt(node, path, 'l2');
        expect(generation(elsewhere)).toBeUndefined();
        await until(async () =>
          String((await elsewhere.http.get('/health')).body.details.l2.reason).includes('REDIS_URL'),
        );
        expect((await elsewhere.http.put(path).send(hammer)).status).toBe(503);
        await write(node, path);
        expect(await versionAt(elsewhere, path)).toBe(2);
        expect(await versionAt(node, path)).toBe(2);
        // Once nobody uses the one in force any more, the other one takes its place.
        node.app.get(RedisConnection).onApplicationShutdown();
        await open(elsewhere);
        await write(elsewhere, path);
        await hitAt(elsewhere, path, 'l2');
      } finally {
        await elsewhere.close();
        await other.stop();
      }
    });
  });
});
