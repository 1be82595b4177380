import { Lease, MemoryLevel, RedisConnection } from '../../src/cache/index.js';
import { generationChannel, initKey, Namespace, namespaceOf, recordKey, scripts } from '../../src/cache/testing.js';
import { Settings } from '../../src/config/index.js';
import { cacheStatusAt, hammer, isHit, post, put } from '../support/administered-nodes.js';
import { startRedis, type TestRedis } from '../support/services.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { until } from '../support/until.js';

const token = 'correct-horse-battery-staple';
let redis: TestRedis;
let nodes: TestApp[];

beforeAll(async () => {
  redis = await startRedis();
  const env = { ADMIN_TOKEN: token, CACHE_L1_LEASE_MS: '1000', REDIS_TIMEOUT_MS: '2000' };
  const first = await startApp({ redis: redis.url, env });
  const others = ['b', 'c'].map(() => startApp({ redis: redis.url, env, database: first.databaseUrl }));
  nodes = [first, ...(await Promise.all(others))];
});

afterAll(async () => {
  for (const node of nodes.toReversed()) await node.close();
  await redis.stop();
});

const create = async (): Promise<number> => (await nodes[0]!.http.post('/items').send(hammer).expect(201)).body.id;
const cachedEverywhere = async (path: string): Promise<void> => {
  for (const node of nodes) await until(async () => isHit(await cacheStatusAt(node, path), 'l1'));
};
/** Everything on the way has arrived. */
const quiet = () => until(() => nodes.every(({ app }) => app.get(RedisConnection).state === 'closed'));

/** Takes the right to install, as a node does that dies before it installs. */
async function claimAndDie(node: TestApp, ttlMs: number): Promise<void> {
  const connection = node.app.get(RedisConnection);
  const { gen } = connection;
  const namespace = namespaceOf(gen);
  const keys = [initKey(namespace), recordKey(namespace)];
  const claim = ['dead', String(ttlMs), gen, generationChannel(namespace)];
  const { text } = scripts.claimGeneration;
  await connection.command(gen, (client) => client.eval(text, { keys, arguments: claim }));
}

describe('while operators clear the cache of nodes that write at full speed', () => {
  it('every clear is a 200, and no node reads anything older than a write that a lease has passed since', async () => {
    const path = `/items/${await create()}`;
    await cachedEverywhere(path);
    const [writer, reader, third] = nodes as [TestApp, TestApp, TestApp];
    const { cacheL1LeaseMs: leaseMs } = reader.app.get(Settings);
    const acknowledged: { readonly version: number; readonly atMs: number }[] = [];
    const stale: string[] = [];
    let done = false;
    const write = async (): Promise<void> => {
      while (!done) {
        const { status, body } = await writer.http.put(path).send(hammer);
        if (status === 200) acknowledged.push({ version: body.version, atMs: performance.now() });
      }
    };
    const read = async (): Promise<void> => {
      while (!done) {
        const askedMs = performance.now();
        const answer = await reader.http.get(path);
        const missed = acknowledged.find(
          ({ version, atMs }) => version > answer.body.version && atMs < askedMs - leaseMs,
        );
        if (missed)
          stale.push(`${answer.body.version}, not ${missed.version}: ${String(answer.headers['cache-status'])}`);
      }
    };
    const load = [write(), write(), read(), read()];
    const statuses: number[] = [];
    for (let round = 0; round < 8; round += 1) {
      const who = round % 2 === 0 ? [writer] : [writer, reader, third];
      for (const { status } of await Promise.all(who.map((node) => post(node, '/admin/cache/clear'))))
        statuses.push(status);
      const before = acknowledged.length;
      await until(() => acknowledged.length > before + 5);
    }
    done = true;
    await Promise.all(load);
    expect(statuses.filter((status) => status !== 200)).toEqual([]);
    expect(stale).toEqual([]);
  });
});

it('a clear fails no strict write: its writer fences under the generation that follows', async () => {
  const [writer, other] = nodes as [TestApp, TestApp, TestApp];
  const switchTo = (policy: string) => put(writer, '/admin/cache/policies/items', { policy }).expect(200);
  await switchTo('strict');
  const path = `/items/${await create()}`;
  const statuses: number[] = [];
  let done = false;
  const write = async (): Promise<void> => {
    while (!done) statuses.push((await writer.http.put(path).send(hammer)).status);
  };
  const writing = [write(), write()];
  for (let round = 0; round < 10; round += 1) {
    await post(round % 2 ? writer : other, '/admin/cache/clear').expect(200);
    const before = statuses.length;
    await until(() => statuses.length > before + 5);
  }
  done = true;
  await Promise.all(writing);
  expect(statuses.filter((status) => status !== 200)).toEqual([]);
  await switchTo('write-through');
});

describe('a generation whose installer dies', () => {
  it('is served by no L1 any more as soon as it has ended, long before the next one begins', async () => {
    const path = `/items/${await create()}`;
    await quiet();
    await cachedEverywhere(path);
    await claimAndDie(nodes[2]!, 60_000);
    try {
      await until(() => nodes.every(({ app }) => app.get(MemoryLevel).entries === 0));
      const { body } = await nodes[0]!.http.put(path).send(hammer).expect(200);
      const { cacheL1LeaseMs: leaseMs } = nodes[1]!.app.get(Settings);
      const writtenMs = performance.now();
      for (let askedMs = writtenMs; askedMs < writtenMs + 2 * leaseMs; askedMs = performance.now()) {
        const { version } = (await nodes[1]!.http.get(path).expect(200)).body as { version: number };
        if (askedMs > writtenMs + leaseMs) expect(version).toBe(body.version);
      }
      expect(nodes.some(({ app }) => app.get(Lease).valid)).toBe(false);
    } finally {
      await removeClaim();
    }
    await quiet();
  });

  it('is followed by another node as soon as the right of the dead one has run out', async () => {
    const path = `/items/${await create()}`;
    await quiet();
    await claimAndDie(nodes[2]!, 300);
    expect((await post(nodes[0]!, '/admin/cache/clear')).status).toBe(200);
    await cachedEverywhere(path);
  });
});

it('while no generation is in force, no lease is renewed', async () => {
  const path = `/items/${await create()}`;
  await quiet();
  await cachedEverywhere(path);
  await claimAndDie(nodes[2]!, 60_000);
  try {
    await until(() => nodes.every(({ app }) => !app.get(Lease).valid));
  } finally {
    await removeClaim();
  }
  await quiet();
  await until(() => nodes.every(({ app }) => app.get(Lease).valid));
});

async function removeClaim(): Promise<void> {
  const { createRedisClient } = await import('../../src/cache/index.js');
  const client = createRedisClient(redis.url, 5_000);
  await client.connect();
  await client.del(initKey(nodes[0]!.app.get(Namespace).name!));
  await client.disconnect();
}
