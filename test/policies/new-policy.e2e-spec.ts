import { type Policy } from '../../src/policies/index.js';
import { cacheStatus } from '../support/cache-status.js';
import { impatiently } from '../support/clocks.js';
import { sharedRedis } from '../support/services.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { adminToken } from '../support/warming.js';
import { cautious } from './cautious.js';

// The one line that a new policy takes beside its file.
jest.mock('../../src/policies/registry.js', () => {
  const { registered } = jest.requireActual<{ registered: readonly Policy[] }>('../../src/policies/registry.js');
  const added = jest.requireActual<{ cautious: Policy }>('./cautious.js').cautious;
  return { registered: [...registered.slice(0, -1), added, ...registered.slice(-1)] };
});

let app: TestApp;
beforeAll(async () => {
  const { url: redis } = await sharedRedis();
  app = await startApp({ redis, env: { CACHE_POLICY: 'cautious', ADMIN_TOKEN: adminToken }, override: impatiently });
});
afterAll(() => app.close());

const item = { name: 'Plane', category: 'planes', price: 10, quantity: 1 };
const authorized = { Authorization: `Bearer ${adminToken}` };

test('a policy that is added to the registry is configured, kept, promised and offered like any other', async () => {
  const { body: created } = await app.http.post('/items').send(item).expect(201);
  const path = `/items/${created.id}`;
  await app.http.get(path).expect(200);
  const hit = await app.http.get(path).expect(200);
  expect(cacheStatus(hit).api).toMatch(/^hit; .*strata-policy=cautious$/);

  await app.http
    .put(path)
    .send({ ...item, name: 'Jack plane' })
    .expect(200);
  const read = await app.http.get(path).expect(200);
  expect(read.body.name).toBe('Jack plane');
  // Nothing was stored by the writer.
  expect(cacheStatus(read).db).toMatch(/^fwd=uri-miss/);

  const { body: view } = await app.http.get('/admin/cache/policies/items').set(authorized).expect(200);
  expect(view).toMatchObject({
    policy: 'cautious',
    guarantee: cautious.guarantee,
    choices: ['ttl', 'invalidate', 'write-through', 'cautious', 'strict'],
  });
  for (const policy of ['strict', 'cautious', 'ttl'])
    await app.http.put('/admin/cache/policies/items').set(authorized).send({ policy }).expect(200);
  await app.http.put('/admin/cache/policies/items').set(authorized).send({ policy: 'careless' }).expect(400);
});
