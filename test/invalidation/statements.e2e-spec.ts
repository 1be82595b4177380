import { DataSource, type QueryRunner } from 'typeorm';
import { CacheEvents, loadProof, queryTags, ReadThrough } from '../../src/cache/index.js';
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
import { sharedRedis, type SharedRedis } from '../support/services.js';
import { startApp, type TestApp } from '../support/start-app.js';

/* Every way in which TypeORM and SQL change rows, on real servers: the next read must see it. */

let redis: SharedRedis;
let node: TestApp;
let db: DataSource;
let cache: ReadThrough;
let sent: string[] = [];

/** Rows as JSON text, from one statement with its proof. */
const load = async (sql: string, parameters: unknown[] = []) => {
  const text = `SELECT ${loadProof} AS proof, (SELECT json_agg(t) FROM (${sql}) t) AS value`;
  const [{ value, proof }] = await db.query<[{ value: unknown; proof: string | null }]>(text, parameters);
  return { value: JSON.stringify(value), proof };
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
    redis = await sharedRedis();
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
  });
  beforeEach(() => (sent = []));

  const sql = (text: string, parameters?: unknown[]) => db.query(text, parameters);

  it.each<[string, (id: number) => Promise<unknown>]>([
    ['save', (id) => db.manager.save(Plain, { id, name: 'after' })],
    ['save without listeners', (id) => db.manager.save(Plain, { id, name: 'after' }, { listeners: false })],
    ['update', (id) => db.manager.update(Plain, id, { name: 'after' })],
    ['increment', (id) => db.manager.increment(Plain, { id }, 'owner', 1)],
    ['delete', (id) => db.manager.delete(Plain, id)],
    ['clear', () => db.manager.clear(Plain)],
    [
      'a query builder without listeners',
      (id) => db.manager.createQueryBuilder().delete().from(Plain).where({ id }).callListeners(false).execute(),
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

  const onOneConnection = async (work: (runner: QueryRunner) => Promise<unknown>) => {
    const runner = db.createQueryRunner();
    await work(runner).finally(() => runner.release());
  };

  it('made by several statements at once on one connection, each by itself', async () => {
    const ids = [await make(), await make(), await make()];
    const refused = { code: '23502' };
    for (const id of ids) await row('plain', id);
    await onOneConnection(async (runner) => {
      const update = (id: number, name: string | null) =>
        runner.query('UPDATE st_plain SET name = $2 WHERE id = $1', [id, name]);
      const [first, second, third] = ids as [number, number, number];
      const all = [update(first, 'after'), update(second, null), update(third, 'after')] as const;
      await expect(all[1]).rejects.toMatchObject(refused);
      await Promise.all([all[0], all[2]]);
      expect(runner.isTransactionActive).toBe(false);
    });
    const names = await Promise.all(ids.map((id) => row('plain', id)));
    expect(names.map((json) => /"name":"(.*?)"/.exec(String(json))?.[1])).toEqual(['after', 'before', 'after']);
  });

  it.each<[string, (runner: QueryRunner, id: number) => Promise<unknown>]>([
    [
      'SQL in it, at any isolation level',
      async (runner, id) => {
        await runner.query('BEGIN');
        await runner.query('SET TRANSACTION ISOLATION LEVEL SERIALIZABLE');
        await runner.query('UPDATE st_plain SET name = $2 WHERE id = $1', [id, 'after']);
        await runner.query('COMMIT');
      },
    ],
    [
      'TypeORM in it',
      async (runner, id) => {
        await runner.query('START TRANSACTION;');
        await runner.manager.save(Plain, { id, name: 'after' });
        await runner.manager.transaction((inner) => inner.save(Plain, { id, kind: 'after' }));
        await runner.query('end work');
      },
    ],
    [
      'what TypeORM has committed',
      async (runner, id) => {
        await runner.query('BEGIN');
        await runner.manager.update(Plain, id, { name: 'after' });
        await runner.commitTransaction();
        await runner.startTransaction();
        await runner.commitTransaction();
      },
    ],
    [
      'a COMMIT behind the last statement',
      async (runner, id) => {
        await runner.query('BEGIN');
        await runner.query(`UPDATE st_plain SET name = 'after' WHERE id = ${id}; COMMIT`);
      },
    ],
    [
      'a BEGIN before it and a COMMIT behind it, in one text',
      (runner, id) => runner.query(`BEGIN; UPDATE st_plain SET name = 'after' WHERE id = ${id}; COMMIT`),
    ],
  ])('made in a transaction that was begun as SQL: %s', async (_, write) => {
    const id = await make();
    await onOneConnection(async (runner) => {
      await isSeen(
        () => row('plain', id),
        () => write(runner, id),
      );
      expect(runner.isTransactionActive).toBe(false);
      await runner.query('BEGIN');
      await runner.manager.save(Plain, { id, name: 'never' });
      await runner.query('ROLLBACK');
      expect(runner.isTransactionActive).toBe(false);
      await runner.query('UPDATE st_plain SET name = $2 WHERE id = $1', [id, 'again']);
    });
    expect(await row('plain', id)).toContain('again');
  });

  it('and not one in a transaction that was begun among other statements: that is refused', async () => {
    const id = await make();
    const refused = { code: 'INVALIDATION_UNGUARDED_WRITE' };
    await onOneConnection(async (runner) => {
      const begun = `BEGIN; UPDATE st_plain SET name = 'after' WHERE id = ${id}`;
      await expect(runner.query(begun)).rejects.toMatchObject(refused);
      await runner.query('BEGIN; SELECT 1');
      await expect(runner.manager.delete(Plain, id)).rejects.toMatchObject(refused);
      await runner.query('COMMIT');
      await runner.manager.update(Plain, id, { kind: 'after' });
    });
    expect(await row('plain', id)).toContain('"name":"before","kind":"after"');
  });

  it('made by giving a row that is known another key', async () => {
    const id = await make();
    const other = id + 1_000_000;
    await isSeen(
      () => row('plain', other),
      () =>
        db.transaction(async (m) => {
          await m.save(Plain, { id, name: 'after' });
          await m.query('UPDATE st_plain SET id = $2 WHERE id = $1', [id, other]);
        }),
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
      () => db.manager.update(Video, id, { title: 'three' }),
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
      () => db.manager.update(Author, 7, { id: 8 }),
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
      () => db.manager.delete(Author, 40),
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
      () => db.manager.delete(Label, 1),
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
      () => db.manager.upsert(sketch, { id: 1, name: 'three' }, ['id']),
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

describe('under strict, with tables that came after the start', () => {
  beforeAll(async () => {
    redis = await sharedRedis();
    node = await startApp({ redis: redis.url, imports: [ChangingEntitiesModule], env: { CACHE_POLICY: 'strict' } });
    db = node.dataSource;
    cache = node.app.get(ReadThrough);
    const other = await new DataSource({ type: 'postgres', url: node.databaseUrl, entities }).initialize();
    await other.query('CREATE SCHEMA elsewhere');
    await other.synchronize();
    await other.destroy();
  });
  afterAll(() => node.close());

  it('a foreign key of theirs is followed', async () => {
    await db.manager.save(Post, { id: 7, title: 't', author: await db.manager.save(Author, { id: 7, name: 'a' }) });
    await isSeen(
      () => row('post', 7),
      () => db.manager.delete(Author, 7),
    );
  });
});
