import { type Socket } from 'node:net';
import pg from 'pg';
import { type EntityManager } from 'typeorm';
import { RedisConnection } from '../../src/cache/index.js';
import { tagKey } from '../../src/cache/testing.js';
import { Item } from '../../src/items/item.entity.js';
import { cacheStatus } from '../support/cache-status.js';
import { sharedRedis, type SharedRedis } from '../support/services.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { until } from '../support/until.js';

let redis: SharedRedis;
let node: TestApp;

beforeAll(async () => {
  redis = await sharedRedis();
  node = await startApp({ redis: redis.url, env: { CACHE_POLICY: 'strict' } });
});

afterAll(async () => {
  await node.close();
});

/** Connections break as COMMIT is sent: for the client, it has no outcome. */
function cutOffAtCommit(): jest.SpyInstance {
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with its own `this` below
  const query = pg.Client.prototype.query as (...args: unknown[]) => unknown;
  return jest.spyOn(pg.Client.prototype, 'query').mockImplementation(function (
    this: pg.Client & { readonly connection: { readonly stream: Socket } },
    ...args: unknown[]
  ) {
    if (args[0] === 'COMMIT') this.connection.stream.destroy();
    return Reflect.apply(query, this, args) as void;
  });
}

const item = (name: string) => ({ name, category: 'tools', price: 1, quantity: 1 });

it('a COMMIT that fails leaves its writer pending, until a load has seen how it ended', async () => {
  const { body } = await node.http.post('/items').send(item('kept')).expect(201);
  const path = `/items/${body.id}`;
  const connection = node.app.get(RedisConnection);
  const pending = () =>
    connection.command(connection.gen, (client) => client.hGet(tagKey(connection.gen, `items:${body.id}`), 'pend'));
  const cut = cutOffAtCommit();
  const answer = await node.http.put(path).send(item('lost'));
  cut.mockRestore();
  expect(answer.status).toBeGreaterThanOrEqual(500);
  expect(await pending()).toMatch(/^\d+$/);
  // PostgreSQL learns of it later than the client.
  await until(async () => {
    expect((await node.http.get(path).expect(200)).body.name).toBe('kept');
    return (await pending()) === '';
  });
});

it('a parent that is inserted together with its child leaves the other rows cached', async () => {
  await node.dataSource.query('CREATE TABLE notes (item integer REFERENCES items ON DELETE CASCADE)');
  const { body } = await node.http.post('/items').send(item('other')).expect(201);
  const path = `/items/${body.id}`;
  const isHit = async () => (cacheStatus(await node.http.get(path).expect(200)).api ?? '').startsWith('hit');
  await until(isHit);
  await node.dataSource.transaction(async (manager) => {
    const { id } = await manager.save(manager.create(Item, { ...item('parent'), description: null }));
    await manager.query('INSERT INTO notes VALUES ($1)', [id]);
  });
  expect(await isHit()).toBe(true);
});

it.each([
  ['', (manager: EntityManager, work: (manager: EntityManager) => Promise<unknown>) => work(manager)],
  [
    ', in a savepoint too',
    (manager: EntityManager, work: (manager: EntityManager) => Promise<unknown>) => manager.transaction(work),
  ],
])('an upsert that moves a row refreshes the list that it left%s', async (_, within) => {
  const { body } = await node.http
    .post('/items')
    .send({ ...item('mover'), category: 'left' })
    .expect(201);
  const names = async () => (await node.http.get('/items?category=left')).body.data.map(({ name }: Item) => name);
  expect(await names()).toEqual(['mover']);
  await node.dataSource.transaction((manager) =>
    within(manager, (inner) => inner.upsert(Item, { ...item('mover'), id: body.id, category: 'entered' }, ['id'])),
  );
  expect(await names()).toEqual([]);
});
