import { DataSource, type EntityManager } from 'typeorm';
import { CacheEvents, queryTags, ReadThrough } from '../../src/cache/index.js';
import {
  Author,
  ChangingEntitiesModule,
  Content,
  Elsewhere,
  entities,
  Label,
  Line,
  Plain,
  Post,
  Prefixed,
  sketch,
  TreeNode,
  Video,
} from '../support/changing-entities.js';
import { startRedis, type TestRedis } from '../support/services.js';
import { startApp, type TestApp } from '../support/start-app.js';

/* Every way in which TypeORM and SQL change rows, on real servers: the next read must see it. */

let redis: TestRedis;
let node: TestApp;
let db: DataSource;
let cache: ReadThrough;
let sent: string[] = [];

/** Rows as JSON text, from one statement with its snapshot. */
const load = async (sql: string, parameters: unknown[] = []) => {
  const text = `SELECT pg_current_snapshot()::text AS snapshot, (SELECT json_agg(t) FROM (${sql}) t) AS value`;
  const [{ value, snapshot }] = await db.query<[{ value: unknown; snapshot: string }]>(text, parameters);
  return { value: JSON.stringify(value), snapshot };
};
const row = (entity: string, id: number, sql = `SELECT * FROM st_${entity} WHERE id = $1`) =>
  cache.row(entity, id, () => load(sql, [id]));
const list = (entity: string, filter: Record<string, string | number>, where: string) =>
  cache.query(entity, where, queryTags(entity, filter), () => load(`SELECT * FROM st_${entity} WHERE ${where}`));
/** Cached before; read again after. */
const isSeen = async (read: () => Promise<unknown>, work: () => Promise<unknown>) => {
  const before = await read();
  expect(await read()).toEqual(before);
  await work();
  // What the writer stored, or what a load found: what was there before it is not.
  expect(await read()).not.toEqual(before);
};
const make = async (fields: Partial<Plain> = {}) => (await db.manager.save(Plain, { name: 'before', ...fields })).id;

describe.each(['write-through', 'strict'])('under %s, the next read sees a change', (policy) => {
  beforeAll(async () => {
    redis = await startRedis();
    node = await startApp({ redis: redis.url, imports: [ChangingEntitiesModule], env: { CACHE_POLICY: policy } });
    db = node.dataSource;
    cache = node.app.get(ReadThrough);
    node.app.get(CacheEvents).on('invalidated', ({ tags }) => sent.push(...tags));
    await db.query('CREATE SCHEMA elsewhere');
    await db.synchronize();
    await db.query('CREATE VIEW st_view AS SELECT id, name AS label FROM st_plain');
  });
  afterAll(async () => {
    await node.close();
    await redis.stop();
  });
  beforeEach(() => (sent = []));

  /** Outside a transaction where the policy allows it. */
  const alone = <T>(work: (manager: EntityManager) => Promise<T>): Promise<T> =>
    policy === 'strict' ? db.transaction(work) : work(db.manager);
  const sql = (text: string, parameters?: unknown[]) => alone((manager) => manager.query(text, parameters));

  it.each<[string, (id: number) => Promise<unknown>]>([
    ['save', (id) => db.manager.save(Plain, { id, name: 'after' })],
    ['save without listeners', (id) => db.manager.save(Plain, { id, name: 'after' }, { listeners: false })],
    ['update', (id) => alone((m) => m.update(Plain, id, { name: 'after' }))],
    ['increment', (id) => alone((m) => m.increment(Plain, { id }, 'owner', 1))],
    ['delete', (id) => alone((m) => m.delete(Plain, id))],
    ['clear', () => alone((m) => m.clear(Plain))],
    [
      'a query builder without listeners',
      (id) => alone((m) => m.createQueryBuilder().delete().from(Plain).where({ id }).callListeners(false).execute()),
    ],
    ['SQL', (id) => sql('update "st_plain" set name = $2 where id = $1', [id, 'after'])],
    ['an anonymous block', (id) => sql(`DO $$ BEGIN UPDATE st_plain SET kind = 'x' WHERE id = ${id}; END $$`)],
    ['a common table expression', (id) => sql('WITH x AS (DELETE FROM st_plain WHERE id = $1) SELECT 1', [id])],
    ['a view', (id) => sql(`UPDATE st_view SET label = 'after' WHERE id = $1`, [id])],
    [
      'a write without listeners and one with them',
      (id) =>
        db.transaction(async (m) => {
          await m.save(Plain, { id, kind: 'between' }, { listeners: false });
          await m.save(Plain, { id, kind: 'after' });
        }),
    ],
  ])('made by %s', async (_, write) => {
    const id = await make();
    await isSeen(
      () => row('plain', id),
      () => write(id),
    );
  });

  it('in the list that a row enters without listeners, and by INSERT … SELECT', async () => {
    const those = () => list('plain', { kind: 'new' }, `kind = 'new'`);
    await isSeen(those, () => db.manager.save(Plain, { name: 'n', kind: 'new' }, { listeners: false }));
    await isSeen(those, () => sql(`INSERT INTO st_plain (name, kind, version) SELECT 'm', 'new', 1`));
  });

  it('in the list that a row left before the transaction looked at it', async () => {
    const id = await make({ kind: 'left' });
    await isSeen(
      () => list('plain', { kind: 'left' }, `kind = 'left'`),
      () =>
        db.transaction(async (m) => {
          await m.save(Plain, { id, kind: 'between' }, { listeners: false });
          await m.save(Plain, { id, kind: 'entered' });
        }),
    );
  });

  it('in lists by a column that is not selected, by a relation, and by attributes that no filter has together', async () => {
    const id = await make({ kind: 'q' });
    await isSeen(
      () => list('plain', { owner: 77 }, 'owner = 77'),
      () => db.manager.save(Plain, { id, owner: 77 }),
    );
    await isSeen(
      () => list('plain', { owner: 77 }, 'owner = 77'),
      () => db.manager.save(Plain, { id, owner: 78 }),
    );
    await isSeen(
      () => list('plain', { kind: 'q', owner: 78 }, `kind = 'q' AND owner = 78`),
      () => db.manager.save(Plain, { id, name: 'after' }),
    );
    const author = await db.manager.save(Author, { id: 1, name: 'a' });
    await isSeen(
      () => list('post', { author: 1 }, '"authorId" = 1'),
      () => db.manager.save(Post, { id: 1, title: 't', author }),
    );
    await isSeen(
      () => list('post', { author: 1 }, '"authorId" = 1'),
      () => db.manager.save(Post, { id: 1, author: null }),
    );
  });

  it('of any class of one table', async () => {
    const { id } = await db.manager.save(Video, { title: 'one' });
    await isSeen(
      () => row('content', id),
      () => db.manager.save(Video, { id: id, title: 'two' }),
    );
    await isSeen(
      () => row('content', id),
      () => alone((m) => m.update(Video, id, { title: 'three' })),
    );
    await isSeen(
      () => row('content', id),
      () => db.manager.save(Content, { id: id, title: 'four' }),
    );
  });

  it('made by a foreign key, to the table itself as well', async () => {
    await db.manager.save(Post, { id: 7, title: 't', author: await db.manager.save(Author, { id: 7, name: 'a' }) });
    await isSeen(
      () => row('post', 7),
      () => alone((m) => m.update(Author, 7, { id: 8 })),
    );
    await isSeen(
      () => row('post', 7),
      async () => db.manager.remove(await db.manager.findOneByOrFail(Author, { id: 8 })),
    );
    const parent = await db.manager.save(TreeNode, db.manager.create(TreeNode, { id: 1 }));
    await db.manager.save(TreeNode, { id: 2, parent });
    await isSeen(
      () => row('node', 2),
      () => db.manager.remove(parent),
    );
  });

  it('made by a foreign key that the service itself has just added', async () => {
    await db.query('ALTER TABLE st_sketch ADD COLUMN author integer REFERENCES st_author ON DELETE SET NULL');
    await db.manager.save(Author, { id: 40, name: 'a' });
    await sql(`INSERT INTO st_sketch (id, name, author) VALUES (40, 's', 40)`);
    await isSeen(
      () => row('sketch', 40),
      () => alone((m) => m.delete(Author, 40)),
    );
    await db.query('ALTER TABLE st_sketch DROP COLUMN author');
  });

  it('made in a table between two entities', async () => {
    const labels = await db.manager.save(Label, [{ id: 1 }, { id: 2 }]);
    await db.manager.save(Post, { id: 9, title: 't' });
    const labelled = 'SELECT count(*) FROM st_post_labels WHERE "stPostId" = $1';
    await isSeen(
      () => row('post', 9, labelled),
      () => db.manager.save(Post, { id: 9, labels }),
    );
    await isSeen(
      () => row('post', 9, labelled),
      () => alone((m) => m.delete(Label, 1)),
    );
  });

  it('of rows that one column does not name', async () => {
    const line = () => cache.row('line', '1-2', () => load('SELECT * FROM st_line WHERE "order" = 1'));
    const prefixed = () => cache.row('prefixed', 'p1', () => load('SELECT * FROM st_prefixed WHERE id = 1'));
    for (const name of ['one', 'two']) {
      await isSeen(line, () => db.manager.save(Line, { order: 1, no: 2, name }));
      await isSeen(prefixed, () => db.manager.save(Prefixed, { id: 'p1', name }));
    }
  });

  it('of an EntitySchema, and of a table in another schema', async () => {
    const there = () => row('elsewhere', 1, 'SELECT * FROM elsewhere.st_plain WHERE id = $1');
    for (const name of ['one', 'two']) {
      await isSeen(
        () => row('sketch', 1),
        () => db.getRepository(sketch).save({ id: 1, name }),
      );
      await isSeen(there, () => db.manager.save(Elsewhere, { id: 1, name }));
    }
    await isSeen(
      () => row('sketch', 1),
      () => alone((m) => m.upsert(sketch, { id: 1, name: 'three' }, ['id'])),
    );
    expect(sent.filter((tag) => tag.startsWith('plain'))).toEqual([]);
  });

  it('and nothing more of the entity changes where TypeORM names the rows', async () => {
    const ids = [await make(), await make()];
    await db.manager.save(
      Plain,
      ids.map((id) => ({ id, name: 'after' })),
    );
    await db.manager.save(Plain, [{ name: 'x' }, { name: 'y' }]);
    await db.transaction(async (outer) => {
      await outer.transaction((inner) => inner.save(Plain, { id: ids[0]!, name: 'inner' }));
      await outer.query('UPDATE st_plain SET name = $1 WHERE id = $2', ['again', ids[0]]);
    });
    await db.manager.remove(
      await db.manager.findBy(
        Plain,
        ids.map((id) => ({ id })),
      ),
    );
    expect(sent).toEqual(expect.arrayContaining(ids.map((id) => `plain:${id}`)));
    expect(sent).not.toContain('plain:*');
  });

  it('but nothing changes where others refer to the key, and another column is written', async () => {
    await db.manager.save(Author, { id: 20, name: 'a' });
    sent = [];
    await db.manager.save(Author, { id: 20, name: 'b' });
    expect(sent).toEqual([]);
  });
});

it('strict refuses what commits by itself, before it is sent, also where tables came after the start', async () => {
  redis = await startRedis();
  node = await startApp({ redis: redis.url, imports: [ChangingEntitiesModule], env: { CACHE_POLICY: 'strict' } });
  db = node.dataSource;
  const other = await new DataSource({ type: 'postgres', url: node.databaseUrl, entities }).initialize();
  await other.query('CREATE SCHEMA elsewhere');
  await other.synchronize();
  await other.destroy();
  const id = await make();
  await db.manager.save(Author, { id: 1, name: 'a' });
  const refused = { code: 'INVALIDATION_UNGUARDED_WRITE' };
  await expect(db.getRepository(Plain).clear()).rejects.toMatchObject(refused);
  await expect(db.query('DELETE FROM st_plain')).rejects.toMatchObject(refused);
  await expect(db.getRepository(Author).delete(1)).rejects.toMatchObject(refused);
  await db.getRepository(Author).update(1, { name: 'b' });
  await db.query('SELECT * FROM st_plain FOR UPDATE');
  expect(await db.getRepository(Plain).findOneBy({ id })).toMatchObject({ name: 'before' });
  await node.close();
  await redis.stop();
});
