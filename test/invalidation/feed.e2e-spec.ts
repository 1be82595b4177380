import { LevelUnavailableError, RedisTags } from '../../src/cache/index.js';
import { FeedSlot } from '../../src/invalidation/feed/feed-slot.js';
import { FeedTables } from '../../src/invalidation/feed/feed-tables.js';
import { Item } from '../../src/items/item.entity.js';
import { cacheStatus } from '../support/cache-status.js';
import { until } from '../support/until.js';
import { item, nameOf, namesIn, WrittenElsewhere } from '../support/written-elsewhere.js';

const elsewhere = new WrittenElsewhere();
const { cached, create, drained, sql } = elsewhere;

describe.each(['write-through', 'strict'])('under %s, a change that goes past the service', (policy) => {
  beforeAll(() => elsewhere.start(policy));
  afterAll(elsewhere.stop);

  it('is seen through every node, in the row and in the lists that it left and entered', async () => {
    const id = await create('before', 'left');
    for (const path of [`/items/${id}`, '/items?category=left', '/items?category=entered']) await cached(path);
    await sql("UPDATE items SET name = 'after', category = 'entered' WHERE id = $1", [id]);
    for (const node of elsewhere.nodes) {
      await until(async () => (await nameOf(node, id)) === 'after');
      expect(await namesIn(node, 'left')).toEqual([]);
      expect(await namesIn(node, 'entered')).toEqual(['after']);
    }
    await sql('DELETE FROM items WHERE id = $1', [id]);
    for (const node of elsewhere.nodes) await until(async () => (await nameOf(node, id)) === undefined);
  });

  it('is seen where a generation has just ended, and the feed is read on', async () => {
    const leader = elsewhere.nodeThatIs('leading');
    const id = await create('before');
    await cached(`/items/${id}`);
    // Asked only by a node that does not read.
    const looks = jest.spyOn(leader.app.get(FeedSlot), 'look');
    const ended = new LevelUnavailableError('no-epoch', 'ended by the test');
    const fencing = jest.spyOn(leader.app.get(RedisTags), 'fenceMissed').mockRejectedValueOnce(ended);
    await sql("UPDATE items SET name = 'after' WHERE id = $1", [id]);
    for (const node of elsewhere.nodes) await until(async () => (await nameOf(node, id)) === 'after');
    expect([fencing.mock.calls.length > 1, looks.mock.calls.length]).toEqual([true, 0]);
  });

  it('is seen where the absence of a row was cached', async () => {
    for (const node of elsewhere.nodes) for (let n = 0; n < 2; n += 1) await node.http.get('/items/900001').expect(404);
    await sql("INSERT INTO items (id, name, category, price, quantity) VALUES (900001, 'there', 'feed', 1, 1)");
    for (const node of elsewhere.nodes) await until(async () => (await nameOf(node, 900_001)) === 'there');
  });

  it('is seen in the list that a row left where the log does not have the old row', async () => {
    await create('before', 'left-behind');
    await sql('ALTER TABLE items REPLICA IDENTITY DEFAULT');
    try {
      await cached('/items?category=left-behind');
      await sql("UPDATE items SET category = 'elsewhere' WHERE category = 'left-behind'");
      for (const node of elsewhere.nodes) await until(async () => (await namesIn(node, 'left-behind')).length === 0);
      await cached('/items?category=elsewhere');
      await sql("DELETE FROM items WHERE category = 'elsewhere'");
      for (const node of elsewhere.nodes) await until(async () => (await namesIn(node, 'elsewhere')).length === 0);
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
    for (const node of elsewhere.nodes) {
      const tables = node.app.get(FeedTables);
      const of = tables.of.bind(tables);
      jest.spyOn(tables, 'of').mockImplementation((relation) => of(relation).map((table) => ({ ...table, read })));
    }
    await sql("UPDATE items SET name = 'after' WHERE id = $1", [id]);
    for (const node of elsewhere.nodes) await until(async () => (await nameOf(node, id)) === 'after');
  });

  it('is seen where it is part of a transaction that the service has made in part, through any node', async () => {
    await sql(`
      CREATE FUNCTION follow() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN UPDATE items SET name = NEW.name WHERE category = 'follower' AND id <> NEW.id; RETURN NULL; END $$`);
    await sql(
      "CREATE TRIGGER follow AFTER UPDATE ON items FOR EACH ROW WHEN (NEW.category = 'led') EXECUTE FUNCTION follow()",
    );
    const [known, unknown] = [await create('before', 'led'), await create('before', 'follower')];
    for (const [n, { dataSource }] of elsewhere.nodes.entries()) {
      await cached(`/items/${unknown}`);
      await dataSource.transaction((manager) => manager.save(Item, { id: known, name: `after ${n}` }));
      for (const node of elsewhere.nodes) await until(async () => (await nameOf(node, unknown)) === `after ${n}`);
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
    await elsewhere.nodes[0]!.dataSource.transaction((manager) => manager.update(Item, { id }, { name: 'in bulk' }));
    for (const node of elsewhere.nodes) await until(async () => (await nameOf(node, id)) === 'in bulk');
    await cached(`/items/${id}`);
    await sql('DELETE FROM parents');
    for (const node of elsewhere.nodes) await until(async () => (await nameOf(node, id)) === undefined);
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
    for (const node of elsewhere.nodes) await until(async () => (await nameOf(node, id)) === 'before!');
    await drained();
    await cached(`/items/${id}`);
    await sql('TRUNCATE items');
    for (const node of elsewhere.nodes) await until(async () => (await nameOf(node, id)) === undefined);
  });

  it('is none, if the service made it and has fenced it', async () => {
    const id = await create('before');
    // On a machine that stands still for a moment, the feed may come before the writer, and then it fences, too.
    await until(async () => {
      await elsewhere.nodes[1]!.http.put(`/items/${id}`).send(item('after')).expect(200);
      await cached(`/items/${id}`);
      await drained();
      const statuses = await Promise.all(elsewhere.nodes.map((node) => node.http.get(`/items/${id}`)));
      return statuses.every((answer) => /^hit/.test(cacheStatus(answer).api ?? ''));
    });
  });
});
