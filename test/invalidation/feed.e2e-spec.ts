import { ChangeFeed, Invalidator } from '../../src/invalidation/index.js';
import { Item } from '../../src/items/item.entity.js';
import { cacheStatus } from '../support/cache-status.js';
import { startRedis, type TestRedis } from '../support/services.js';
import { sqlFromElsewhere } from '../support/sql-from-elsewhere.js';
import { createMigratedDatabase, startApp, type TestApp } from '../support/start-app.js';
import { until } from '../support/until.js';

let redis: TestRedis;
let database: Awaited<ReturnType<typeof createMigratedDatabase>>;
let nodes: TestApp[];

const env = { CACHE_FEED: 'on', CACHE_TTL_MS: '600000' };
const start = (policy = 'write-through') =>
  startApp({ redis: redis.url, database: database.url, env: { ...env, CACHE_POLICY: policy } });
const feedOf = (node: TestApp) => node.app.get(ChangeFeed);

beforeAll(async () => {
  [redis, database] = await Promise.all([startRedis(), createMigratedDatabase()]);
});
afterAll(async () => {
  await database.drop();
  await redis.stop();
});
afterEach(() => jest.restoreAllMocks());

const item = (name: string, category = 'feed') => ({ name, category, price: 1, quantity: 1 });
const create = async (name: string, category?: string): Promise<number> =>
  (await nodes[0]!.http.post('/items').send(item(name, category)).expect(201)).body.id as number;
const sql = (text: string, parameters?: unknown[]) => sqlFromElsewhere(database.url, text, parameters);
const nameOf = async (node: TestApp, id: number) =>
  (await node.http.get(`/items/${id}`)).body.name as string | undefined;
const namesIn = async (node: TestApp, category: string) =>
  (await node.http.get(`/items?category=${category}`)).body.data.map(({ name }: Item) => name) as string[];
/** Everywhere, and twice, so that every level has it. */
const cached = async (path: string) => {
  for (const node of nodes) await until(async () => /^hit/.test(cacheStatus(await node.http.get(path)).api ?? ''));
};
describe.each(['write-through', 'strict'])('under %s, a change that goes past the service', (policy) => {
  beforeAll(async () => {
    nodes = [await start(policy), await start(policy)];
    await until(
      () =>
        nodes
          .map((node) => feedOf(node).state)
          .sort()
          .join() === 'leading,standby',
    );
  });
  afterAll(async () => {
    await Promise.all(nodes.map((node) => node.close()));
  });

  it('is seen through every node, in the row and in the lists that it left and entered', async () => {
    const id = await create('before', 'left');
    for (const path of [`/items/${id}`, '/items?category=left', '/items?category=entered']) await cached(path);
    await sql("UPDATE items SET name = 'after', category = 'entered' WHERE id = $1", [id]);
    for (const node of nodes) {
      await until(async () => (await nameOf(node, id)) === 'after');
      expect(await namesIn(node, 'left')).toEqual([]);
      expect(await namesIn(node, 'entered')).toEqual(['after']);
    }
    await sql('DELETE FROM items WHERE id = $1', [id]);
    for (const node of nodes) await until(async () => (await nameOf(node, id)) === undefined);
  });

  it('is seen where the absence of a row was cached', async () => {
    for (const node of nodes) for (let n = 0; n < 2; n += 1) await node.http.get('/items/900001').expect(404);
    await sql("INSERT INTO items (id, name, category, price, quantity) VALUES (900001, 'there', 'feed', 1, 1)");
    for (const node of nodes) await until(async () => (await nameOf(node, 900_001)) === 'there');
  });

  it('may be made by a trigger, a cascade, a bulk statement', async () => {
    const id = await create('before', 'caused');
    await sql(`CREATE TABLE parents (id integer PRIMARY KEY)`);
    await sql('INSERT INTO parents VALUES (1)');
    await sql('ALTER TABLE items ADD COLUMN parent integer REFERENCES parents ON DELETE CASCADE');
    await sql('UPDATE items SET parent = 1 WHERE id = $1', [id]);
    await cached(`/items/${id}`);
    await nodes[0]!.dataSource.transaction((manager) => manager.update(Item, { id }, { name: 'in bulk' }));
    for (const node of nodes) await until(async () => (await nameOf(node, id)) === 'in bulk');
    await cached(`/items/${id}`);
    await sql('DELETE FROM parents');
    for (const node of nodes) await until(async () => (await nameOf(node, id)) === undefined);
    await sql('ALTER TABLE items DROP COLUMN parent');
    await sql('DROP TABLE parents');
  });

  it('may be of ten thousand rows at once, or of all', async () => {
    const id = await create('before', 'many');
    await cached(`/items/${id}`);
    await sql(
      "INSERT INTO items (name, category, price, quantity) SELECT 'n' || n, 'many', 1, 1 FROM generate_series(1, 10000) n",
    );
    await sql("UPDATE items SET name = name || '!' WHERE category = 'many'");
    for (const node of nodes) await until(async () => (await nameOf(node, id)) === 'before!');
    await cached(`/items/${id}`);
    await sql('TRUNCATE items');
    for (const node of nodes) await until(async () => (await nameOf(node, id)) === undefined);
  });

  it('is none, if the service made it and has fenced it', async () => {
    const id = await create('before');
    // On a machine that stands still for a moment, the feed may come before the writer, and then it fences, too.
    await until(async () => {
      await nodes[1]!.http.put(`/items/${id}`).send(item('after')).expect(200);
      await cached(`/items/${id}`);
      // It comes behind the write.
      await sql("INSERT INTO items (name, category, price, quantity) VALUES ('mark', 'mark', 1, 1)");
      await until(async () => (await namesIn(nodes[0]!, 'mark')).includes('mark'));
      await sql("DELETE FROM items WHERE category = 'mark'");
      await until(async () => (await namesIn(nodes[0]!, 'mark')).length === 0);
      const statuses = await Promise.all(nodes.map((node) => node.http.get(`/items/${id}`)));
      return statuses.every((answer) => /^hit/.test(cacheStatus(answer).api ?? ''));
    });
  });
});

it('a writer that died before it told anybody is seen all the same', async () => {
  nodes = [await start(), await start()];
  try {
    await until(() => nodes.some((node) => feedOf(node).state === 'leading'));
    const id = await create('before');
    await cached(`/items/${id}`);
    jest.spyOn(nodes[0]!.app.get(Invalidator), 'committed').mockResolvedValue();
    await nodes[0]!.http.put(`/items/${id}`).send(item('after')).expect(200);
    for (const node of nodes) await until(async () => (await nameOf(node, id)) === 'after');
  } finally {
    await Promise.all(nodes.map((node) => node.close()));
  }
});
