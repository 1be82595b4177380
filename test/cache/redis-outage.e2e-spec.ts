import { CACHE_MANAGER } from '@nestjs/cache-manager';
import { type Cache } from 'cache-manager';
import { CacheEvents } from '../../src/cache/index.js';
import { Deadlines } from '../../src/cache/levels/l2/deadlines.js';
import { Journal } from '../../src/invalidation/index.js';
import { cacheStatus } from '../support/cache-status.js';
import { broken, item, opened, OutageNodes, served, stateOf, timeoutMs } from '../support/outage-nodes.js';
import { type TestRedis } from '../support/services.js';
import { type TestApp } from '../support/start-app.js';
import { until } from '../support/until.js';

const nodes = new OutageNodes();
const { create } = nodes;
let redis: TestRedis;
let a: TestApp;
let b: TestApp;
beforeAll(() => ({ redis, a, b } = nodes));

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

  it('values of CACHE_MANAGER that are changed or deleted meanwhile never come back', async () => {
    const [mine, others] = [a, b].map((node) => node.app.get<Cache>(CACHE_MANAGER)) as [Cache, Cache];
    for (const key of ['changed', 'deleted', 'left alone']) await mine.set(key, 'old');
    await breakIt();
    await until(async () => {
      await Promise.all([mine.get('deleted'), others.get('deleted')]);
      return [a, b].every((node) => stateOf(node) !== 'closed');
    });
    await mine.set('changed', 'new');
    await mine.del('deleted');
    expect(await mine.get('deleted')).toBeUndefined();
    await mendIt();
    await opened(a, b);
    expect(await mine.get('deleted')).toBeUndefined();
    expect(await mine.get('changed')).not.toBe('old');
    // The other node may have its connection a moment before this one has told what it kept.
    await until(async () => (await others.get('deleted')) === undefined && (await others.get('changed')) !== 'old');
    expect(a.app.get(Journal).size).toBe(0);
    await mine.set('changed', 'newest');
    expect(await others.get('changed')).toBe('newest');
  });

  it('once the breaker is open, nothing waits for Redis any more', async () => {
    const id = await create('quick');
    await breakIt();
    for (let n = 0; n < 2; n += 1) await a.http.get(`/items/${id}`).expect(200);
    // The other node asks Redis every quarter of a second whether its generation is in force.
    await Promise.all([a, b].map(broken));
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
