import { DataSource, type EntityManager } from 'typeorm';
import { CacheEvents } from '../../src/cache/index.js';
import { LockedRows, PolicySwitch } from '../../src/invalidation/index.js';
import { PolicyStore } from '../../src/invalidation/policies/policy-store.js';
import { Item } from '../../src/items/item.entity.js';
import { itemRule } from '../../src/items/item.rule.js';
import { type PolicyName, policyNames } from '../../src/policies/index.js';
import { impatiently } from '../support/clocks.js';
import { sharedRedis, type SharedRedis } from '../support/services.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { until } from '../support/until.js';

let redis: SharedRedis;
let node: TestApp;
let rows: LockedRows;
let statements: string[] = [];
let sent: string[] = [];

beforeAll(async () => {
  redis = await sharedRedis();
  node = await startApp({ redis: redis.url, override: impatiently });
  rows = node.app.get(LockedRows);
  node.app.get(CacheEvents).on('invalidated', ({ tags }) => sent.push(...tags));
  // Not what the node asks every few seconds, whatever its writers do.
  const isPoll = (query: string) => /^SELECT [^;]* FROM cache_policies$/.test(query);
  node.dataSource.subscribers.push({ beforeQuery: ({ query }) => void (isPoll(query) || statements.push(query)) });
});

afterAll(async () => {
  await node.close();
});

const fields = (name: string, category = 'tools') => ({ name, description: null, category, price: 1, quantity: 1 });
const create = async (category?: string): Promise<number> => {
  const { body } = await node.http.post('/items').send(fields('new', category)).expect(201);
  return body.id;
};
const nameOf = async (id: number) => (await node.http.get(`/items/${id}`).expect(200)).body.name;
const switchTo = (policy: PolicyName) => node.app.get(PolicySwitch).to('items', policy);
const rename = async (manager: EntityManager, id: number, name: string) => {
  const item = await rows.lock(manager, itemRule, id);
  await manager.save(Object.assign(item!, { name, version: item!.version + 1 }));
  return rows.asWritten(manager, itemRule, id);
};

it('no policy costs a PUT or a POST a statement more, but for the load of what it stores', async () => {
  const counts = new Map<PolicyName, string[]>();
  for (const policy of policyNames) {
    await switchTo(policy);
    const id = await create();
    statements = [];
    await node.http.put(`/items/${id}`).send(fields('changed')).expect(200);
    await create();
    counts.set(policy, statements.map((text) => text.slice(0, 12))); // prettier-ignore
  }
  const [bare = [], load] = [counts.get('ttl'), 'SELECT s.pro'];
  expect(bare).toHaveLength(9);
  const loading = bare.flatMap((text) => (text === 'COMMIT' ? [text, load] : [text]));
  expect(counts.get('invalidate')).toEqual(bare);
  for (const policy of ['write-through', 'strict'] as const) expect(counts.get(policy)).toEqual(loading);
});

describe.each(policyNames.filter((policy) => policy !== 'ttl'))('under %s', (policy) => {
  beforeAll(() => switchTo(policy));
  beforeEach(() => (sent = []));

  it('what a writer has read back is cached', async () => {
    const id = await create();
    const written = await node.dataSource.transaction((manager) => rename(manager, id, 'read back'));
    expect(written?.name).toBe('read back');
    expect(await nameOf(id)).toBe('read back');
  });

  it('a row that was locked is changed by its key, and it and its lists alone are fenced', async () => {
    const id = await create('left');
    const list = async (category: string) =>
      (await node.http.get(`/items?category=${category}`).expect(200)).body.data.map(({ name }: Item) => name);
    expect([await nameOf(id), await list('left'), await list('entered')]).toEqual(['new', ['new'], []]);
    sent = [];
    await node.dataSource.transaction(async (manager) => {
      await rows.lock(manager, itemRule, id);
      await manager.update(Item, { id }, { name: 'by key', category: 'entered' });
    });
    expect(new Set(sent)).toEqual(new Set([`items:${id}`, 'items', 'items?category=left', 'items?category=entered']));
    expect([await nameOf(id), await list('left'), await list('entered')]).toEqual(['by key', [], ['by key']]);
    await node.dataSource.transaction(async (manager) => {
      await rows.lock(manager, itemRule, id);
      await manager.delete(Item, { id });
    });
    await node.http.get(`/items/${id}`).expect(404);
    expect(await list('entered')).toEqual([]);
  });

  it('what a later statement made of the row is cached, not what was read back before', async () => {
    const id = await create();
    await node.dataSource.transaction(async (manager) => {
      await rename(manager, id, 'read back');
      await manager.query('UPDATE items SET name = $2 WHERE id = $1', [id, 'changed after']);
    });
    expect(await nameOf(id)).toBe('changed after');
    expect(await nameOf(id)).toBe('changed after');
  });

  it('what a rolled-back savepoint had read back is not cached', async () => {
    const id = await create();
    await node.dataSource.transaction(async (manager) => {
      await rename(manager, id, 'stays');
      await manager
        .transaction(async (inner) => {
          await rename(inner, id, 'never');
          throw new Error('inner');
        })
        .catch(() => undefined);
    });
    expect(await nameOf(id)).toBe('stays');
    expect(await nameOf(id)).toBe('stays');
  });

  it('a lock ends with its savepoint, and so does what is known of the row', async () => {
    const id = await create('first');
    await node.http.get('/items?category=second').expect(200);
    const other = new DataSource({ ...node.dataSource.options, subscribers: [], entities: [], migrations: [] });
    await other.initialize();
    await node.dataSource.transaction(async (manager) => {
      const lockThenGiveUp = manager.transaction(async (inner) => {
        await rows.lock(inner, itemRule, id);
        throw new Error('inner');
      });
      await expect(lockThenGiveUp).rejects.toThrow('inner');
      await other.query(`UPDATE items SET category = 'second' WHERE id = $1`, [id]);
      await manager.save(Item, { id, category: 'third' });
    });
    await other.destroy();
    if (policy !== 'strict')
      expect(sent).toEqual(expect.arrayContaining(['items?category=second', 'items?category=third']));
    expect((await node.http.get('/items?category=second').expect(200)).body.data).toEqual([]);
  });
});

it('a writer that waits for a switch learns what it has switched to', async () => {
  await switchTo('invalidate');
  const [switching, writer] = [node.dataSource.createQueryRunner(), node.dataSource.createQueryRunner()];
  try {
    await switching.query('BEGIN');
    await switching.query('LOCK TABLE cache_policy_lock IN EXCLUSIVE MODE');
    await writer.query('BEGIN');
    const learned = node.app.get(PolicyStore).underLock(writer);
    const waits = `SELECT 1 FROM pg_locks WHERE relation = 'cache_policy_lock'::regclass AND NOT granted`;
    await until(async () => (await node.dataSource.query<unknown[]>(waits)).length > 0);
    await switching.query(`UPDATE cache_policies SET policy = 'strict' WHERE entity = 'items'`);
    await switching.query('COMMIT');
    expect((await learned).policies.get('items')).toBe('strict');
  } finally {
    await writer.query('ROLLBACK');
    await node.dataSource.query(`UPDATE cache_policies SET policy = 'invalidate' WHERE entity = 'items'`);
    await Promise.all([switching.release(), writer.release()]);
  }
});
