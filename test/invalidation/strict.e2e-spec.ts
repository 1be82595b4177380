import { DataSource } from 'typeorm';
import { Lease, RedisConnection } from '../../src/cache/index.js';
import { type PolicyName } from '../../src/config/index.js';
import { Invalidator, PolicySwitch } from '../../src/invalidation/index.js';
import { PolicyRegistry } from '../../src/invalidation/policies/policy-registry.js';
import { cacheStatus } from '../support/cache-status.js';
import { startRedis, type TestRedis } from '../support/services.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { until } from '../support/until.js';

let redis: TestRedis;
let nodes: TestApp[] = [];

beforeAll(async () => (redis = await startRedis()));
afterAll(() => redis.stop());

const item = (name: string) => ({ name, category: 'strict', price: 1, quantity: 1 });

async function start(count: number, env: Record<string, string>): Promise<TestApp[]> {
  const first = await startApp({ redis: redis.url, env });
  nodes.push(first);
  for (let n = 1; n < count; n += 1) nodes.push(await startApp({ redis: redis.url, database: first.databaseUrl, env }));
  return nodes;
}

afterEach(async () => {
  redis.resume();
  for (const node of nodes.reverse()) await node.close();
  nodes = [];
});

const create = async (node: TestApp, name: string): Promise<string> =>
  `/items/${(await node.http.post('/items').send(item(name)).expect(201)).body.id}`;
const nameAt = async (node: TestApp, path: string): Promise<string> => (await node.http.get(path)).body.name;
const statusAt = async (node: TestApp, path: string) => cacheStatus(await node.http.get(path));

describe('strict with L1 bypassed', () => {
  it('answers every read after an acknowledged write with it, on every node', async () => {
    const [a, b] = await start(2, { CACHE_POLICY: 'strict' });
    const path = await create(a!, 'v0');
    for (let n = 1; n <= 20; n += 1) {
      await (n % 2 ? a! : b!).http
        .put(path)
        .send(item(`v${n}`))
        .expect(200);
      expect(await Promise.all([nameAt(a!, path), nameAt(b!, path)])).toEqual([`v${n}`, `v${n}`]);
    }
  });

  it('hits L2 for rows, lists and whole responses, and never L1', async () => {
    const [a] = await start(1, { CACHE_POLICY: 'strict' });
    const path = await create(a!, 'kept');
    await a!.http.get(path);
    for (const cached of [path, '/items?category=strict']) {
      await a!.http.get(cached);
      expect((await statusAt(a!, cached)).api).toMatch(/^hit; ttl=\d+; detail=l2; strata-policy=strict/);
    }
  });

  it('does not boot on a Redis that may evict a fence', async () => {
    const evicting = await startRedis({ args: ['--maxmemory-policy', 'allkeys-lru'] });
    await expect(startApp({ redis: evicting.url, env: { CACHE_POLICY: 'strict' } })).rejects.toThrow('allkeys-lru');
    const weak = await startApp({ redis: evicting.url });
    await expect(weak.app.get(PolicySwitch).to('items', 'strict')).rejects.toThrow('allkeys-lru');
    await weak.close();
    await evicting.stop();
  });
});

describe('strict with an acknowledged L1', () => {
  const env = { CACHE_POLICY: 'strict', CACHE_L1_STRICT: 'acknowledged', CACHE_L1_LEASE_MS: '400' };
  /** Far longer than a write takes that waits for nobody. */
  const longMs = 1_500;
  const patient = { ...env, CACHE_L1_LEASE_MS: String(longMs) };

  it('serves from L1, and still answers every read after an acknowledged write with it', async () => {
    const [a, b] = await start(2, env);
    const path = await create(a!, 'v0');
    for (let n = 1; n <= 10; n += 1) {
      for (const node of [a!, b!])
        await until(async () => /^hit; ttl=\d+; detail=l1/.test((await statusAt(node, path)).api ?? ''));
      await (n % 2 ? a! : b!).http
        .put(path)
        .send(item(`v${n}`))
        .expect(200);
      expect(await Promise.all([nameAt(a!, path), nameAt(b!, path)])).toEqual([`v${n}`, `v${n}`]);
    }
  });

  it('does not wait for a lease while every node answers', async () => {
    const [a, b] = await start(2, { ...env, CACHE_L1_LEASE_MS: '3000' });
    const path = await create(a!, 'v0'); // the generation is young: this one waits
    await until(async () => /detail=l1/.test((await statusAt(b!, path)).api ?? ''));
    const started = performance.now();
    await a!.http.put(path).send(item('v1')).expect(200);
    expect(performance.now() - started).toBeLessThan(3_000);
  });

  it('waits out the lease of a node that is cut off, then no longer', async () => {
    const [a, b] = await start(2, patient);
    const path = await create(a!, 'v0');
    await until(async () => /detail=l1/.test((await statusAt(b!, path)).api ?? ''));
    // The node holds the row in L1 and hears nothing any more; its acknowledgement will not come.
    const lease = b!.app.get(Lease);
    b!.app.get(RedisConnection).command = () => new Promise(() => undefined);
    const started = performance.now();
    await a!.http.put(path).send(item('v1')).expect(200);
    expect(performance.now() - started).toBeGreaterThan(longMs);
    expect(lease.valid).toBe(false);
    const again = performance.now();
    await a!.http.put(path).send(item('v2')).expect(200);
    expect(performance.now() - again).toBeLessThan(longMs);
  });

  it('a young generation waits for the leases of nodes that it does not know yet', async () => {
    const [a, b] = await start(2, patient);
    const path = await create(a!, 'v0');
    await until(async () => /detail=l1/.test((await statusAt(b!, path)).api ?? ''));
    await a!.app.get(RedisConnection).renewGeneration();
    const started = performance.now();
    await a!.http.put(path).send(item('v1')).expect(200);
    expect(performance.now() - started).toBeGreaterThan(longMs);
    expect(await Promise.all([nameAt(a!, path), nameAt(b!, path)])).toEqual(['v1', 'v1']);
  });
});

describe('a switch of the policy', () => {
  const promisedAt = async (node: TestApp, path: string): Promise<string> =>
    /strata-policy=([\w-]+)/.exec((await statusAt(node, path)).api ?? '')?.[1] ?? '';

  it.each<[PolicyName, PolicyName]>([
    ['write-through', 'strict'],
    ['strict', 'invalidate'],
    ['ttl', 'strict'],
    ['ttl', 'invalidate'],
  ])('from %s to %s reaches every node, and leaves nothing that the new one could not answer for', async (from, to) => {
    const [a, b] = await start(2, { CACHE_POLICY: from, CACHE_L1_LEASE_MS: '400' });
    const path = await create(a!, 'old');
    for (const node of [a!, b!]) await node.http.get(path);
    await a!.http.put(path).send(item('new')).expect(200); // under ttl, nobody hears of it
    await a!.app.get(PolicySwitch).to('items', to);
    for (const node of [a!, b!]) {
      await until(async () => (await promisedAt(node, path)) === to);
      expect(await nameAt(node, path)).toBe('new');
    }
  });

  it('to strict waits for the writers of the old policy, and for every lease of before', async () => {
    const [a] = await start(1, { CACHE_L1_LEASE_MS: '400' });
    const path = await create(a!, 'old');
    const registry = a!.app.get(PolicyRegistry);
    const writer = a!.app.get(DataSource).createQueryRunner();
    await writer.startTransaction();
    let switched = false;
    const switching = a!.app
      .get(PolicySwitch)
      .to('items', 'strict')
      .then(() => (switched = true));
    const waits = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
    await until(async () => (await a!.dataSource.query<unknown[]>(waits)).length > 0);
    // It has not written yet, but will do so by the old policy. Readers keep the rules of strict already.
    expect(switched).toBe(false);
    expect([registry.policyOf('items'), registry.writersOf('items')]).toEqual(['write-through', 'write-through']);
    expect(registry.rulesOf('items')).toBe('strict');
    await writer.query('UPDATE items SET quantity = 9');
    const committingMs = performance.now();
    await writer.commitTransaction();
    await writer.release();
    await switching;
    expect(performance.now() - committingMs).toBeGreaterThan(400);
    expect((await a!.http.get(path)).body.quantity).toBe(9);
  });

  it('from strict promises less before its writers do less', async () => {
    const [a] = await start(1, { CACHE_POLICY: 'strict' });
    const writer = a!.app.get(DataSource).createQueryRunner();
    await writer.startTransaction();
    const switching = a!.app.get(PolicySwitch).to('items', 'invalidate');
    const registry = a!.app.get(PolicyRegistry);
    await until(() => registry.policyOf('items') === 'invalidate');
    expect(registry.writersOf('items')).toBe('strict');
    await writer.commitTransaction();
    await writer.release();
    await switching;
  });

  it('is kept by a writer whose node has not heard of it, and never taken back by what is heard late', async () => {
    const [a] = await start(1, { CACHE_POLICY: 'invalidate' });
    const path = await create(a!, 'v0');
    const registry = a!.app.get(PolicyRegistry);
    const afterCommit = jest.spyOn(a!.app.get(Invalidator), 'committed');
    await a!.dataSource.query(
      "UPDATE cache_policies SET target = 'strict', policy = 'strict', revision = revision + 1",
    );
    expect(registry.writersOf('items')).toBe('invalidate');
    await a!.http.put(path).send(item('v1')).expect(200);
    expect(afterCommit).not.toHaveBeenCalled();
    const state = registry.stateOf('items')!;
    registry.learn({ ...state, promised: 'ttl', revision: state.revision - 1 });
    expect(registry.policyOf('items')).toBe('invalidate');
  });

  it('that its node did not finish is finished by the next that boots', async () => {
    const [a] = await start(1, { CACHE_L1_LEASE_MS: '100' });
    const path = await create(a!, 'kept');
    await a!.dataSource.query(
      "UPDATE cache_policies SET target = 'strict', policy = 'strict', revision = revision + 1",
    );
    const next = await startApp({ redis: redis.url, database: a!.databaseUrl, env: { CACHE_L1_LEASE_MS: '100' } });
    expect(await promisedAt(next, path)).toBe('strict');
    await until(async () => (await promisedAt(a!, path)) === 'strict');
    await next.close();
  });

  it('is made when the environment says another policy than before, and survives when it does not', async () => {
    const [a] = await start(1, { CACHE_POLICY: 'invalidate', CACHE_L1_LEASE_MS: '100' });
    const path = await create(a!, 'kept');
    const second = await startApp({
      redis: redis.url,
      database: a!.databaseUrl,
      env: { CACHE_POLICY: 'strict', CACHE_L1_LEASE_MS: '100' },
    });
    expect(await promisedAt(second, path)).toBe('strict');
    await second.app.get(PolicySwitch).to('items', 'ttl');
    await second.close();
    const third = await startApp({
      redis: redis.url,
      database: a!.databaseUrl,
      env: { CACHE_POLICY: 'strict', CACHE_L1_LEASE_MS: '100' },
    });
    expect(await promisedAt(third, path)).toBe('ttl');
    await third.close();
  });
});
