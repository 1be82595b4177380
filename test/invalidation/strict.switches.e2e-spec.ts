import { DataSource } from 'typeorm';
import { Invalidator, PolicySwitch } from '../../src/invalidation/index.js';
import { PolicyRegistry } from '../../src/invalidation/policies/policy-registry.js';
import { PolicyStore } from '../../src/invalidation/policies/policy-store.js';
import { type PolicyName } from '../../src/policies/index.js';
import { SteppedClock } from '../support/clocks.js';
import { create, item, longLeaseMs, nameAt, NodeGroup, statusAt, waitMs } from '../support/node-group.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { until } from '../support/until.js';

const group = new NodeGroup();

describe('a switch of the policy', () => {
  const promisedAt = async (node: TestApp, path: string): Promise<string> =>
    /strata-policy=([\w-]+)/.exec((await statusAt(node, path)).api ?? '')?.[1] ?? '';

  it.each<[PolicyName, PolicyName]>([
    ['write-through', 'strict'],
    ['strict', 'invalidate'],
    ['ttl', 'strict'],
    ['ttl', 'invalidate'],
  ])('from %s to %s reaches every node, and leaves nothing that the new one could not answer for', async (from, to) => {
    const [a, b] = await group.start(2, { CACHE_POLICY: from, CACHE_L1_LEASE_MS: '400' });
    const path = await create(a!, 'old');
    for (const node of [a!, b!]) await node.http.get(path);
    await a!.http.put(path).send(item('new')).expect(200); // under ttl, nobody hears of it
    await a!.app.get(PolicySwitch).to('items', to);
    for (const node of [a!, b!]) {
      await until(async () => (await promisedAt(node, path)) === to);
      expect(await nameAt(node, path)).toBe('new');
    }
  });

  it('to strict waits for the writers of the old policy, and for every lease of before', async () => {
    const clock = new SteppedClock(waitMs);
    const [a] = await group.start(1, { CACHE_L1_LEASE_MS: String(longLeaseMs) }, clock);
    const path = await create(a!, 'old');
    const registry = a!.app.get(PolicyRegistry);
    const writer = a!.app.get(DataSource).createQueryRunner();
    await writer.startTransaction();
    let switched = false;
    const switching = a!.app
      .get(PolicySwitch)
      .to('items', 'strict')
      .then(() => (switched = true));
    const waits = "SELECT 1 FROM pg_locks WHERE relation = 'cache_policy_lock'::regclass AND NOT granted";
    await until(async () => (await a!.dataSource.query<unknown[]>(waits)).length > 0);
    await registry.reload();
    // It has not written yet, but will do so by the old policy. Readers keep the rules of strict already.
    expect(switched).toBe(false);
    expect([registry.policyOf('items'), registry.writersOf('items')]).toEqual(['write-through', 'write-through']);
    expect(registry.rulesOf('items')).toBe('strict');
    await writer.query('UPDATE items SET quantity = 9');
    expect(clock.sleeping).toEqual([]);
    await writer.commitTransaction();
    await writer.release();
    await until(() => switched || clock.sleeping.length > 0);
    expect([switched, clock.sleeping]).toEqual([false, [waitMs]]);
    clock.pass();
    await switching;
    expect((await a!.http.get(path)).body.quantity).toBe(9);
  });

  it('from strict promises less before its writers do less', async () => {
    const clock = new SteppedClock(waitMs);
    const [a] = await group.start(1, { CACHE_POLICY: 'strict', CACHE_L1_LEASE_MS: String(longLeaseMs) }, clock);
    const writer = a!.app.get(DataSource).createQueryRunner();
    await writer.startTransaction();
    const switching = a!.app.get(PolicySwitch).to('items', 'invalidate');
    const registry = a!.app.get(PolicyRegistry);
    await until(() => registry.policyOf('items') === 'invalidate');
    expect(registry.writersOf('items')).toBe('strict');
    await writer.commitTransaction();
    await writer.release();
    await until(() => clock.sleeping.length > 0);
    expect([registry.writersOf('items'), clock.sleeping]).toEqual(['strict', [waitMs]]);
    clock.pass();
    await switching;
    expect(registry.writersOf('items')).toBe('invalidate');
  });

  it('is kept by a writer whose node has not heard of it', async () => {
    const [a] = await group.start(1, { CACHE_POLICY: 'invalidate' });
    const path = await create(a!, 'v0');
    const registry = a!.app.get(PolicyRegistry);
    // It does not read the policies again every few seconds either.
    jest.spyOn(a!.app.get(PolicyStore), 'all').mockResolvedValue([]);
    const withCommit = jest.spyOn(a!.app.get(Invalidator), 'fence');
    await a!.dataSource.query(
      "UPDATE cache_policies SET target = 'strict', policy = 'strict', revision = revision + 1",
    );
    expect(registry.writersOf('items')).toBe('invalidate');
    await a!.http.put(path).send(item('v1')).expect(200);
    expect(withCommit).not.toHaveBeenCalled();
  });

  it('that its node did not finish is finished by the next that boots', async () => {
    const [a] = await group.start(1, { CACHE_L1_LEASE_MS: '100' });
    const path = await create(a!, 'kept');
    await a!.dataSource.query(
      "UPDATE cache_policies SET target = 'strict', policy = 'strict', revision = revision + 1",
    );
    const next = await startApp({
      redis: group.redis.url,
      database: a!.databaseUrl,
      env: { CACHE_L1_LEASE_MS: '100' },
    });
    expect(await promisedAt(next, path)).toBe('strict');
    await until(async () => (await promisedAt(a!, path)) === 'strict');
    await next.close();
  });

  it('is made when the environment says another policy than before, and survives when it does not', async () => {
    const [a] = await group.start(1, { CACHE_POLICY: 'invalidate', CACHE_L1_LEASE_MS: '100' });
    const path = await create(a!, 'kept');
    const second = await startApp({
      redis: group.redis.url,
      database: a!.databaseUrl,
      env: { CACHE_POLICY: 'strict', CACHE_L1_LEASE_MS: '100' },
    });
    expect(await promisedAt(second, path)).toBe('strict');
    await second.app.get(PolicySwitch).to('items', 'ttl');
    await second.close();
    const third = await startApp({
      redis: group.redis.url,
      database: a!.databaseUrl,
      env: { CACHE_POLICY: 'strict', CACHE_L1_LEASE_MS: '100' },
    });
    expect(await promisedAt(third, path)).toBe('ttl');
    await third.close();
  });
});
