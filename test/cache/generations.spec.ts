import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { initKey, recordKey, scripts } from '../../src/cache/testing.js';
import { type CacheNode, renewGeneration, startCacheNode } from '../support/cache-node.js';
import { createDatabase, startRedis, type TestRedis } from '../support/services.js';
import { until } from '../support/until.js';

describe('a generation', () => {
  let redis: TestRedis;
  let database: Awaited<ReturnType<typeof createDatabase>>;
  let nodes: CacheNode[];
  beforeAll(async () => {
    [redis, database] = await Promise.all([startRedis(), createDatabase()]);
    nodes = await Promise.all(Array.from({ length: 4 }, () => startCacheNode(database.url, redis.url)));
  });
  afterAll(async () => {
    await Promise.all(nodes.map((node) => node.close()));
    await Promise.all([database.drop(), redis.stop()]);
  });

  const names = () => new Set(nodes.map(({ connection }) => (connection.state === 'closed' ? connection.gen : '')));

  it('is begun by one of the nodes that find none, and found by the others', async () => {
    let begun = 0;
    const stops = nodes.map(({ events }) => events.on('generation', ({ fresh }) => (begun += Number(fresh))));
    await redis.restart();
    await until(() => names().size === 1 && !names().has(''));
    expect(begun).toBe(1);
    for (const stop of stops) stop();
  });

  it('follows another one when a node asks for it, as often as it is asked', async () => {
    const { connection, events } = nodes[0]!;
    const begun: string[] = [];
    events.on('generation', ({ gen, fresh }) => fresh && begun.push(gen!));
    let outcomes: PromiseSettledResult<void>[] = [];
    // Each has a second. Where the machine stood still for longer, they are asked again.
    await until(async () => {
      await until(() => connection.state === 'closed');
      begun.splice(0);
      outcomes = await Promise.allSettled([connection.renewGeneration(), connection.renewGeneration()]);
      return outcomes.every(({ status }) => status === 'fulfilled');
    });
    expect(new Set(begun).size).toBe(2);
    expect(begun.at(-1)).toBe(connection.gen);
  });

  it('that has ended is left at once by a node that hears of its successor', async () => {
    const { connection } = nodes[1]!;
    const { gen } = nodes[0]!.connection;
    expect(connection.gen).not.toBe(gen);
    connection.superseded(gen);
    await until(() => connection.state === 'closed');
    expect(connection.gen).toBe(gen);
    connection.superseded(gen);
    expect(connection.state).toBe('closed');
  });

  it('has ended before the epoch of the next is taken: no writer with a later id can fence in it', async () => {
    const [{ connection, dataSource }, other] = [nodes[0]!, nodes[1]!];
    other.connection.superseded(connection.gen);
    await until(() => other.connection.state === 'closed');
    const ask = dataSource.query.bind(dataSource);
    let fenced: unknown;
    const query = jest.spyOn(dataSource, 'query').mockImplementation(async (sql: string) => {
      const answer: unknown = await ask(sql);
      if (sql.endsWith('AS epoch'))
        fenced = await other.tags.fence(['things:1'], [], { xid: '1', xmin: '1' }).catch((error: unknown) => error);
      return answer;
    });
    await renewGeneration(connection);
    query.mockRestore();
    expect(fenced).toMatchObject({ reason: 'no-epoch' });
  });

  it('is begun by the one that holds the right to, and only in the place of the one it knew', async () => {
    const { connection } = nodes[0]!;
    const { gen } = connection;
    const run = (name: 'claimGeneration' | 'installGeneration', ...args: string[]): Promise<unknown> =>
      connection.command(gen, (client) =>
        client.eval(scripts[name].text, { keys: [initKey, recordKey], arguments: args }),
      );
    expect(await run('claimGeneration', 'a', '10000', 'another')).toBe(0);
    expect(await run('claimGeneration', 'a', '10000', gen)).toBe(1);
    expect(await run('claimGeneration', 'b', '10000', '')).toBe(0);
    expect(await run('installGeneration', 'b', 'of b', '1', 'nobody')).toBe(0);
    expect(await run('installGeneration', 'a', 'of a', '1', 'nobody')).toBe(1);
    expect(await run('installGeneration', 'a', 'of a', '1', 'nobody')).toBe(0);
    expect(await run('claimGeneration', 'b', '10000', '')).toBe(0);
    expect(await run('claimGeneration', 'b', '10000', 'of a')).toBe(1);
    expect(await run('installGeneration', 'b', 'of b', '1', 'nobody')).toBe(1);
  });

  it('follows although the one that was to install it has died', async () => {
    const { connection } = nodes[0]!;
    await renewGeneration(connection);
    const died = connection.command(connection.gen, (client) =>
      client.eval(scripts.claimGeneration.text, {
        keys: [initKey, recordKey],
        arguments: ['of the dead', '100', connection.gen],
      }),
    );
    expect(await died).toBe(1);
    await renewGeneration(connection);
  });

  it('stays in force where the next one could not begin', async () => {
    const { connection, dataSource } = nodes[0]!;
    const { gen } = connection;
    const query = jest.spyOn(dataSource, 'query').mockRejectedValueOnce(new Error('the database is away'));
    await expect(connection.renewGeneration()).rejects.toMatchObject({ code: 'CACHE_LEVEL_UNAVAILABLE' });
    query.mockRestore();
    expect([connection.state, connection.gen]).toEqual(['closed', gen]);
  });
});

it('keeps nothing of those who waited in vain for the connection', async () => {
  const [redis, database] = await Promise.all([startRedis(), createDatabase()]);
  const node = await startCacheNode(database.url, redis.url);
  const { connection } = node;
  try {
    await redis.kill();
    await until(() => connection.state !== 'closed');
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const waiters = 10_000;
    const heapAfterWaiting = async (): Promise<number> => {
      const waits = Array.from({ length: waiters }, () => connection.untilOpen(1));
      expect((await Promise.all(waits)).some(Boolean)).toBe(false);
      // What one collection leaves to be cleaned up is garbage to the next.
      for (let times = 0; times < 3; times += 1) collect();
      return process.memoryUsage().heapUsed;
    };
    await heapAfterWaiting();
    const bytes = await heapAfterWaiting();
    const rounds = 4;
    for (let round = 1; round < rounds; round += 1) await heapAfterWaiting();
    expect((await heapAfterWaiting()) - bytes).toBeLessThan(100 * waiters * rounds);
  } finally {
    await node.close();
    await Promise.all([database.drop(), redis.stop()]);
  }
});
