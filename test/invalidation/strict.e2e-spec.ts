import { Lease, RedisConnection } from '../../src/cache/index.js';
import { namespaceOf, recordKey } from '../../src/cache/testing.js';
import { PolicySwitch } from '../../src/invalidation/index.js';
import { renewGeneration } from '../support/cache-node.js';
import { SteppedClock } from '../support/clocks.js';
import { create, item, longLeaseMs, nameAt, NodeGroup, statusAt, waitMs } from '../support/node-group.js';
import { startRedis } from '../support/services.js';
import { startApp } from '../support/start-app.js';
import { Stopwatch } from '../support/stopwatch.js';
import { until } from '../support/until.js';

const group = new NodeGroup();

/** Sends a request whose answer is not awaited. */
function begin(request: PromiseLike<{ readonly status: number }>) {
  const begun = { status: 0, answered: Promise.resolve(0) };
  begun.answered = Promise.resolve(request).then(({ status }) => (begun.status = status));
  return begun;
}

describe('strict with L1 bypassed', () => {
  it('answers every read after an acknowledged write with it, on every node', async () => {
    const [a, b] = await group.start(2, { CACHE_POLICY: 'strict' });
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
    const [a] = await group.start(1, { CACHE_POLICY: 'strict' });
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
    const [a, b] = await group.start(2, long, clock);
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
    const [a, b] = await group.start(2, env);
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
