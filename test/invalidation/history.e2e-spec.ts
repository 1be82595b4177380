import { execFileSync } from 'node:child_process';
import { RedisConnection } from '../../src/cache/index.js';
import { create, generation, hitAt, versionAt, withSite, write } from '../support/site.js';
import { until } from '../support/until.js';

const copy = (from: string, to: string) => {
  execFileSync('rm', ['-rf', to]);
  execFileSync('cp', ['-a', from, to]);
};
describe('a restart of PostgreSQL', () => {
  it('that has lost nothing leaves everything in the cache', async () => {
    await withSite({ CACHE_POLICY: 'strict' }, [], async ({ node, postgres }) => {
      const path = await create(node);
      await hitAt(node, path, 'l2');
      const before = generation(node);
      await postgres.restart();
      await hitAt(node, path, 'l2');
      await until(() => node.app.get(RedisConnection).certain);
      expect(generation(node)).toBe(before);
    });
  });

  it('with the data of an earlier time begins a new generation, whoever asks first', async () => {
    await withSite({ CACHE_POLICY: 'strict' }, [], async ({ node, postgres }) => {
      const path = await create(node);
      let backup = '';
      await postgres.whileStopped((data) => copy(data, (backup = `${data}.backup`)));
      await write(node, path);
      await hitAt(node, path, 'l2');
      expect(await versionAt(node, path)).toBe(2);
      await postgres.whileStopped((data) => copy(backup, data));
      await until(async () => (await versionAt(node, path)) === 1);
      await hitAt(node, path, 'l2');
      expect(await versionAt(node, path)).toBe(1);
      execFileSync('rm', ['-rf', backup]);
    });
  });

  it('after a crash under synchronous_commit=off begins a new generation, and strict says beforehand that it may', async () => {
    const lax = ['synchronous_commit=off', 'wal_writer_delay=10s'];
    await withSite({ CACHE_POLICY: 'strict' }, lax, async ({ node, postgres }) => {
      const path = await create(node);
      await node.dataSource.query('CHECKPOINT');
      await write(node, path);
      await hitAt(node, path, 'l2');
      const { l2 } = (await node.http.get('/health')).body.details as Record<
        string,
        { status: string; reason?: string }
      >;
      expect(l2).toMatchObject({ status: 'degraded', reason: expect.stringContaining('synchronous_commit') });
      const before = generation(node);
      await postgres.kill();
      await postgres.restart();
      await until(async () => (await node.http.get(path)).status === 200);
      await until(() => generation(node) !== undefined && generation(node) !== before);
      const [row] = await node.dataSource.query<[{ version: number }]>('SELECT version FROM items');
      await hitAt(node, path, 'l2');
      expect(await versionAt(node, path)).toBe(row.version);
    });
  });
});
