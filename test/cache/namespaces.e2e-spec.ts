import { Redis } from 'ioredis';
import { CacheEvents, Lease, namespaceOf, Namespace, RedisConnection, RedisFaults } from '../../src/cache/index.js';
import { PolicyRegistry } from '../../src/invalidation/index.js';
import { sharedRedis, type SharedRedis } from '../support/services.js';
import { startApp, type StartAppOptions, type TestApp } from '../support/start-app.js';
import { until } from '../support/until.js';
import { adminEnv, adminToken, insertItems, warmingOf } from '../support/warming.js';

const admin = { type: 'bearer' } as const;
const item = { name: 'Hammer', description: null, category: 'tools', price: 19.99, quantity: 3 };

let redis: SharedRedis;
let client: Redis;
let nodes: TestApp[] = [];

beforeAll(async () => {
  redis = await sharedRedis();
  client = new Redis(redis.url);
});
afterAll(() => client.disconnect());
afterEach(async () => {
  for (const node of nodes.reverse()) await node.close();
  nodes = [];
  await client.flushall();
});

/** A service of its own, unless it shares a database. */
const start = async (
  number: number,
  env: Record<string, string> = {},
  others: Pick<StartAppOptions, 'database' | 'redisIsAway'> = {},
): Promise<TestApp> => {
  const node = await startApp({
    redis: `${redis.url}/${number}`,
    env: { ...adminEnv, CACHE_L1_LEASE_MS: '200', ...env },
    ...others,
  });
  nodes.push(node);
  return node;
};
const nameOf = ({ app }: TestApp): string => app.get(Namespace).name!;
const genOf = ({ app }: TestApp): string => app.get(RedisConnection).gen;
const channels = async (): Promise<string[]> => (await client.pubsub('CHANNELS', 'strata:*')) as string[];
const post = (node: TestApp, path: string, body?: object) => node.http.post(path).auth(adminToken, admin).send(body);
const statusAt = async (node: TestApp, path: string) => String((await node.http.get(path)).headers['cache-status']);
const create = async (node: TestApp) => `/items/${(await node.http.post('/items').send(item).expect(201)).body.id}`;

describe.each([
  ['two databases', 1],
  ['one database', 0],
])('two services on one Redis server, in %s of it', (_, second) => {
  it('name every key and every channel differently', async () => {
    const [a, b] = [await start(0), await start(second)];
    for (const node of [a, b]) {
      await statusAt(node, await create(node));
      await node.app.get(RedisConnection).renewGeneration();
    }
    expect(nameOf(a)).not.toBe(nameOf(b));
    const known = (name: string) => [nameOf(a), nameOf(b)].some((own) => name.includes(`strata:${own}:`));
    expect((await channels()).filter((name) => !known(name))).toEqual([]);
    for (const number of [0, second]) {
      await client.select(number);
      expect((await client.keys('*')).filter((key) => !known(key))).toEqual([]);
    }
    await client.select(0);
  });

  it('leave each other alone: policies, generations, what is cached, and jobs', async () => {
    // A lease that does not lapse by itself on a busy machine.
    const [a, b] = [await start(0), await start(second, { CACHE_L1_LEASE_MS: '10000' })];
    const path = await create(b);
    await until(async () => /strata-api; hit/.test(await statusAt(b, path)));
    const told: string[] = [];
    for (const type of ['generation', 'cleared', 'dropped', 'lease'] as const)
      b.app.get(CacheEvents).on(type, () => told.push(type));
    const gen = genOf(b);
    await client.select(second);
    const keysOf = async (node: TestApp) => (await client.keys(`strata:${nameOf(node)}:*`)).sort();
    const kept = await keysOf(b);
    const policies = () => b.app.get(PolicyRegistry).stateOf('items');
    const before = policies();
    await a.http.put('/admin/cache/policies/items').auth(adminToken, admin).send({ policy: 'strict' }).expect(200);
    const swept = genOf(a);
    await post(a, '/admin/cache/clear').expect(200);
    await post(a, '/admin/cache/invalidate', { tags: ['items:*'] }).expect(200);
    await client.select(0);
    await until(async () => (await keysOf(a)).every((key) => !key.startsWith(`strata:${swept}:`)));
    await insertItems(a, 5);
    const done = await warmingOf(a).done({ strategy: 'all' });
    expect(done.warmed! + done.alreadyCached!).toBe(5);
    expect(await warmingOf(b).get(done.id).then(({ status }) => status)).toBe(404); // prettier-ignore
    expect(await statusAt(b, path)).toMatch(/strata-api; hit/);
    await client.select(second);
    expect([genOf(b), policies(), told, await keysOf(b)]).toEqual([gen, before, [], kept]);
    await client.select(0);
  });
});

describe('the namespace', () => {
  it('is the same for every node of a database, and is shown to operators', async () => {
    const a = await start(0);
    const b = await start(0, {}, { database: a.databaseUrl });
    expect([nameOf(b), genOf(b), namespaceOf(genOf(b))]).toEqual([nameOf(a), genOf(a), nameOf(a)]);
    const stats = await a.http.get('/admin/cache/stats').auth(adminToken, admin).expect(200);
    expect(stats.body.l2.namespace).toBe(nameOf(a));
  });

  it('is what CACHE_NAMESPACE says', async () => {
    const a = await start(0, { CACHE_NAMESPACE: 'copy-2' });
    expect([nameOf(a), namespaceOf(genOf(a))]).toEqual(['copy-2', 'copy-2']);
    a.app.get(Namespace).follow({ system: 'another', database: '1' });
    expect(nameOf(a)).toBe('copy-2');
  });

  it('of a service is one: nodes that name another do not cache while it is used', async () => {
    const a = await start(0, { CACHE_NAMESPACE: 'one' });
    const b = await start(0, { CACHE_NAMESPACE: 'another' }, { database: a.databaseUrl, redisIsAway: true });
    const connection = b.app.get(RedisConnection);
    await until(() => /CACHE_NAMESPACE/.test(b.app.get(RedisFaults).of('data') ?? ''));
    expect([connection.state === 'closed', namespaceOf(genOf(a))]).toEqual([false, 'one']);
  });

  it('follows the identity of the database, and nothing kept under the one before is served', async () => {
    const a = await start(0);
    const path = await create(a);
    await until(async () => /detail=l1/.test(await statusAt(a, path)));
    const before = nameOf(a);
    const lease = a.app.get(Lease);
    const term = lease.term;
    const namespace = a.app.get(Namespace);
    const follow = namespace.follow.bind(namespace);
    // As the regular comparison of identities tells it.
    namespace.follow = ({ database }) => follow({ system: 'another', database });
    await until(() => namespace.name !== before);
    expect(lease.term === term && lease.valid).toBe(false);
    await until(() => lease.valid && lease.term !== term);
    const moved = namespace.name;
    await until(() => genOf(a).startsWith(`${moved}:`));
    const own = (await channels()).filter((name) => name.endsWith(':invalidations'));
    expect(own).toEqual([`strata:${moved}:invalidations`]);
  });
});

it('what is no message of the service changes nothing, and ends no connection', async () => {
  const a = await start(0, { CACHE_L1_STRICT: 'acknowledged', CACHE_L1_LEASE_MS: '10000' });
  const path = await create(a);
  await until(async () => /detail=l1/.test(await statusAt(a, path)));
  const { app } = a;
  const told: string[] = [];
  for (const type of ['connection', 'lease', 'cleared', 'dropped', 'generation'] as const)
    app.get(CacheEvents).on(type, () => told.push(type));
  const before = [genOf(a), app.get(PolicyRegistry).stateOf('items'), app.get(Lease).term];
  const foreign = [
    ...['', 'nonsense', '{', 'null', '7', '[]', '"text"', '{"tags":7,"atMs":1}', '{"tags":[7],"atMs":1}'],
    ...[
      '{"tags":["items:*"]}',
      '{"tags":["items:*"],"atMs":1,"ack":{"to":1}}',
      '{"tags":["items:*"],"atMs":1,"ack":7}',
    ],
    ...['{"ack":1,"node":[]}', '{"beat":"x"}', '{"beat":-1}', 'other:u1', '{"id":1}'],
    JSON.stringify({ entity: 'items', policy: 'ttl', promised: 'ttl', target: 'ttl', configured: 'ttl', revision: 99 }),
    JSON.stringify({ entity: 'nobody', policy: 'hope', revision: 'x' }),
  ];
  for (const channel of await channels()) for (const text of foreign) await client.publish(channel, text);
  // What is published later is heard later.
  await post(a, '/admin/cache/invalidate', { tags: ['items:999999'] }).expect(200);
  await until(() => told.includes('dropped'));
  expect(told).toEqual(['dropped']);
  await until(() => app.get(PolicyRegistry).rulesOf('items') === 'write-through');
  expect([genOf(a), app.get(PolicyRegistry).stateOf('items'), app.get(Lease).term]).toEqual(before);
  expect(await statusAt(a, path)).toMatch(/strata-api; hit; ttl=\d+; detail=l1/);
});
