import pg from 'pg';
import { Clock } from '../../src/cache/index.js';
import { PolicyRegistry } from '../../src/invalidation/index.js';
import { Item } from '../../src/items/item.entity.js';
import { leaseWaitMs } from '../../src/invalidation/bus/lease-wait.js';
import { type PolicyState, PolicyStore } from '../../src/invalidation/policies/policy-store.js';
import { put, rowOf, SwitchedNodes } from '../support/switched-nodes.js';
import { until } from '../support/until.js';

const nodes = new SwitchedNodes();
const statusOf = ({ headers }: { readonly headers: Record<string, string> }): string => headers['cache-status'] ?? '';
const { start } = nodes;

describe('two switches at once', () => {
  it('end where the later one goes, and the earlier one is told so', async () => {
    const a = await start({ CACHE_L1_LEASE_MS: '800' });
    const b = await start();
    const steps = jest.spyOn(a.app.get(PolicyStore), 'change');
    const sleeps = jest.spyOn(a.app.get(Clock), 'sleep');
    const strict = put(a, 'strict').then((answer) => answer);
    // Its next step is to promise strict.
    await until(() => sleeps.mock.calls.some(([ms]) => ms === leaseWaitMs(800)));
    const [{ status, body }] = await Promise.all([strict, put(b, 'ttl').expect(200)]);
    expect([status, body.detail]).toEqual([409, 'the switch of items to strict was superseded by a later one to ttl']);
    const promises = steps.mock.calls.flatMap(([, { promised }], i) =>
      promised ? [steps.mock.results[i]!.value] : [],
    );
    expect(await Promise.all(promises)).toEqual([false]);
    expect(await rowOf(a)).toMatchObject({ policy: 'ttl', promised: 'ttl', target: 'ttl' });
    for (const node of [a, b]) await until(() => node.app.get(PolicyRegistry).policyOf('items') === 'ttl');
  });

  it('to the same policy both end well', async () => {
    const [a, b] = [await start(), await start()];
    const answers = await Promise.all([put(a, 'strict'), put(b, 'strict')]);
    expect(answers.map(({ status, body }) => [status, body.policy])).toEqual([
      [200, 'strict'],
      [200, 'strict'],
    ]);
  });

  it('never give strict’s promise while writers do anything else', async () => {
    const [a, b] = [await start(), await start()];
    const seen: PolicyState[] = [];
    for (const { app } of [a, b]) {
      const store = app.get(PolicyStore);
      for (const name of ['change', 'changeWriters'] as const) {
        const step = store[name].bind(store) as (...args: unknown[]) => Promise<boolean>;
        jest.spyOn(store, name).mockImplementation(async (...args: unknown[]) => {
          const made = await step(...args);
          seen.push(await rowOf(a));
          return made;
        });
      }
    }
    const targets = ['strict', 'ttl', 'strict', 'invalidate', 'write-through', 'strict'] as const;
    await Promise.all(targets.map((target, i) => put(i % 2 ? a : b, target)));
    await until(async () => {
      const { policy, promised, target } = await rowOf(a);
      return policy === target && promised === target;
    });
    expect(seen.filter(({ policy, promised }) => promised === 'strict' && policy !== 'strict')).toEqual([]);
  });
});

it('from strict, writers do less only once every node promises less', async () => {
  const a = await start({ CACHE_POLICY: 'strict' });
  const longer = await start({ CACHE_POLICY: 'strict', CACHE_L1_LEASE_MS: '600' });
  const changed = new Map<string, number>();
  const store = a.app.get(PolicyStore);
  for (const name of ['change', 'changeWriters'] as const) {
    const step = store[name].bind(store) as (...args: unknown[]) => Promise<boolean>;
    jest.spyOn(store, name).mockImplementation(async (...args: unknown[]) => {
      const made = await step(...args);
      changed.set(name, performance.now());
      return made;
    });
  }
  await put(a, 'invalidate').expect(200);
  expect(changed.get('changeWriters')! - changed.get('change')!).toBeGreaterThan(600);
  expect(longer.app.get(PolicyRegistry).policyOf('items')).toBe('invalidate');
});

it('to a weaker policy, less is promised before writers do less, also where neither is strict', async () => {
  const a = await start();
  // A switch to another policy would wait for this before it promises anything.
  const open = new pg.Client({ connectionString: a.databaseUrl });
  await open.connect();
  await open.query('BEGIN');
  await open.query('SELECT pg_current_xact_id()');
  const switching = put(a, 'ttl').then(({ status }) => status);
  await until(async () => (await rowOf(a)).policy === 'ttl');
  expect((await rowOf(a)).promised).toBe('ttl');
  await open.end();
  expect(await switching).toBe(200);
});

it('from strict, a node that cannot read the policies promises strict no longer once writers may do less', async () => {
  const [a, b] = [await start({ CACHE_POLICY: 'strict' }), await start({ CACHE_POLICY: 'strict' })];
  const { body } = await a.http.post('/items').send({ name: 'old', category: 'a', price: 1, quantity: 1 }).expect(201);
  await until(async () => statusOf(await b.http.get(`/items/${body.id}`)).includes('strata-policy=strict'));
  let answer: () => void = () => undefined;
  const all = jest
    .spyOn(b.app.get(PolicyStore), 'all')
    .mockImplementation(() => new Promise((resolve) => (answer = () => resolve([]))));
  await put(a, 'ttl').expect(200);
  await a.dataSource.getRepository(Item).update({ id: body.id }, { name: 'new' });
  const read = await b.http.get(`/items/${body.id}`).expect(200);
  expect([read.body.name, statusOf(read)]).toEqual(['old', expect.stringContaining('strata-policy=ttl')]);
  all.mockRestore();
  answer();
});
