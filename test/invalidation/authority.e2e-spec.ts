import { CacheEvents, RedisConnection } from '../../src/cache/index.js';
import { hammer } from '../support/administered-nodes.js';
import { command, create, generation, hitAt, type Site, withSite, write } from '../support/site.js';
import { until } from '../support/until.js';

describe('while PostgreSQL is away, a node that has lost its Redis connections once', () => {
  const away = async ({ node, postgres, redis }: Site): Promise<void> => {
    await postgres.kill();
    const reopened = new Promise((resolve) =>
      node.app.get(CacheEvents).on('connection', ({ path, open: again }) => path === 'data' && again && resolve(true)),
    );
    await command(redis, 'CLIENT', 'KILL', 'TYPE', 'normal');
    await command(redis, 'CLIENT', 'KILL', 'TYPE', 'pubsub');
    await reopened;
  };

  it('reads on what is cached, under a weaker policy: the same server answers with the same record', async () => {
    await withSite({}, [], async (site) => {
      const path = await create(site.node);
      await hitAt(site.node, path, 'l1');
      await away(site);
      for (let n = 0; n < 20; n += 1) await site.node.http.get(path).expect(200);
      const before = generation(site.node);
      await site.postgres.restart();
      await write(site.node, path);
      await hitAt(site.node, path, 'l1');
      expect(before).toBeDefined();
    });
  });

  it('refuses under strict: another node may reach a PostgreSQL that names another generation', async () => {
    await withSite({ CACHE_POLICY: 'strict' }, [], async (site) => {
      const path = await create(site.node);
      await hitAt(site.node, path, 'l2');
      await away(site);
      await until(() => !site.node.app.get(RedisConnection).certain);
      await site.node.http.get(path).expect(503);
      await site.postgres.restart();
      await hitAt(site.node, path, 'l2');
    });
  });
});

it('a strict writer fails where PostgreSQL has named another generation since, in any isolation level', async () => {
  await withSite({ CACHE_POLICY: 'strict' }, [], async ({ node }) => {
    const path = await create(node);
    await write(node, path);
    await node.dataSource.query("SELECT setval('cache_generation_number', 1000)");
    const refused = await node.http.put(path).send(hammer).expect(503);
    expect(refused.headers['retry-after']).toBeDefined();
    const [{ name }] = await node.dataSource.query<[{ name: string }]>('SELECT name FROM cache_generation');
    expect(name).toBe(generation(node));
    await node.dataSource.transaction('REPEATABLE READ', async ({ queryRunner }) => {
      const number = () => queryRunner!.query('SELECT last_value::text AS number FROM cache_generation_number');
      const [before] = (await number()) as [{ number: string }];
      await node.dataSource.query("SELECT setval('cache_generation_number', 2000)");
      expect([before, ...((await number()) as object[])]).toEqual([{ number: '1000' }, { number: '2000' }]);
    });
  });
});
