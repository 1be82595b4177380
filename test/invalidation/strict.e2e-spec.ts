import { DataSource } from 'typeorm';
import { type Clock, Lease, RedisConnection, SystemClock } from '../../src/cache/index.js';
import { namespaceOf, recordKey } from '../../src/cache/testing.js';
import { type PolicyName } from '../../src/config/index.js';
import { Invalidator, PolicySwitch } from '../../src/invalidation/index.js';
import { leaseWaitMs } from '../../src/invalidation/bus/lease-wait.js';
import { PolicyRegistry } from '../../src/invalidation/policies/policy-registry.js';
import { PolicyStore } from '../../src/invalidation/policies/policy-store.js';
import { renewGeneration } from '../support/cache-node.js';
import { cacheStatus } from '../support/cache-status.js';
import { SteppedClock, withClock } from '../support/clocks.js';
import { startRedis, type TestRedis } from '../support/services.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { Stopwatch } from '../support/stopwatch.js';
import { until } from '../support/until.js';

let redis: TestRedis;
let nodes: TestApp[] = [];

beforeAll(async () => (redis = await startRedis()));
afterAll(() => redis.stop());

const item = (name: string) => ({ name, category: 'strict', price: 1, quantity: 1 });

async function start(count: number, env: Record<string, string>, clock: Clock = new SystemClock()): Promise<TestApp[]> {
  const options = { redis: redis.url, env, override: withClock(clock) };
  const first = await startApp(options);
  nodes.push(first);
  for (let n = 1; n < count; n += 1) nodes.push(await startApp({ ...options, database: first.databaseUrl }));
  return nodes;
}

const longLeaseMs = 8_000;
/** How long a writer waits until every lease has run out. */
const waitMs = leaseWaitMs(longLeaseMs);

/** Sends a request whose answer is not awaited. */
function begin(request: PromiseLike<{ readonly status: number }>) {
  const begun = { status: 0, answered: Promise.resolve(0) };
  begun.answered = Promise.resolve(request).then(({ status }) => (begun.status = status));
  return begun;
}

afterEach(async () => {
  jest.restoreAllMocks();
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
  const long = { ...env, CACHE_L1_LEASE_MS: String(longLeaseMs) };

  /**
   * A row that `b` has in L1, in a generation that is older than any lease. Writers that wait for leases wait until the clock
   * is told that they have run out.
   */
  async function startStepped() {
    const clock = new SteppedClock(waitMs);
    const [a, b] = await start(2, long, clock);
    const connection = a!.app.get(RedisConnection);
    await connection.command(connection.gen, (client) =>
      client.hSet(recordKey(namespaceOf(connection.gen)), 'born', '0'),
    );
    const path = await create(a!, 'v0');
    clock.wakeAll();
    await until(async () => /detail=l1/.test((await statusAt(b!, path)).api ?? ''));
    const put = (name: string) => begin(a!.http.put(path).send(item(name)));
    /** Until the write is answered: it may fence, and wait, more than once. */
    const passUntil = (write: { readonly status: number }) =>
      until(() => {
        clock.pass();
        return write.status > 0;
      });
    return { a: a!, b: b!, clock, path, put, passUntil };
  }

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
    const { put } = await startStepped();
    // No lease runs out meanwhile.
    expect(await put('v1').answered).toBe(200);
  });

  it('waits out the lease of a node that is cut off, then no longer', async () => {
    const { b, clock, put, passUntil } = await startStepped();
    const lease = b.app.get(Lease);
    // The node holds the row in L1 and hears nothing any more; its acknowledgement will not come.
    jest.spyOn(b.app.get(RedisConnection), 'command').mockImplementation(() => new Promise(() => undefined));
    const write = put('v1');
    await until(() => write.status > 0 || clock.sleeping.length > 0);
    expect([write.status, clock.sleeping]).toEqual([0, [waitMs]]);
    await passUntil(write);
    expect([write.status, lease.valid]).toEqual([200, false]);
    expect(await put('v2').answered).toBe(200);
  });

  it('a young generation waits for the leases of nodes that it does not know yet', async () => {
    const { a, b, clock, path, put, passUntil } = await startStepped();
    // It has the row in L1, and its heartbeats do not arrive: the new generation will not know it.
    const cutOff = jest
      .spyOn(b.app.get(RedisConnection), 'command')
      .mockImplementation(() => new Promise(() => undefined));
    let write = { status: 0 };
    // Once more where the machine stood still until the generation was not young any more.
    await until(async () => {
      const watch = new Stopwatch();
      await renewGeneration(a.app.get(RedisConnection));
      write = put('v1');
      await until(() => write.status > 0 || clock.sleeping.length > 0);
      return write.status === 0 || watch.elapsedMs < waitMs;
    });
    expect([write.status, clock.sleeping]).toEqual([0, [waitMs]]);
    await passUntil(write);
    expect(write.status).toBe(200);
    cutOff.mockRestore();
    expect(await Promise.all([nameAt(a, path), nameAt(b, path)])).toEqual(['v1', 'v1']);
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
    const clock = new SteppedClock(waitMs);
    const [a] = await start(1, { CACHE_L1_LEASE_MS: String(longLeaseMs) }, clock);
    const path = await create(a!, 'old');
    const registry = a!.app.get(PolicyRegistry);
    const writer = a!.app.get(DataSource).createQueryRunner();
    await writer.startTransaction();
    let switched = false;
    const switching = a!.app
      .get(PolicySwitch)
      .to('items', 'strict')
      .then(() => (switched = true));
    const waits = "SELECT 1 FROM pg_locks WHERE relation = 'cache_policy_lock'::regclass AND NOT granted";
    await until(async () => (await a!.dataSource.query<unknown[]>(waits)).length > 0);
    // It has not written yet, but will do so by the old policy. Readers keep the rules of strict already.
    expect(switched).toBe(false);
    expect([registry.policyOf('items'), registry.writersOf('items')]).toEqual(['write-through', 'write-through']);
    expect(registry.rulesOf('items')).toBe('strict');
    await writer.query('UPDATE items SET quantity = 9');
    expect(clock.sleeping).toEqual([]);
    await writer.commitTransaction();
    await writer.release();
    await until(() => switched || clock.sleeping.length > 0);
    expect([switched, clock.sleeping]).toEqual([false, [waitMs]]);
    clock.pass();
    await switching;
    expect((await a!.http.get(path)).body.quantity).toBe(9);
  });

  it('from strict promises less before its writers do less', async () => {
    const clock = new SteppedClock(waitMs);
    const [a] = await start(1, { CACHE_POLICY: 'strict', CACHE_L1_LEASE_MS: String(longLeaseMs) }, clock);
    const writer = a!.app.get(DataSource).createQueryRunner();
    await writer.startTransaction();
    const switching = a!.app.get(PolicySwitch).to('items', 'invalidate');
    const registry = a!.app.get(PolicyRegistry);
    await until(() => registry.policyOf('items') === 'invalidate');
    expect(registry.writersOf('items')).toBe('strict');
    await writer.commitTransaction();
    await writer.release();
    await until(() => clock.sleeping.length > 0);
    expect([registry.writersOf('items'), clock.sleeping]).toEqual(['strict', [waitMs]]);
    clock.pass();
    await switching;
    expect(registry.writersOf('items')).toBe('invalidate');
  });

  it('is kept by a writer whose node has not heard of it', async () => {
    const [a] = await start(1, { CACHE_POLICY: 'invalidate' });
    const path = await create(a!, 'v0');
    const registry = a!.app.get(PolicyRegistry);
    // It does not read the policies again every few seconds either.
    jest.spyOn(a!.app.get(PolicyStore), 'all').mockResolvedValue([]);
    const afterCommit = jest.spyOn(a!.app.get(Invalidator), 'committed');
    await a!.dataSource.query(
      "UPDATE cache_policies SET target = 'strict', policy = 'strict', revision = revision + 1",
    );
    expect(registry.writersOf('items')).toBe('invalidate');
    await a!.http.put(path).send(item('v1')).expect(200);
    expect(afterCommit).not.toHaveBeenCalled();
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
