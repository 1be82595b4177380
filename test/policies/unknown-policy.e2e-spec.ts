import { PolicyRegistry } from '../../src/invalidation/index.js';
import { cacheStatus } from '../support/cache-status.js';
import { impatiently } from '../support/clocks.js';
import { sharedRedis } from '../support/services.js';
import { createMigratedDatabase, startApp, type TestApp } from '../support/start-app.js';
import { until } from '../support/until.js';
import { adminToken } from '../support/warming.js';

/* A deployment brings a policy that the build before does not know, and may be taken back. */

let database: Awaited<ReturnType<typeof createMigratedDatabase>>;
let redis: string;
let node: TestApp;
const env = { ADMIN_TOKEN: adminToken, CACHE_L1_LEASE_MS: '300' };
const start = () => startApp({ redis, database: database.url, env, override: impatiently });

beforeAll(async () => {
  database = await createMigratedDatabase();
  ({ url: redis } = await sharedRedis());
  node = await start();
});
afterAll(async () => {
  await node.close();
  await database.drop();
});

const item = { name: 'Plane', category: 'planes', price: 10, quantity: 1 };
const rowOf = async () =>
  (await node.dataSource.query<object[]>('SELECT policy, promised, target FROM cache_policies'))[0];

/** By a newer build. */
async function switchTo(columns: string): Promise<void> {
  await node.dataSource.query(`UPDATE cache_policies SET ${columns}, revision = revision + 1`);
  await node.app.get(PolicyRegistry).reload();
}

test('under a policy of a newer build, writers do the most, and readers are promised the least', async () => {
  const { body: created } = await node.http.post('/items').send(item).expect(201);
  const path = `/items/${created.id}`;
  await switchTo("policy = 'careful', promised = 'careful', target = 'careful'");
  const other = await start();
  try {
    const registry = node.app.get(PolicyRegistry);
    expect([registry.rulesOf('items'), registry.writersOf('items')]).toEqual(['strict', 'strict']);
    for (const [n, writer] of [node, other].entries()) {
      const name = `Plane ${n}`;
      await writer.http.put(path).send({ ...item, name }).expect(200); // prettier-ignore
      for (const reader of [node, other]) {
        const read = await reader.http.get(path).expect(200);
        expect([read.body.name, cacheStatus(read).api]).toEqual([name, expect.stringContaining('strata-policy=ttl')]);
      }
    }
  } finally {
    await other.close();
  }
});

test.each([
  ['strict', "policy = 'careful', promised = 'careful', target = 'careful'"],
  ['ttl', "policy = 'strict', promised = 'careful', target = 'careful'"],
  ['write-through', "policy = 'careful', promised = 'ttl', target = 'careful'"],
])('it can be left for %s, from %s', async (policy, left) => {
  await switchTo(left);
  await node.http
    .put('/admin/cache/policies/items')
    .auth(adminToken, { type: 'bearer' })
    .send({ policy })
    .expect(200, /"policy":"\w/);
  expect(await rowOf()).toEqual({ policy, promised: policy, target: policy });
  await until(() => node.app.get(PolicyRegistry).policyOf('items') === policy);
});

test('a node without Redis starts under it', async () => {
  await switchTo("policy = 'careful', promised = 'careful', target = 'careful'");
  const without = await startApp({ database: database.url, override: impatiently });
  await without.http.get('/items').expect(200);
  await without.close();
});

test('a switch to it is left to the newer build', async () => {
  const under = { policy: 'ttl', promised: 'ttl', target: 'careful' };
  await switchTo("policy = 'ttl', promised = 'ttl', target = 'careful'");
  const other = await start();
  await other.close();
  expect(await rowOf()).toEqual(under);
});
