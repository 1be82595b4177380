import { type EntityManager } from 'typeorm';
import { CacheEvents, ReadThrough, rowAddress, RedisLevel } from '../../src/cache/index.js';
import { PolicySwitch } from '../../src/invalidation/index.js';
import { Item } from '../../src/items/item.entity.js';
import { policyNames } from '../../src/policies/index.js';
import { impatiently } from '../support/clocks.js';
import { sharedRedis, type SharedRedis } from '../support/services.js';
import { startApp, type TestApp } from '../support/start-app.js';

let redis: SharedRedis;
let node: TestApp;
let sent: string[] = [];

beforeAll(async () => {
  redis = await sharedRedis();
  node = await startApp({ redis: redis.url, override: impatiently });
  node.app.get(CacheEvents).on('invalidated', ({ tags }) => sent.push(...tags));
});

afterAll(async () => {
  await node.close();
});

const fields = (name: string, category = 'tools') => ({ name, description: null, category, price: 1, quantity: 1 });
const create = async (name: string, category?: string): Promise<number> => {
  const { body } = await node.http.post('/items').send(fields(name, category)).expect(201);
  return body.id;
};
const read = async (path: string) => {
  const { body, headers } = await node.http.get(path);
  return { body, status: String(headers['cache-status']) };
};
/** What a client gets, twice: the second time it is cached. */
const cached = async (path: string) => {
  await read(path);
  const again = await read(path);
  expect(again.status).toMatch(/^strata-api; hit/);
  return again.body;
};
const inTransaction = <T>(work: (manager: EntityManager) => Promise<T>): Promise<T> =>
  node.dataSource.transaction(work);
const lock = (manager: EntityManager, id: number) =>
  manager.findOneOrFail(Item, { where: { id }, lock: { mode: 'pessimistic_write' } });

const usePolicy = async (policy: (typeof policyNames)[number]) => {
  await node.app.get(PolicySwitch).to('items', policy);
};

describe.each(policyNames.filter((policy) => policy !== 'ttl'))('under %s', (policy) => {
  beforeAll(() => usePolicy(policy));
  const strict = policy === 'strict';
  const keep = async (path: string) => (strict ? (await read(path)).body : cached(path));

  it('a committed change is seen by the next read, of the row and of its lists', async () => {
    const id = await create('before', 'alpha');
    await keep(`/items/${id}`);
    await keep('/items?category=alpha');
    await node.http.put(`/items/${id}`).send(fields('after', 'alpha')).expect(200);
    expect((await read(`/items/${id}`)).body.name).toBe('after');
    expect((await read('/items?category=alpha')).body.data.map(({ name }: Item) => name)).toContain('after');
  });

  it('a new row is seen where its absence was cached', async () => {
    const { id } = await create('last').then(async (last) => ({ id: last + 1 }));
    await node.http.get(`/items/${id}`).expect(404);
    await node.http.get(`/items/${id}`).expect(404);
    expect(await create('came')).toBe(id);
    expect((await read(`/items/${id}`)).body.name).toBe('came');
  });

  it('a deleted row is gone', async () => {
    const id = await create('doomed');
    await keep(`/items/${id}`);
    await node.http.delete(`/items/${id}`).expect(204);
    await node.http.get(`/items/${id}`).expect(404);
  });

  it('a row that moves refreshes the lists that it left and entered, and no others', async () => {
    const id = await create('mover', 'from');
    await create('stays', 'elsewhere');
    for (const path of ['/items?category=from', '/items?category=to', '/items?category=elsewhere']) await keep(path);
    await node.http.put(`/items/${id}`).send(fields('mover', 'to')).expect(200);
    if (!strict) expect((await read('/items?category=elsewhere')).status).toMatch(/^strata-api; hit/);
    expect((await read('/items?category=from')).body.data).toEqual([]);
    expect((await read('/items?category=to')).body.data).toHaveLength(1);
    await node.http.delete(`/items/${id}`).expect(204);
  });

  it('rolled-back work never becomes visible', async () => {
    const id = await create('kept');
    await keep(`/items/${id}`);
    const failed = inTransaction(async (manager) => {
      await manager.save(Object.assign(await lock(manager, id), { name: 'never', version: 2 }));
      expect((await read(`/items/${id}`)).body.name).toBe('kept');
      throw new Error('changed my mind');
    });
    await expect(failed).rejects.toThrow('changed my mind');
    expect((await read(`/items/${id}`)).body.name).toBe('kept');
    expect(await stored(id)).not.toContain('never');
  });

  it('a rolled-back savepoint is forgotten while the rest commits', async () => {
    const [kept, undone] = [await create('kept', 'sp-kept'), await create('undone', 'sp-undone')];
    sent = [];
    await inTransaction(async (outer) => {
      await outer.save(Object.assign(await lock(outer, kept), { name: 'changed', version: 2 }));
      await outer
        .transaction(async (inner) => {
          await inner.save(Object.assign(await lock(inner, undone), { name: 'never', version: 2 }));
          throw new Error('inner');
        })
        .catch(() => undefined);
    });
    expect((await read(`/items/${kept}`)).body.name).toBe('changed');
    expect((await read(`/items/${undone}`)).body.name).toBe('undone');
    if (!strict) expect(sent).not.toContain(`items:${undone}`);
  });

  it('a released savepoint becomes true with the outermost commit, not before', async () => {
    const id = await create('before');
    await keep(`/items/${id}`);
    sent = [];
    await inTransaction(async (outer) => {
      await outer.transaction(async (inner) => {
        await inner.save(Object.assign(await lock(inner, id), { name: 'after', version: 2 }));
      });
      expect(sent).toEqual([]);
      expect((await read(`/items/${id}`)).body.name).toBe('before');
    });
    expect((await read(`/items/${id}`)).body.name).toBe('after');
  });

  it('a COMMIT that fails leaves the old row', async () => {
    const id = await create('kept');
    await node.dataSource.query(`
      CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'refused at commit'; END $$;
      CREATE CONSTRAINT TRIGGER refuse AFTER UPDATE ON items DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
        WHEN (NEW.name = 'refused') EXECUTE FUNCTION refuse()`);
    try {
      await keep(`/items/${id}`);
      await node.http.put(`/items/${id}`).send(fields('refused')).expect(500);
      expect((await read(`/items/${id}`)).body.name).toBe('kept');
      expect((await read(`/items/${id}`)).body.name).toBe('kept');
      await node.http.put(`/items/${id}`).send(fields('accepted')).expect(200);
      expect((await read(`/items/${id}`)).body.name).toBe('accepted');
    } finally {
      await node.dataSource.query('DROP TRIGGER refuse ON items; DROP FUNCTION refuse()');
    }
  });

  it('a connection that dies in the middle leaves the old row', async () => {
    const id = await create('kept');
    await keep(`/items/${id}`);
    const failed = inTransaction(async (manager) => {
      await manager.save(Object.assign(await lock(manager, id), { name: 'never', version: 2 }));
      const [{ pid }] = await manager.query<[{ pid: number }]>('SELECT pg_backend_pid() AS pid');
      await node.dataSource.query('SELECT pg_terminate_backend($1)', [pid]);
    });
    await expect(failed).rejects.toThrow();
    expect((await read(`/items/${id}`)).body.name).toBe('kept');
  });

  it.each<[string, (manager: EntityManager, id: number) => Promise<unknown>]>([
    ['repository.update()', (manager, id) => manager.update(Item, { id }, { name: 'bulk' })],
    [
      'the query builder',
      (manager, id) => manager.createQueryBuilder().update(Item).set({ name: 'bulk' }).where({ id }).execute(),
    ],
    ['upsert()', (manager, id) => manager.upsert(Item, { id, ...fields('bulk') }, ['id'])],
  ])('a change by %s in a transaction is seen', async (_, write) => {
    const id = await create('before', 'bulk');
    await keep(`/items/${id}`);
    await keep('/items?category=bulk');
    await inTransaction((manager) => write(manager, id));
    expect((await read(`/items/${id}`)).body.name).toBe('bulk');
    await node.http.delete(`/items/${id}`).expect(204);
  });

  it('a statement outside of a transaction is made one, and seen', async () => {
    const items = node.dataSource.getRepository(Item);
    const id = await create('before', `statement-${policy}`);
    const change = async (name: string, statement: () => Promise<unknown>) => {
      await keep(`/items/${id}`);
      await keep(`/items?category=statement-${policy}`);
      await statement();
      expect((await read(`/items/${id}`)).body.name).toBe(name);
      expect((await read(`/items?category=statement-${policy}`)).body.data[0]?.name).toBe(name);
    };
    await change('updated', () => items.update({ id }, { name: 'updated' }));
    await change('built', () =>
      items.createQueryBuilder().update().set({ name: 'built' }).where({ id }).callListeners(true).execute(),
    );
    const row = { id, category: `statement-${policy}`, price: 1, quantity: 1, description: null };
    await change('upserted', () => items.upsert({ ...row, name: 'upserted' }, ['id']));
    await items.delete({ id });
    await node.http.get(`/items/${id}`).expect(404);
    expect((await read(`/items?category=statement-${policy}`)).body.data).toEqual([]);
    await items.insert({ ...row, name: 'inserted' });
    expect((await read(`/items/${id}`)).body.name).toBe('inserted');
    expect((await read(`/items?category=statement-${policy}`)).body.data).toHaveLength(1);
  });

  it('a statement that fails outside of a transaction leaves none open, and the row as it was', async () => {
    const id = await create('before');
    await keep(`/items/${id}`);
    const items = node.dataSource.getRepository(Item);
    await expect(items.update({ id }, { name: null as never })).rejects.toThrow('name');
    expect((await read(`/items/${id}`)).body).toMatchObject({ name: 'before', quantity: 1 });
    const open =
      "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
    expect(await node.dataSource.query(open)).toEqual([]);
  });

  it('a save that asks for no transaction has one for each statement, and is seen', async () => {
    const id = await create('before', `alone-${policy}`);
    await keep(`/items/${id}`);
    await keep(`/items?category=alone-${policy}`);
    const items = node.dataSource.getRepository(Item);
    const item = await items.findOneByOrFail({ id });
    await items.save({ ...item, name: 'after' }, { transaction: false });
    expect((await read(`/items/${id}`)).body.name).toBe('after');
    expect((await read(`/items?category=alone-${policy}`)).body.data[0]?.name).toBe('after');
  });

  it('a bulk delete is seen', async () => {
    const id = await create('before');
    await keep(`/items/${id}`);
    await inTransaction((manager) => manager.delete(Item, { id }));
    await node.http.get(`/items/${id}`).expect(404);
  });

  it('remove() is seen, although the entity has lost its id', async () => {
    const id = await create('before', 'removed');
    await keep(`/items/${id}`);
    await keep('/items?category=removed');
    await inTransaction(async (manager) => manager.remove(await lock(manager, id)));
    await node.http.get(`/items/${id}`).expect(404);
    expect((await read('/items?category=removed')).body.data).toEqual([]);
  });

  it('a save() by somebody who did not lock the row refreshes the list that the row was really in', async () => {
    const id = await create('wanderer', 'unlocked-a');
    const repository = node.dataSource.getRepository(Item);
    const stale = await repository.findOneByOrFail({ id });
    await node.http.put(`/items/${id}`).send(fields('wanderer', 'unlocked-b')).expect(200);
    expect((await keep('/items?category=unlocked-b')).data).toHaveLength(1);
    await repository.save(Object.assign(stale, { category: 'unlocked-c', version: 9 }));
    expect((await read('/items?category=unlocked-b')).body.data).toEqual([]);
    expect((await read('/items?category=unlocked-c')).body.data).toHaveLength(1);
    await node.http.delete(`/items/${id}`).expect(204);
  });

  it('more rows than are worth naming are fenced as a whole', async () => {
    const id = await create('one of many');
    await keep(`/items/${id}`);
    sent = [];
    await inTransaction(async (manager) => {
      await manager.save(Array.from({ length: 600 }, (_, n) => manager.create(Item, fields(`many ${n}`, 'many'))));
      await manager.save(Object.assign(await lock(manager, id), { name: 'changed', version: 2 }));
    });
    expect((await read(`/items/${id}`)).body.name).toBe('changed');
    if (!strict) expect(sent).toEqual(['items:*']);
    await inTransaction((manager) => manager.delete(Item, { category: 'many' }));
  });

  it('two concurrent replacements leave exactly one of the two bodies, everywhere', async () => {
    const id = await create('start');
    for (let round = 0; round < 10; round += 1) {
      const bodies = [
        { ...fields(`a${round}`, 'tools'), price: 1 },
        { ...fields(`b${round}`, 'toys'), price: 2 },
      ];
      await Promise.all(bodies.map((body) => node.http.put(`/items/${id}`).send(body).expect(200)));
      const { body } = await read(`/items/${id}`);
      const [row] = await node.dataSource.query(
        'SELECT name, category, price::float8 AS price FROM items WHERE id = $1',
        [id],
      );
      expect(body).toMatchObject(row);
      expect(bodies.map(({ name, category, price }) => ({ name, category, price }))).toContainEqual(row);
      const l2 = await stored(id);
      if (l2 !== undefined) expect(JSON.parse(l2)).toEqual(body);
    }
  });
});

describe('under write-through', () => {
  beforeAll(() => usePolicy('write-through'));

  it('the first read after a write is a hit of the written row', async () => {
    const id = await create('before');
    await node.http.put(`/items/${id}`).send(fields('after')).expect(200);
    const { body, status } = await read(`/items/${id}`);
    expect(body.name).toBe('after');
    expect(status).toContain('strata-db; hit; detail=l2; strata-policy=write-through');
  });

  it('what is written through is exactly what a load would have read', async () => {
    const id = await create('as it is', 'exact');
    const { body: put, headers } = await node.http.put(`/items/${id}`).send(fields('é😀', 'exact')).expect(200);
    const through = await node.http.get(`/items/${id}`);
    await node.app.get(RedisLevel).invalidate([`items:${id}`, 'items:*']);
    const loaded = await node.http.get(`/items/${id}`).set('Cache-Control', 'no-cache');
    expect(through.text).toBe(loaded.text);
    expect([through.body, loaded.headers['etag']]).toEqual([put, headers['etag']]);
  });
});

describe('under ttl', () => {
  beforeAll(() => usePolicy('ttl'));

  it('a write tells nobody', async () => {
    const id = await create('before');
    await cached(`/items/${id}`);
    await node.http.put(`/items/${id}`).send(fields('after')).expect(200);
    expect((await read(`/items/${id}`)).body.name).toBe('before');
  });
});

describe('reads inside an open transaction', () => {
  it('are the transaction’s own affair: the cache serves what is committed', async () => {
    await usePolicy('write-through');
    const id = await create('committed');
    await inTransaction(async (manager) => {
      await manager.save(Object.assign(await lock(manager, id), { name: 'mine', version: 2 }));
      expect((await manager.findOneByOrFail(Item, { id })).name).toBe('mine');
      const outside = await node.app.get(ReadThrough).row<Item>('items', id, () => Promise.reject(new Error('cached')));
      expect(outside?.name).toBe('committed');
    }).catch((error: Error) => expect(error.message).toBe('cached'));
  });
});

/** The row's value in Redis, if there is one. */
async function stored(id: number): Promise<string | undefined> {
  const found = await node.app.get(RedisLevel).read(rowAddress('items', id));
  return found.outcome === 'hit' ? found.entry.body : undefined;
}
