import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Column, type DataSource, Entity, type EntityManager, PrimaryColumn } from 'typeorm';
import { plainRequest } from '../../src/cache/api/cache-request.js';
import { ResponseCache } from '../../src/cache/api/response-cache.js';
import { plainAnswer } from '../../src/cache/api/stored-response.js';
import {
  CacheModule,
  type EntityRule,
  type Loaded,
  loadProof,
  MemoryLevel,
  queryAddress,
  queryTags,
  ReadThrough,
  RedisConnection,
  SharedRead,
} from '../../src/cache/index.js';
import { tagKey } from '../../src/cache/testing.js';
import { PolicySwitch } from '../../src/invalidation/index.js';
import { impatiently } from '../support/clocks.js';
import { startRedis, type TestRedis } from '../support/services.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { until } from '../support/until.js';

/* What a load proves, who may have what it says, and what is made of it. */

@Entity('load_things', { synchronize: false })
class Thing {
  @PrimaryColumn('int') id!: number;
  @Column('text') name!: string;
}
@Entity('load_notes', { synchronize: false })
class Note {
  @PrimaryColumn('int') id!: number;
  @Column('text') name!: string;
}
const rule = <T extends Thing>(entity: string, target: new () => T): EntityRule<T> => ({
  ...{ entity, target, idOf: ({ id }) => id, filtersOf: () => [], view: ({ id, name }) => ({ id, name }) },
  initialPolicy: () => 'invalidate',
});

@Module({
  imports: [
    TypeOrmModule.forFeature([Thing, Note]),
    CacheModule.forEntity(rule('things', Thing)),
    CacheModule.forEntity(rule('notes', Note)),
  ],
})
class LoadsModule {}

let redis: TestRedis;
let node: TestApp;
let cache: ReadThrough;
let responses: ResponseCache;
let dataSource: DataSource;

beforeAll(async () => {
  redis = await startRedis();
  node = await startApp({ redis: redis.url, imports: [LoadsModule], override: impatiently });
  ({ dataSource } = node);
  cache = node.app.get(ReadThrough);
  responses = node.app.get(ResponseCache);
  for (const table of ['load_things', 'load_notes'])
    await dataSource.query(`CREATE TABLE ${table} (id int PRIMARY KEY, name text NOT NULL)`);
});

afterAll(async () => {
  await node.close();
  await redis.stop();
});

type Named = { readonly id: number; readonly name: string };

let last = 0;
const create = async (target: typeof Thing | typeof Note, name: string): Promise<number> => {
  const id = ++last;
  await dataSource.manager.save(target, { id, name });
  return id;
};
const rename = (target: typeof Thing | typeof Note, id: number, name: string) =>
  dataSource.manager.save(target, { id, name });
let loads = 0;
const load = async (by: Pick<EntityManager, 'query'>, table: string, id: number, proof = loadProof) => {
  loads += 1;
  const sql = `SELECT ${proof} AS proof, (SELECT to_json(t) FROM load_${table} t WHERE id = $1) AS value`;
  const [loaded] = await by.query<[Loaded<Named | null>]>(sql, [id]);
  return loaded;
};
const row = (table: string, id: number, by: Pick<EntityManager, 'query'> = dataSource, proof?: string) =>
  cache.row(table, id, () => load(by, table, id, proof));
const nameOf = async (...read: Parameters<typeof row>) => (await row(...read))?.name;
const respond = (key: string, handler: () => Promise<unknown>) =>
  responses.respond(plainRequest(key), async () => plainAnswer(await handler()));
const bodyOf = async (outcome: ReturnType<typeof respond>) => JSON.parse((await outcome).response!.body) as unknown;
const switchTo = (entity: string, policy: 'strict' | 'invalidate') => node.app.get(PolicySwitch).to(entity, policy);
/** In a transaction that has written, and is rolled back. */
const undone = async (id: number, work: (manager: EntityManager) => Promise<unknown>) => {
  const undoing = dataSource.transaction(async (manager) => {
    await manager.query(`UPDATE load_things SET name = 'never' WHERE id = $1`, [id]);
    await work(manager);
    throw new Error('undone');
  });
  await expect(undoing).rejects.toThrow('undone');
};

describe('a load that proves nothing', () => {
  it('is kept nowhere in a transaction that has written', async () => {
    const id = await create(Thing, 'committed');
    await undone(id, async (manager) => {
      expect(await nameOf('things', id, manager)).toBe('never');
      expect(await nameOf('things', id)).toBe('committed');
    });
    expect(await nameOf('things', id)).toBe('committed');
  });

  it('is kept nowhere under REPEATABLE READ', async () => {
    const id = await create(Thing, 'old');
    await dataSource.transaction('REPEATABLE READ', async (manager) => {
      await manager.query('SELECT 1 FROM load_things LIMIT 1');
      await rename(Thing, id, 'new');
      const { gen } = node.app.get(RedisConnection);
      const key = tagKey(gen, `things:${id}`);
      // As if all this had taken longer than the fence is remembered.
      await node.app.get(RedisConnection).command(gen, (client) => client.del(key));
      expect(await nameOf('things', id, manager)).toBe('old');
    });
    expect(await nameOf('things', id)).toBe('new');
  });

  it('is kept nowhere if it comes with a snapshot alone, and is once it has the proof', async () => {
    const id = await create(Thing, 'plain');
    loads = 0;
    for (let n = 0; n < 2; n += 1) await row('things', id, dataSource, 'pg_current_snapshot()::text');
    expect(loads).toBe(2);
    for (let n = 0; n < 2; n += 1) await row('things', id);
    expect(loads).toBe(3);
  });

  it('is not given to a reader who waited for it', async () => {
    const id = await create(Thing, 'committed');
    await undone(id, async (manager) => {
      const [mine, others] = await Promise.all([nameOf('things', id, manager), nameOf('things', id)]);
      expect([mine, others]).toEqual(['never', 'committed']);
    });
  });

  it('is not given to a request that waited for a response made of it', async () => {
    const id = await create(Thing, 'committed');
    await undone(id, async (manager) => {
      const key = `/things/${id}`;
      const both = [manager, dataSource].map((by) => bodyOf(respond(key, () => row('things', id, by))));
      expect(await Promise.all(both)).toEqual([
        { id, name: 'never' },
        { id, name: 'committed' },
      ]);
    });
    expect(await bodyOf(respond(`/things/${id}`, () => row('things', id)))).toEqual({ id, name: 'committed' });
  });
});

describe('a load that reads through the cache', () => {
  const nested = (id: number, entities: readonly string[]) => () =>
    cache.query(
      'notes',
      `of ${id}, ${entities.join()}`,
      entities.flatMap((entity) => queryTags(entity, {})),
      async () => {
        const { proof } = await load(dataSource, 'notes', 0);
        return { proof, value: { of: await nameOf('things', id) } };
      },
    );

  it('makes its query, and a response of it, depend on what it has read', async () => {
    const id = await create(Thing, 'one');
    const read = nested(id, ['notes', 'things']);
    for (let n = 0; n < 2; n += 1) expect(await bodyOf(respond(`/nested/${id}`, read))).toEqual({ of: 'one' });
    await rename(Thing, id, 'two');
    expect(await bodyOf(respond(`/nested/${id}`, read))).toEqual({ of: 'two' });
    // A row by another name of the entity's: its own tag alone says that the query has changed.
    const byRow = () =>
      cache.query('things', `row ${id}`, [`things?never=${id}`], async () => {
        const { proof } = await load(dataSource, 'things', 0);
        return { proof, value: { of: await nameOf('things', id) } };
      });
    expect(await byRow()).toEqual({ of: 'two' });
    await rename(Thing, id, 'three');
    expect(await byRow()).toEqual({ of: 'three' });
  });

  it('is kept as a query only if the query has said of which entities it is', async () => {
    const id = await create(Thing, 'one');
    loads = 0;
    for (let n = 0; n < 3; n += 1) await nested(id, ['notes'])();
    expect(loads).toBe(4);
    loads = 0;
    for (let n = 0; n < 3; n += 1) await nested(id, ['notes', 'things'])();
    expect(loads).toBe(1);
  });
});

describe('a promise that two requests share', () => {
  it('makes both responses depend on what it has read', async () => {
    const id = await create(Thing, 'v1');
    const notes = [await create(Note, 'a'), await create(Note, 'b')];
    const ask = (note: number, shared: () => Promise<unknown>) =>
      bodyOf(respond(`/shared/${note}`, async () => ({ shared: await shared(), own: await nameOf('notes', note) })));
    let promise: Promise<unknown> | undefined;
    await Promise.all(notes.map((note) => ask(note, () => (promise ??= row('things', id)))));
    await rename(Thing, id, 'v2');
    for (const note of notes)
      expect(await ask(note, () => row('things', id))).toMatchObject({ shared: { name: 'v2' } });
  });

  it('does so, too, where only a part of its value is used, if it is a SharedRead', async () => {
    const id = await create(Thing, 'v1');
    const notes = [await create(Note, 'a'), await create(Note, 'b')];
    const ask = (note: number, shared: () => Promise<unknown>) =>
      bodyOf(respond(`/part/${note}`, async () => ({ shared: await shared(), own: await nameOf('notes', note) })));
    const read = new SharedRead(() => nameOf('things', id));
    await Promise.all(notes.map((note) => ask(note, () => read.value())));
    await rename(Thing, id, 'v2');
    for (const note of notes) expect(await ask(note, () => nameOf('things', id))).toMatchObject({ shared: 'v2' });
  });
});

it('a statement beside a row leaves its response no more than the promise of a lifetime, also when it is a hit', async () => {
  await switchTo('things', 'strict');
  try {
    const id = await create(Thing, 'one');
    const both = async () => ({
      row: await row('things', id),
      ...(await dataSource.query('SELECT count(*) FROM load_notes'))[0],
    });
    const first = await respond(`/mixed/${id}`, both);
    const second = await respond(`/mixed/${id}`, both);
    expect([first.api.policy, second.api.hit, second.api.policy]).toEqual(['ttl', true, 'ttl']);
    const pure = await respond(`/pure/${id}`, () => row('things', id));
    expect(pure.api.policy).toBe('strict');
  } finally {
    await switchTo('things', 'invalidate');
  }
});

it('a query over several entities follows the strictest of them, and promises what the weakest does', async () => {
  const query = () => {
    const tags = [...queryTags('notes', {}), ...queryTags('things', {})];
    return cache.query('notes', 'both', tags, async () => load(dataSource, 'notes', 0));
  };
  const l1 = node.app.get(MemoryLevel);
  const { key } = queryAddress('notes', 'both', []);
  await until(async () => {
    await query();
    return l1.peek(key) !== undefined;
  });
  await switchTo('things', 'strict');
  try {
    l1.clear();
    for (let n = 0; n < 3; n += 1) await query();
    expect(l1.peek(key)).toBeUndefined();
    expect((await respond('/both', query)).api.policy).toBe('invalidate');
  } finally {
    await switchTo('things', 'invalidate');
  }
});
