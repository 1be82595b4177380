import { setTimeout as sleep } from 'node:timers/promises';
import { CacheEvents, LevelUnavailableError, RedisTags } from '../../src/cache/index.js';
import { FeedSlot } from '../../src/invalidation/feed/feed-slot.js';
import { FeedTables } from '../../src/invalidation/feed/feed-tables.js';
import { ChangeFeed, Invalidator } from '../../src/invalidation/index.js';
import { Item } from '../../src/items/item.entity.js';
import { cacheStatus } from '../support/cache-status.js';
import { impatiently } from '../support/clocks.js';
import { sharedRedis, type SharedRedis } from '../support/services.js';
import { sqlFromElsewhere } from '../support/sql-from-elsewhere.js';
import { createMigratedDatabase, startApp, type TestApp } from '../support/start-app.js';
import { until } from '../support/until.js';

let redis: SharedRedis;
let database: Awaited<ReturnType<typeof createMigratedDatabase>>;
let nodes: TestApp[];

const env = { CACHE_FEED: 'on', CACHE_TTL_MS: '600000' };
const start = (policy = 'write-through') =>
  startApp({
    redis: redis.url,
    database: database.url,
    env: { ...env, CACHE_POLICY: policy },
    override: impatiently,
  });
const feedOf = (node: TestApp) => node.app.get(ChangeFeed);

beforeAll(async () => {
  [redis, database] = await Promise.all([sharedRedis(), createMigratedDatabase()]);
});
afterAll(async () => {
  await database.drop();
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
/** The feed has told of everything so far: what is written last comes last. */
const drained = async () => {
  await sql("INSERT INTO items (name, category, price, quantity) VALUES ('mark', 'mark', 1, 1)");
  await until(async () => (await namesIn(nodes[0]!, 'mark')).includes('mark'));
  await sql("DELETE FROM items WHERE category = 'mark'");
  await until(async () => (await namesIn(nodes[0]!, 'mark')).length === 0);
};

describe.each(['write-through', 'strict'])('under %s, a change that goes past the service', (policy) => {
  beforeAll(async () => {
    nodes = await Promise.all([start(policy), start(policy)]);
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

  it('is seen where a generation has just ended, and the feed is read on', async () => {
    const leader = nodes.find((node) => feedOf(node).state === 'leading')!;
    const id = await create('before');
    await cached(`/items/${id}`);
    // Asked only by a node that does not read.
    const looks = jest.spyOn(leader.app.get(FeedSlot), 'look');
    const ended = new LevelUnavailableError('no-epoch', 'ended by the test');
    const fencing = jest.spyOn(leader.app.get(RedisTags), 'fenceMissed').mockRejectedValueOnce(ended);
    await sql("UPDATE items SET name = 'after' WHERE id = $1", [id]);
    for (const node of nodes) await until(async () => (await nameOf(node, id)) === 'after');
    expect([fencing.mock.calls.length > 1, looks.mock.calls.length]).toEqual([true, 0]);
  });

  it('is seen where the absence of a row was cached', async () => {
    for (const node of nodes) for (let n = 0; n < 2; n += 1) await node.http.get('/items/900001').expect(404);
    await sql("INSERT INTO items (id, name, category, price, quantity) VALUES (900001, 'there', 'feed', 1, 1)");
    for (const node of nodes) await until(async () => (await nameOf(node, 900_001)) === 'there');
  });

  it('is seen in the list that a row left where the log does not have the old row', async () => {
    await create('before', 'left-behind');
    await sql('ALTER TABLE items REPLICA IDENTITY DEFAULT');
    try {
      await cached('/items?category=left-behind');
      await sql("UPDATE items SET category = 'elsewhere' WHERE category = 'left-behind'");
      for (const node of nodes) await until(async () => (await namesIn(node, 'left-behind')).length === 0);
      await cached('/items?category=elsewhere');
      await sql("DELETE FROM items WHERE category = 'elsewhere'");
      for (const node of nodes) await until(async () => (await namesIn(node, 'elsewhere')).length === 0);
    } finally {
      await sql('ALTER TABLE items REPLICA IDENTITY FULL');
    }
  });

  it('is seen where the row cannot be read by this build', async () => {
    const id = await create('before', 'unreadable');
    await cached(`/items/${id}`);
    const read = (): never => {
      throw new Error('a column is missing');
    };
    for (const node of nodes) {
      const tables = node.app.get(FeedTables);
      const of = tables.of.bind(tables);
      jest.spyOn(tables, 'of').mockImplementation((relation) => of(relation).map((table) => ({ ...table, read })));
    }
    await sql("UPDATE items SET name = 'after' WHERE id = $1", [id]);
    for (const node of nodes) await until(async () => (await nameOf(node, id)) === 'after');
  });

  it('is seen where it is part of a transaction that the service has made in part, through any node', async () => {
    await sql(`
      CREATE FUNCTION follow() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN UPDATE items SET name = NEW.name WHERE category = 'follower' AND id <> NEW.id; RETURN NULL; END $$`);
    await sql(
      "CREATE TRIGGER follow AFTER UPDATE ON items FOR EACH ROW WHEN (NEW.category = 'led') EXECUTE FUNCTION follow()",
    );
    const [known, unknown] = [await create('before', 'led'), await create('before', 'follower')];
    for (const [n, { dataSource }] of nodes.entries()) {
      await cached(`/items/${unknown}`);
      await dataSource.transaction((manager) => manager.save(Item, { id: known, name: `after ${n}` }));
      for (const node of nodes) await until(async () => (await nameOf(node, unknown)) === `after ${n}`);
    }
    await sql('DROP TRIGGER follow ON items');
    await sql('DROP FUNCTION follow');
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
    await drained();
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
      await drained();
      const statuses = await Promise.all(nodes.map((node) => node.http.get(`/items/${id}`)));
      return statuses.every((answer) => /^hit/.test(cacheStatus(answer).api ?? ''));
    });
  });
});

describe.each(['leading', 'standby'])('what writers of a node that is %s have fenced', (state) => {
  let leader: TestApp;
  let writing: TestApp;
  const sources: string[] = [];

  beforeAll(async () => {
    nodes = await Promise.all([start(), start()]);
    const inState = (wanted: string) => nodes.find((node) => feedOf(node).state === wanted);
    await until(() => inState('leading') !== undefined && inState('standby') !== undefined);
    [leader, writing] = [inState('leading')!, inState(state)!];
    for (const { app } of nodes) app.get(CacheEvents).on('invalidated', ({ source }) => sources.push(source));
  });
  beforeEach(() => sources.splice(0));
  afterAll(() => Promise.all(nodes.map((node) => node.close())));

  const put = (id: number, name: string) => writing.http.put(`/items/${id}`).send(item(name, 'shared')).expect(200);
  /** What comes behind everything else. */
  const mark = async () => {
    await sql("INSERT INTO items (name, category, price, quantity) VALUES ('mark', 'mark', 1, 1)");
    await until(() => sources.includes('feed'));
    expect(sources.filter((source) => source === 'feed')).toHaveLength(1);
  };

  it('is not fenced again by the feed, however many of them share a list', async () => {
    let open = (): void => undefined;
    const writersAreDone = new Promise<void>((resolve) => (open = resolve));
    try {
      const ids = await Promise.all(['one', 'two', 'three', 'four'].map((name) => create(name, 'shared')));
      const slot = leader.app.get(FeedSlot);
      const look = slot.snapshot.bind(slot);
      jest.spyOn(slot, 'snapshot').mockImplementation(async () => {
        await writersAreDone;
        return look();
      });
      sources.splice(0);
      for (let round = 0; round < 10; round += 1) await Promise.all(ids.map((id) => put(id, `round ${round}`)));
      expect(sources).toEqual(Array.from({ length: 40 }, () => 'write'));
      open();
      await mark();
    } finally {
      open();
    }
  });

  if (state === 'leading')
    it('is waited for, and Redis is not asked about it', async () => {
      const id = await create('before', 'shared');
      await mark();
      sources.splice(0);
      const asked = jest.spyOn(leader.app.get(RedisTags), 'fenceMissed');
      const invalidator = leader.app.get(Invalidator);
      const fence = invalidator.fence.bind(invalidator);
      jest.spyOn(invalidator, 'fence').mockImplementationOnce((...change) => ({
        taken: () => Promise.resolve(undefined),
        committed: () => sleep(300).then(() => fence(...change).committed()),
      }));
      await put(id, 'after');
      expect(sources).toEqual(['write']);
      await mark();
      expect(asked).toHaveBeenCalledTimes(1);
    });
});

it('a writer that died before it told anybody is seen all the same', async () => {
  nodes = await Promise.all([start(), start()]);
  try {
    await until(() => nodes.some((node) => feedOf(node).state === 'leading'));
    const id = await create('before');
    for (const [n, writer] of nodes.entries()) {
      await cached(`/items/${id}`);
      const untold = { taken: () => Promise.resolve(undefined), committed: () => Promise.resolve(false) };
      jest.spyOn(writer.app.get(Invalidator), 'fence').mockReturnValue(untold);
      await writer.http
        .put(`/items/${id}`)
        .send(item(`after ${n}`))
        .expect(200);
      for (const node of nodes) await until(async () => (await nameOf(node, id)) === `after ${n}`);
    }
  } finally {
    await Promise.all(nodes.map((node) => node.close()));
  }
});
