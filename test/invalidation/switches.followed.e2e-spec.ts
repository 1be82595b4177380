import { Clock, Lease } from '../../src/cache/index.js';
import { Invalidator, PolicyRegistry, PolicySwitch } from '../../src/invalidation/index.js';
import { Item } from '../../src/items/item.entity.js';
import { InvalidationBus } from '../../src/invalidation/bus/invalidation-bus.js';
import { PolicyStore } from '../../src/invalidation/policies/policy-store.js';
import { leaseMs, lockWaits, put, rowOf, SwitchedNodes } from '../support/switched-nodes.js';
import { type TestApp } from '../support/start-app.js';
import { until } from '../support/until.js';

const nodes = new SwitchedNodes();
const { start } = nodes;

describe('a writer that waits for a switch', () => {
  it.each(['READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE'] as const)(
    'under %s learns what it has switched to',
    async (isolation) => {
      const a = await start();
      const [switching, writer] = [a.dataSource.createQueryRunner(), a.dataSource.createQueryRunner()];
      await switching.query('BEGIN');
      await switching.query('LOCK TABLE cache_policy_lock IN EXCLUSIVE MODE');
      const inTransaction = jest.spyOn(a.app.get(PolicyRegistry), 'inTransaction');
      const begun = writer.startTransaction(isolation);
      await until(() => lockWaits(a));
      await switching.query(`UPDATE cache_policies SET policy = 'strict'`);
      await switching.query('COMMIT');
      await begun;
      const { policyOf } = await inTransaction.mock.results[0]!.value;
      await writer.rollbackTransaction();
      await Promise.all([switching.release(), writer.release()]);
      expect(policyOf('items')).toBe('strict');
    },
  );
});

it('a statement outside of a transaction waits for a switch as well, and does as it says', async () => {
  const a = await start();
  const { body } = await a.http.post('/items').send({ name: 'old', category: 'a', price: 1, quantity: 1 }).expect(201);
  const switching = a.dataSource.createQueryRunner();
  await switching.query('BEGIN');
  await switching.query('LOCK TABLE cache_policy_lock IN EXCLUSIVE MODE');
  const withCommit = jest.spyOn(a.app.get(Invalidator), 'fence');
  const beforeCommit = jest.spyOn(a.app.get(Invalidator), 'fenced');
  const written = a.dataSource.getRepository(Item).update({ id: body.id }, { name: 'new' });
  await until(() => lockWaits(a));
  await switching.query(`UPDATE cache_policies SET policy = 'strict'`);
  await switching.query('COMMIT');
  await switching.release();
  await written;
  expect(beforeCommit).toHaveBeenCalledWith(['items:*']);
  expect(withCommit).not.toHaveBeenCalled();
});

describe('a policy that goes back in the database', () => {
  const restored = "UPDATE cache_policies SET policy = 'ttl', promised = 'ttl', target = 'ttl', revision = 1";

  it('is followed by every node, and can be switched', async () => {
    const [a, b] = [await start(), await start()];
    for (const policy of ['invalidate', 'write-through'] as const) await put(a, policy).expect(200);
    await a.dataSource.query(restored);
    const policyAt = ({ app }: TestApp) => app.get(PolicyRegistry).policyOf('items');
    await Promise.all([a, b].map(({ app }) => app.get(PolicyRegistry).reload()));
    expect([a, b].map(policyAt)).toEqual(['ttl', 'ttl']);
    expect((await put(b, 'invalidate').expect(200)).body.policy).toBe('invalidate');
    for (const node of [a, b]) await until(() => policyAt(node) === 'invalidate');
  });

  it('ends a switch that was decided on before', async () => {
    const a = await start({ CACHE_L1_LEASE_MS: '600' });
    const strict = put(a, 'strict').then((answer) => answer);
    await until(async () => (await rowOf(a)).policy === 'strict');
    await a.dataSource.query(restored);
    expect((await strict).status).toBe(409);
    expect(await rowOf(a)).toMatchObject({ policy: 'ttl', promised: 'ttl', target: 'ttl' });
  });
});

describe('a node that has been told that policies have changed', () => {
  it('keeps the rules of strict until it has read them', async () => {
    const [a, b] = [await start(), await start()];
    const registry = b.app.get(PolicyRegistry);
    let answer: () => void = () => undefined;
    const store = b.app.get(PolicyStore);
    const all = store.all.bind(store);
    jest.spyOn(store, 'all').mockImplementation(async () => {
      await new Promise<void>((resolve) => (answer = resolve));
      return all();
    });
    expect(registry.rulesOf('items')).toBe('write-through');
    await a.app.get(InvalidationBus).announcePolicies();
    await until(() => registry.rulesOf('items') === 'strict');
    expect(registry.policyOf('items')).toBe('write-through');
    await until(() => (answer(), registry.rulesOf('items') === 'write-through'));
  });

  it('which cannot be announced are not switched: nodes could serve by the rules before', async () => {
    const a = await start();
    const bus = a.app.get(InvalidationBus);
    jest.spyOn(bus, 'announcePolicies').mockRejectedValue(new Error('nobody hears it'));
    await expect(a.app.get(PolicySwitch).to('items', 'strict')).rejects.toThrow('nobody hears it');
    expect(await rowOf(a)).toMatchObject({ policy: 'strict', promised: 'write-through', target: 'strict' });
  });
});

it('a node off the bus shares without Redis only under a policy that it has read within its lease', async () => {
  const a = await start();
  const [registry, store] = [a.app.get(PolicyRegistry), a.app.get(PolicyStore)];
  nodes.redis.pause();
  try {
    await until(() => a.app.get(Lease).term === undefined);
    await until(() => registry.sharesWithoutRedis('items'));
    const all = jest.spyOn(store, 'all').mockRejectedValue(new Error('no answer'));
    await until(() => !registry.sharesWithoutRedis('items'));
    all.mockRestore();
    await until(() => registry.sharesWithoutRedis('items'));
    // Each time that a quarter of the lease has passed.
    const moment = a.app.get(Clock).now();
    const now = jest.spyOn(a.app.get(Clock), 'now').mockReturnValue(moment);
    await registry.reload();
    const reads = jest.spyOn(registry, 'reload');
    now.mockReturnValue({ ...moment, monotonicMs: moment.monotonicMs + leaseMs / 4 + 1 });
    await until(() => reads.mock.calls.length > 0);
    now.mockRestore();
    await a.dataSource.query("UPDATE cache_policies SET target = 'strict', policy = 'strict'");
    await until(() => !registry.sharesWithoutRedis('items'));
  } finally {
    nodes.redis.resume();
  }
});
