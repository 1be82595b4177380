import { type AfterQueryEvent, type BeforeQueryEvent, type DataSource } from 'typeorm';
import { LevelUnavailableError, RedisTags } from '../../src/cache/index.js';
import { PolicySwitch } from '../../src/invalidation/index.js';
import { impatiently } from '../support/clocks.js';
import { ddl, Reads, Thing, ThingsModule } from '../support/committed-things.js';
import { sharedRedis } from '../support/services.js';
import { startApp, type TestApp } from '../support/start-app.js';

/* What writers store, and what they leave to the next reader. */

let node: TestApp;
let reads: Reads;
let dataSource: DataSource;

beforeAll(async () => {
  const { url: redis } = await sharedRedis();
  node = await startApp({ redis, imports: [ThingsModule], override: impatiently });
  ({ dataSource } = node);
  reads = node.app.get(Reads);
  await dataSource.query(ddl);
});

afterAll(() => node.close());

let last = 0;
const uuid = () => `a0eebc99-9c0b-4ef8-bb6d-${String(++last).padStart(12, '0')}`;
const nameOf = async (id: string) => (await reads.row('things', id))?.['name'];

describe.each(['write-through', 'strict'] as const)('under %s, what is stored', (policy) => {
  beforeAll(() => node.app.get(PolicySwitch).to('things', policy));
  const isStored = (id: string) =>
    reads.cache
      .row('things', id, () => Promise.reject(new Error('loaded')))
      .then(
        () => true,
        () => false,
      );

  it('is a row that the transaction has written, and none that it has found there', async () => {
    const id = uuid();
    await dataSource.manager.save(Thing, { id, name: 'first', n: 1 });
    expect(await isStored(id)).toBe(true);
    await dataSource.transaction((manager) =>
      manager.createQueryBuilder().insert().into(Thing).values({ id, name: 'never', n: 0 }).orIgnore().execute(),
    );
    expect(await isStored(id)).toBe(false);
  });

  it('is no row that a savepoint has written: its version does not carry the id of the transaction', async () => {
    const id = uuid();
    await dataSource.transaction((manager) =>
      manager.transaction((inner) => inner.save(Thing, { id, name: 'in a savepoint', n: 1 })),
    );
    expect(await isStored(id)).toBe(false);
    expect(await nameOf(id)).toBe('in a savepoint');
  });

  it('is fenced before its COMMIT is sent; where that fails, nothing is stored', async () => {
    const id = uuid();
    const order: string[] = [];
    const tags = node.app.get(RedisTags);
    const fence = tags.fence.bind(tags);
    const fill = jest.spyOn(tags, 'fill');
    const slow = jest.spyOn(tags, 'fence').mockImplementationOnce(async (...change) => {
      const fenced = await fence(...change);
      await new Promise((resolve) => setTimeout(resolve, 100));
      order.push('fenced');
      return fenced;
    });
    const watch = { beforeQuery: ({ query }: BeforeQueryEvent) => void (query === 'COMMIT' && order.push(query)) };
    const sent = { afterQuery: ({ query }: AfterQueryEvent) => void (query === 'COMMIT' && order.push('committed')) };
    dataSource.subscribers.push(watch, sent);
    await dataSource.manager.save(Thing, { id, name: 'one', n: 1 });
    dataSource.subscribers.splice(-2);
    expect(order).toEqual(['COMMIT', 'fenced', 'committed']);
    expect(fill).toHaveBeenCalledTimes(1);

    slow.mockRejectedValueOnce(new LevelUnavailableError('redis', 'no answer'));
    const failing = dataSource.manager.save(Thing, { id, name: 'two' });
    await (policy === 'strict' ? expect(failing).rejects.toThrow() : failing);
    expect(fill).toHaveBeenCalledTimes(1);
    fill.mockRestore();
    slow.mockRestore();
    expect(await nameOf(id)).toBe(policy === 'strict' ? 'one' : 'two');
  });

  it('is no row of a transaction in which something was changed beside the COMMIT', async () => {
    const id = uuid();
    await dataSource.manager.save(Thing, { id, name: 'one', n: 1 });
    const fill = jest.spyOn(node.app.get(RedisTags), 'fill');
    await dataSource.transaction(async (manager) => {
      await manager.save(Thing, { id, name: 'two' });
      void manager.query('UPDATE cv_things SET n = 2 WHERE id = $1', [id]);
    });
    expect(fill).not.toHaveBeenCalled();
    fill.mockRestore();
    expect((await reads.row('things', id))?.['n']).toBe(2);
  });
});

it('a row that is written through is a hit for whoever reads it next, however its key is spelled', async () => {
  await node.app.get(PolicySwitch).to('things', 'write-through');
  const id = uuid();
  await dataSource.manager.save(Thing, { id, name: 'through', n: 1 });
  const found = await reads.cache.row<Thing>('things', id.toUpperCase(), () => Promise.reject(new Error('loaded')));
  expect(found?.name).toBe('through');
});
