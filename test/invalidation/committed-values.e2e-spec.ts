import { setTimeout as sleep } from 'node:timers/promises';
import {
  type AfterQueryEvent,
  type BeforeQueryEvent,
  type DataSource,
  type EntityManager,
  type QueryRunner,
  type UpdateEvent,
} from 'typeorm';
import { RedisTags, type RowId } from '../../src/cache/index.js';
import { PolicySwitch } from '../../src/invalidation/index.js';
import { policyNames } from '../../src/policies/index.js';
import { impatiently } from '../support/clocks.js';
import { Author, Code, ddl, Numbered, Post, Reads, rules, Thing, ThingsModule } from '../support/committed-things.js';
import { startRedis, type TestRedis } from '../support/services.js';
import { startApp, type TestApp } from '../support/start-app.js';

/* What is cached after a write is the row, however the row came to be what it is. */

let redis: TestRedis;
let node: TestApp;
let reads: Reads;
let dataSource: DataSource;
/** What another subscriber does before a COMMIT, once. */
let meddle: ((manager: EntityManager) => Promise<unknown>) | undefined;

beforeAll(async () => {
  redis = await startRedis();
  node = await startApp({ redis: redis.url, imports: [ThingsModule], override: impatiently });
  ({ dataSource } = node);
  reads = node.app.get(Reads);
  await dataSource.query(ddl);
  dataSource.subscribers.push({
    beforeTransactionCommit: async ({ manager }) => {
      const act = meddle;
      meddle = undefined;
      await new Promise((resolve) => setImmediate(resolve));
      await act?.(manager);
    },
  });
});

afterAll(async () => {
  await node.close();
  await redis.stop();
});

let last = 0;
const uuid = () => `a0eebc99-9c0b-4ef8-bb6d-${String(++last).padStart(12, '0')}`;
const truth = async (table: string, id: RowId): Promise<unknown> => {
  const [row] = await dataSource.query<{ value: unknown }[]>(
    `SELECT to_json(t) AS value FROM ${table} t WHERE id = $1`,
    [id],
  );
  return row?.value ?? null;
};
/** Twice: the second time whatever was kept. */
const seen = async (entity: string, id: RowId) => [await reads.row(entity, id), await reads.row(entity, id)];
const isTrue = async (id: string) => {
  const row = await truth('cv_things', id);
  expect(await seen('things', id)).toEqual([row, row]);
};
const begun = async (work: (runner: QueryRunner) => Promise<unknown>) => {
  const runner = dataSource.createQueryRunner();
  try {
    await runner.startTransaction();
    await work(runner);
    await runner.commitTransaction();
  } finally {
    await runner.release();
  }
};

describe.each(policyNames.filter((policy) => policy !== 'ttl'))('under %s', (policy) => {
  beforeAll(async () => {
    for (const { entity } of rules) await node.app.get(PolicySwitch).to(entity, policy);
  });

  it('an INSERT that does nothing because the row is there stores nothing of its own', async () => {
    const id = uuid();
    await dataSource.manager.save(Thing, { id, name: 'first', n: 1 });
    await dataSource.transaction((manager) =>
      manager.createQueryBuilder().insert().into(Thing).values({ id, name: 'never', n: 0 }).orIgnore().execute(),
    );
    await isTrue(id);
  });

  it('what a deferred constraint trigger makes of a row is what is cached, and its list is fenced', async () => {
    await dataSource.query(`
      CREATE FUNCTION cv_later() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN UPDATE cv_things SET n = n + 100 WHERE id = NEW.id AND n < 100; RETURN NULL; END $$;
      CREATE CONSTRAINT TRIGGER cv_later AFTER INSERT OR UPDATE ON cv_things DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION cv_later()`);
    try {
      expect(await reads.list(107)).toEqual([]);
      const id = uuid();
      await dataSource.manager.save(Thing, { id, name: 'moved later', n: 7 });
      await isTrue(id);
      expect(await reads.list(107)).toEqual(['moved later']);
    } finally {
      await dataSource.query(
        'DELETE FROM cv_things WHERE n = 107; DROP TRIGGER cv_later ON cv_things; DROP FUNCTION cv_later()',
      );
      await dataSource.transaction((manager) => manager.delete(Thing, { n: 107 }));
    }
  });

  it('what another subscriber writes before the COMMIT is cached, of the same row and of another', async () => {
    const [id, other] = [uuid(), uuid()];
    await dataSource.manager.save(Thing, [{ id, name: 'one', n: 1 }, { id: other, name: 'two', n: 1 }]); // prettier-ignore
    await seen('things', other);
    meddle = async (manager) => {
      await manager.query('UPDATE cv_things SET n = n + 1000 WHERE id = $1', [id]);
      await manager.save(Thing, { id: other, name: 'two, too' });
    };
    await dataSource.manager.save(Thing, { id, name: 'changed' });
    await isTrue(id);
    await isTrue(other);
  });

  it.each(['not waited for', 'in the text of the COMMIT', 'not waited for, and sent late'])(
    'what is changed %s is fenced before it',
    async (how) => {
      const [id, number, n] = [uuid(), String(++last), ++last * 10_000];
      await dataSource.manager.save(Thing, { id, name: 'one', n });
      await dataSource.manager.save(Numbered, { id: number, name: 'before' });
      expect([await reads.list(n + 1), (await seen('numbers', number)).length]).toEqual([[], 2]);
      const order: string[] = [];
      const tags = node.app.get(RedisTags);
      const fence = tags.fence.bind(tags);
      const fencing = jest.spyOn(tags, 'fence').mockImplementation(async (...change) => {
        const fenced = await fence(...change);
        order.push(...change[0]);
        return fenced;
      });
      const changes = [
        `UPDATE cv_things SET n = n + 1 WHERE id = $1`,
        `UPDATE cv_numbers SET name = 'after' WHERE id = ${number}`,
      ];
      const watch = {
        // What comes late is sent behind the last look at the rows.
        beforeQuery: ({ query }: BeforeQueryEvent) =>
          how.endsWith('late') ? sleep(query === 'COMMIT' ? 200 : query === changes[0] ? 100 : 0) : undefined,
        afterQuery: ({ query }: AfterQueryEvent) => void (query.includes('COMMIT') && order.push('COMMIT')),
      };
      dataSource.subscribers.push(watch);
      await dataSource.transaction(async (manager) => {
        await manager.save(Thing, { id, name: 'two' });
        if (how === 'in the text of the COMMIT') await manager.query(`${changes[1]}; COMMIT`);
        else
          for (const [text, ...parameters] of [[changes[0]!, id], [changes[1]!]] as const)
            void manager.query(text, parameters);
      });
      dataSource.subscribers.splice(dataSource.subscribers.indexOf(watch), 1);
      fencing.mockRestore();
      const fenced = [...(how.startsWith('not') ? [`things?n=${n + 1}`] : []), 'numbers:*'];
      if (policy === 'strict') expect(order.slice(0, order.indexOf('COMMIT'))).toEqual(expect.arrayContaining(fenced));
      await isTrue(id);
      for (const row of await seen('numbers', number)) expect(row?.['name']).toBe('after');
      if (how.startsWith('not')) expect(await reads.list(n + 1)).toEqual(['two']);
    },
  );

  it.each(['waited for', 'not waited for'])(
    'what another subscriber changes beside the COMMIT, %s, is cached; under strict it is refused',
    async (how) => {
      const [id, n] = [uuid(), ++last * 10_000];
      await dataSource.manager.save(Thing, { id, name: 'one', n });
      expect(await reads.list(n + 1)).toEqual([]);
      const change = 'UPDATE cv_things SET n = n + 1 WHERE id = $1';
      let sent: Promise<unknown> | undefined;
      const meddler = {
        beforeQuery: ({ query, queryRunner }: BeforeQueryEvent) => {
          // It is sent when the rows have been looked at for the last time.
          if (query === change) return sleep(100);
          if (query !== 'COMMIT' || sent) return undefined;
          sent = queryRunner.query(change, [id]);
          sent.catch(() => undefined);
          return how === 'waited for' ? sent : sleep(200);
        },
      };
      dataSource.subscribers.push(meddler);
      const saved = dataSource.manager.save(Thing, { id, name: 'two' }).then(
        () => 'saved',
        (error: Error) => error.name,
      );
      const refused = policy === 'strict';
      expect(await saved).toBe(refused && how === 'waited for' ? 'OvertakingWriteError' : 'saved');
      dataSource.subscribers.splice(dataSource.subscribers.indexOf(meddler), 1);
      if (refused) await expect(sent).rejects.toThrow('wait for every statement before the transaction ends');
      await isTrue(id);
      expect(await reads.list(n + 1)).toEqual(refused ? [] : ['two']);
    },
  );

  it('what is changed beside the COMMIT is invalid, also where PostgreSQL no longer says who has changed it', async () => {
    const [id, number] = [uuid(), String(++last)];
    await dataSource.manager.save(Numbered, { id: number, name: 'before' });
    await seen('numbers', number);
    let sent: Promise<unknown> | undefined;
    let committed = false;
    let unanswered = 0;
    const meddler = {
      beforeQuery: ({ query, queryRunner }: BeforeQueryEvent) => {
        if (committed && query.includes('pg_current_xact_id()')) {
          unanswered += 1;
          throw new Error('PostgreSQL is away');
        }
        if (query !== 'COMMIT' || sent) return undefined;
        sent = queryRunner.query(`UPDATE cv_numbers SET name = 'after' WHERE id = ${number}`).catch(() => undefined);
        return sent;
      },
      afterQuery: ({ query }: AfterQueryEvent) => void (committed ||= query === 'COMMIT'),
    };
    dataSource.subscribers.push(meddler);
    await dataSource.manager.save(Thing, { id, name: 'one', n: 1 });
    dataSource.subscribers.splice(dataSource.subscribers.indexOf(meddler), 1);
    expect(unanswered).toBe(policy === 'strict' ? 0 : 1);
    for (const row of await seen('numbers', number))
      expect(row?.['name']).toBe(policy === 'strict' ? 'before' : 'after');
  });

  it.each(['a ROLLBACK', 'a ROLLBACK TO'])(
    'what follows a statement beside %s is refused: nothing would undo it',
    async (end) => {
      const id = uuid();
      await dataSource.manager.save(Thing, { id, name: 'kept', n: 1 });
      await seen('things', id);
      let late: Promise<unknown> | undefined;
      const giveUp = async (manager: EntityManager): Promise<void> => {
        late = manager
          .query('SELECT 1 FROM cv_things WHERE id = $1 FOR UPDATE', [id])
          .then(() => manager.query(`UPDATE cv_things SET name = 'never' WHERE id = $1`, [id]));
        late.catch(() => undefined);
        throw new Error('given up');
      };
      if (end === 'a ROLLBACK') await expect(dataSource.transaction(giveUp)).rejects.toThrow('given up');
      else await dataSource.transaction((outer) => expect(outer.transaction(giveUp)).rejects.toThrow('given up'));
      await expect(late).rejects.toThrow('sent while its transaction was ending');
      expect((await seen('things', id)).map((row) => row?.['name'])).toEqual(['kept', 'kept']);
      await isTrue(id);
    },
  );

  it('an upsert that changes another row than it names is followed', async () => {
    const [id, n] = [uuid(), ++last * 10_000];
    const index = "CREATE UNIQUE INDEX IF NOT EXISTS cv_skus ON cv_things (name) WHERE name LIKE 'sku %'";
    await dataSource.query(index);
    await dataSource.manager.save(Thing, { id, name: `sku ${n}`, n });
    expect([await reads.list(n + 1), (await seen('things', id))[1]?.['n']]).toEqual([[], n]);
    await dataSource.transaction((manager) =>
      manager
        .createQueryBuilder()
        .insert()
        .into(Thing)
        .values({ id: uuid(), name: `sku ${n}`, n: n + 1 })
        .orUpdate(['n'], ['name'], { indexPredicate: "name LIKE 'sku %'" })
        .execute(),
    );
    await isTrue(id);
    expect(await reads.list(n + 1)).toEqual([`sku ${n}`]);
  });

  it('a savepoint that was made and rolled back by hand leaves nothing behind', async () => {
    const id = uuid();
    await dataSource.manager.save(Thing, { id, name: 'kept', n: 1 });
    await begun(async ({ manager }) => {
      await manager.query('SAVEPOINT mine');
      await manager.save(Thing, { id, name: 'never' });
      await manager.query('ROLLBACK TO SAVEPOINT mine');
    });
    await isTrue(id);
  });

  it('a lock that ended with a savepoint by hand is not relied on', async () => {
    const id = uuid();
    await dataSource.manager.save(Thing, { id, name: 'wanderer', n: 21 });
    expect(await reads.list(22)).toEqual([]);
    let moved: Promise<unknown> | undefined;
    const runner = dataSource.createQueryRunner();
    // Between the SELECT of save() and its UPDATE: another writer moves the row, unless it has to wait for the lock.
    const meddler = {
      beforeUpdate: async ({ queryRunner }: UpdateEvent<object>) => {
        if (queryRunner !== runner || moved === undefined || meddled) return;
        meddled = true;
        const other = dataSource
          .transaction((manager) => manager.save(Thing, { id, n: 22 }))
          .then(() => reads.list(22));
        moved = other;
        await Promise.race([other, new Promise((resolve) => setTimeout(resolve, 300))]);
      },
    };
    let meddled = false;
    dataSource.subscribers.push(meddler);
    try {
      await runner.startTransaction();
      const { manager } = runner;
      await manager.query('SAVEPOINT mine');
      await manager.save(Thing, { id, name: 'never' });
      await manager.query('ROLLBACK TO SAVEPOINT mine');
      moved = Promise.resolve();
      await manager.save(Thing, { id, n: 23 });
      await runner.commitTransaction();
    } finally {
      await runner.release();
      await moved;
      dataSource.subscribers.splice(dataSource.subscribers.indexOf(meddler), 1);
    }
    const [{ n }] = await dataSource.query<[{ n: number }]>('SELECT n FROM cv_things WHERE id = $1', [id]);
    expect(await reads.list(22)).toEqual(n === 22 ? ['wanderer'] : []);
    await isTrue(id);
    await dataSource.transaction((manager) => manager.delete(Thing, { id }));
  });

  it('a COMMIT by hand is followed, also where an error comes behind it', async () => {
    const id = uuid();
    await dataSource.manager.save(Thing, { id, name: 'before', n: 1 });
    await seen('things', id);
    const failed = dataSource.transaction(async (manager) => {
      await manager.save(Thing, { id, name: 'committed by hand' });
      await manager.query('COMMIT');
      await seen('things', id);
      await manager.query(`UPDATE cv_things SET name = 'written behind it' WHERE id = $1`, [id]);
      throw new Error('afterwards');
    });
    const refused = policy === 'strict';
    await expect(failed).rejects.toThrow(refused ? 'sent while its transaction was ending' : 'afterwards');
    await isTrue(id);
    expect((await reads.row('things', id))?.['name']).toBe(refused ? 'committed by hand' : 'written behind it');
  });

  it('an upsert is followed', async () => {
    const id = uuid();
    await dataSource.manager.save(Thing, { id, name: 'before', n: 31 });
    expect(await reads.list(31)).toEqual(['before']);
    await dataSource.transaction((manager) => manager.upsert(Thing, { id, name: 'after', n: 32 }, ['id']));
    await isTrue(id);
    expect(await reads.list(31)).toEqual([]);
  });

  it('a row is never absent because its key was spelled in another way', async () => {
    const id = uuid();
    expect(await reads.row('things', id.toUpperCase())).toBeNull();
    expect(await reads.row('numbers', '07')).toBeNull();
    expect(await reads.row('codes', 'ab')).toBeNull();
    await dataSource.manager.save(Thing, { id: id.toUpperCase(), name: 'v1', n: 1 });
    await dataSource.getRepository(Numbered).save({ id: 7 as never, name: 'v1' });
    await dataSource.getRepository(Code).save({ id: 'ab', name: 'v1' });
    const spellings = [['things', id], ['things', id.toUpperCase()], ['numbers', 7], ['numbers', '07'], ['codes', 'ab'], ['codes', 'ab      ']] as const; // prettier-ignore
    for (const [entity, one] of spellings) expect((await reads.row(entity, one))?.['name']).toBe('v1');
    const code = await dataSource.getRepository(Code).findOneByOrFail({ id: 'ab' });
    await dataSource.manager.save(Object.assign(code, { name: 'v2' }));
    await dataSource.manager.save(Thing, { id, name: 'v2' });
    await dataSource.getRepository(Numbered).save({ id: '7', name: 'v2' });
    for (const [entity, one] of spellings) expect((await reads.row(entity, one))?.['name']).toBe('v2');
    await dataSource.getRepository(Numbered).remove(await dataSource.getRepository(Numbered).findBy({}));
    await dataSource.getRepository(Code).remove(await dataSource.getRepository(Code).findBy({}));
    for (const one of [7, '07']) expect(await reads.row('numbers', one)).toBeNull();
  });

  it('a view that reads relations is not stored from a row without them', async () => {
    const author = await dataSource.manager.save(Author, { name: 'Ann' } as Author);
    const { id } = await dataSource.manager.save(Post, { title: 'one', author } as Post);
    await dataSource.manager.save(Post, { id, title: 'two' });
    expect(await seen('posts', id)).toEqual(Array(2).fill({ id, title: 'two', author: 'Ann' }));
  });

  it('as many writers at once as there are connections do not wait for each other', async () => {
    const ids = Array.from({ length: 30 }, uuid);
    await Promise.all(ids.map((id) => dataSource.manager.save(Thing, { id, name: 'one of many', n: 5 })));
    for (const id of ids) await isTrue(id);
  });
});

it('a row that is written through is a hit for whoever reads it next, however its key is spelled', async () => {
  await node.app.get(PolicySwitch).to('things', 'write-through');
  const id = uuid();
  await dataSource.manager.save(Thing, { id, name: 'through', n: 1 });
  const found = await reads.cache.row<Thing>('things', id.toUpperCase(), () => Promise.reject(new Error('loaded')));
  expect(found?.name).toBe('through');
});
