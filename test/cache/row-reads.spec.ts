import { RowReads, type RowRead } from '../../src/cache/levels/l2/row-reads.js';
import { type RedisConnection } from '../../src/cache/testing.js';
import { type CacheNode, startCacheNode } from '../support/cache-node.js';
import { sharedRedis, type SharedRedis } from '../support/services.js';
import { createMigratedDatabase } from '../support/start-app.js';

let redis: SharedRedis;
let database: Awaited<ReturnType<typeof createMigratedDatabase>>;
let node: CacheNode;

beforeAll(async () => {
  [redis, database] = await Promise.all([sharedRedis(), createMigratedDatabase()]);
  node = await startCacheNode(database.url, redis.url);
});

afterAll(async () => {
  await node.close();
  await database.drop();
});

const address = (id: number, entity = 'things') => ({
  ...({ kind: 'row', key: `row ${entity}:${id}`, tag: `${entity}:${id}`, coarse: `${entity}:*` } as const),
});
const snapshot = async () => {
  const [row] = await node.dataSource.query<[{ now: string }]>('SELECT pg_current_snapshot()::text AS now');
  return row.now;
};
const keep = async (id: number, entity?: string) => {
  const found = await node.l2.read(address(id, entity));
  if (found.outcome !== 'miss') throw new Error(found.outcome);
  const body = `"${entity} ${id}"`;
  await node.l2.fill(found.ticket, { body, snapshot: await snapshot(), freshMs: 60_000, keepMs: 60_000 });
};
const commands = () => jest.spyOn(node.connection, 'run');
afterEach(() => jest.restoreAllMocks());

describe('reads of rows', () => {
  it('at the same moment are one command, and each gets its own answer', async () => {
    await keep(1);
    await keep(3);
    const sent = commands();
    const found = await Promise.all([1, 2, 3].map((id) => node.l2.read(address(id))));
    expect(sent).toHaveBeenCalledTimes(1);
    expect(found.map(({ outcome }) => outcome)).toEqual(['hit', 'miss', 'hit']);
    expect(found[2]).toMatchObject({ entry: { body: '"undefined 3"' } });
  });

  it('leave a ticket each: every miss among them can be filled', async () => {
    const found = await Promise.all([11, 12].map((id) => node.l2.read(address(id))));
    for (const [i, read] of found.entries()) {
      if (read.outcome !== 'miss') throw new Error(read.outcome);
      const fill = { body: String(i), snapshot: await snapshot(), freshMs: 60_000, keepMs: 60_000 };
      expect(await node.l2.fill(read.ticket, fill)).toBeDefined();
    }
    expect(await node.l2.read(address(12))).toMatchObject({ outcome: 'hit', entry: { body: '1' } });
  });

  it('of two entities are two commands: each has a coarse tag of its own', async () => {
    await keep(1, 'others');
    const sent = commands();
    const found = await Promise.all([node.l2.read(address(1)), node.l2.read(address(1, 'others'))]);
    expect(sent).toHaveBeenCalledTimes(2);
    expect(found).toMatchObject([{ entry: { body: '"undefined 1"' } }, { entry: { body: '"others 1"' } }]);
  });

  it('are not so many in one command that Redis would be busy with it: 32', async () => {
    const sent = commands();
    await Promise.all(Array.from({ length: 33 }, (_, i) => node.l2.read(address(100 + i))));
    expect(sent.mock.calls.map(([, , keys]) => keys.length - 1)).toEqual([32, 1]);
    sent.mockClear();
    await Promise.all(Array.from({ length: 32 }, (_, i) => node.l2.read(address(100 + i))));
    expect(sent).toHaveBeenCalledTimes(1);
  });

  it('fail together, and the next ones are asked anew', async () => {
    let broken = true;
    const run = () => (broken ? Promise.reject(new Error('gone')) : Promise.resolve(['stamp', [0]]));
    const reads = new RowReads({ run } as unknown as RedisConnection);
    const read: RowRead = { row: 'things:1', coarse: 'things:*', nonce: 'n', staleMs: '0' };
    const outcomes = await Promise.allSettled([reads.read('gen', read), reads.read('gen', read)]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    broken = false;
    expect(await reads.read('gen', read)).toEqual({ found: [0], coarseStamp: 'stamp' });
  });
});
