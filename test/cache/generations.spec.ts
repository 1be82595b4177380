import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  Authority,
  Clock,
  createRedisClient,
  GenerationRecord,
  initKey,
  namespaceOf,
  recordKey,
  scripts,
} from '../../src/cache/testing.js';
import { OwnConnection } from '../../src/database/index.js';
import { type CacheNode, renewGeneration, startCacheNode } from '../support/cache-node.js';
import { startRedis, type TestRedis } from '../support/services.js';
import { createMigratedDatabase } from '../support/start-app.js';
import { until } from '../support/until.js';

class StoppedClock extends Clock {
  override monotonicMs = (): number => 0;
  override wallMs = (): number => 0;
}

const keysOf = (gen: string): string[] => [initKey(namespaceOf(gen)), recordKey(namespaceOf(gen))];

describe('a generation', () => {
  let redis: TestRedis;
  let database: Awaited<ReturnType<typeof createMigratedDatabase>>;
  let nodes: CacheNode[];
  beforeAll(async () => {
    [redis, database] = await Promise.all([startRedis(), createMigratedDatabase()]);
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
    connection.begun(gen);
    await until(() => connection.state === 'closed');
    expect(connection.gen).toBe(gen);
    connection.begun(gen);
    expect(connection.state).toBe('closed');
  });

  it('has ended before the epoch of the next is taken: no writer with a later id can fence in it', async () => {
    const [{ connection }, other] = [nodes[0]!, nodes[1]!];
    other.connection.begun(connection.gen);
    await until(() => other.connection.state === 'closed');
    // eslint-disable-next-line @typescript-eslint/unbound-method -- called with its own `this` below
    const ask = OwnConnection.prototype.query;
    let fenced: unknown;
    const query = jest.spyOn(OwnConnection.prototype, 'query').mockImplementation(async function (
      this: OwnConnection,
      sql: string,
      parameters,
    ) {
      const answer = await ask.call(this, sql, parameters);
      if (sql.includes('AS epoch'))
        fenced = await other.tags.fence(['things:1'], { xid: '1', xmin: '1' }).catch((error: unknown) => error);
      return answer;
    });
    await renewGeneration(connection);
    query.mockRestore();
    expect(fenced).toMatchObject({ reason: 'no-epoch' });
  });

  it('is not confirmed by what PostgreSQL said on a connection that has ended since', async () => {
    const { connection, dataSource } = nodes[0]!;
    const authority = new Authority(dataSource, new StoppedClock(), () => Promise.resolve());
    const said = await authority.ask(connection.gen);
    await dataSource.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND pid <> pg_backend_pid()`);
    await until(() =>
      authority.ask(connection.gen).then(
        ({ lost }) => lost > said.lost,
        () => false,
      ),
    );
    authority.confirm({ ...said, confirmed: true });
    expect(authority.valid).toBe(false);
    // Under asynchronous commits a crash, which ends connections as well, may have lost what it had not flushed.
    authority.accept({ ...said, durable: false });
    expect(authority.seen?.started).toBe('');
    authority.confirm({ ...(await authority.ask(connection.gen)), confirmed: true });
    expect(authority.valid).toBe(true);
    authority.close();
  });

  it('is begun by the one that holds the right to, and only in the place of the one it knew', async () => {
    // In a namespace without nodes: they would begin one of their own as soon as they notice that theirs has ended.
    const keys = [initKey('nobody-there'), recordKey('nobody-there')];
    const client = createRedisClient(redis.url, 20_000);
    await client.connect();
    const run = (name: 'claimGeneration' | 'installGeneration', ...args: string[]): Promise<unknown> =>
      client.eval(scripts[name].text, { keys, arguments: args });
    const claim = (nonce: string, previous: string) => run('claimGeneration', nonce, '60000', previous, 'nobody');
    expect(await claim('first', '')).toBe(1);
    expect(await run('installGeneration', 'first', 'the first', '1', 'nobody')).toBe(1);
    expect(await claim('a', 'another')).toBe(0);
    expect(await claim('a', 'the first')).toBe(1);
    expect(await claim('b', '')).toBe(0);
    expect(await run('installGeneration', 'b', 'of b', '1', 'nobody')).toBe(0);
    expect(await run('installGeneration', 'a', 'of a', '1', 'nobody')).toBe(1);
    expect(await run('installGeneration', 'a', 'of a', '1', 'nobody')).toBe(0);
    expect(await claim('b', '')).toBe(0);
    expect(await claim('b', 'of a')).toBe(1);
    expect(await run('installGeneration', 'b', 'of b', '1', 'nobody')).toBe(1);
    await client.disconnect();
  });

  it('follows although the one that was to install it has died', async () => {
    const { connection } = nodes[0]!;
    await renewGeneration(connection);
    const died = connection.command(connection.gen, (client) =>
      client.eval(scripts.claimGeneration.text, {
        keys: keysOf(connection.gen),
        arguments: ['of the dead', '100', connection.gen, 'nobody'],
      }),
    );
    expect(await died).toBe(1);
    await renewGeneration(connection);
  });

  it('follows at once although the one that was to install it has failed: it gave the right to back', async () => {
    // Nobody else takes the right: the node is alone in its namespace, and does not look by itself.
    const confirm = jest.spyOn(GenerationRecord.prototype, 'confirm').mockResolvedValue(true);
    const own = await createMigratedDatabase();
    const node = await startCacheNode(own.url, redis.url);
    const { connection } = node;
    const { gen } = connection;
    // eslint-disable-next-line @typescript-eslint/unbound-method -- called with its own `this` below
    const ask = OwnConnection.prototype.query;
    const query = jest.spyOn(OwnConnection.prototype, 'query').mockImplementation(async function (
      this: OwnConnection,
      sql: string,
      parameters,
    ) {
      if (sql.includes('AS epoch')) throw new Error('the database is away');
      return ask.call(this, sql, parameters);
    });
    await expect(connection.renewGeneration()).rejects.toMatchObject({ code: 'CACHE_LEVEL_UNAVAILABLE' });
    query.mockRestore();
    expect(await connection.command(gen, (client) => client.exists(initKey(namespaceOf(gen))))).toBe(0);
    await connection.renewGeneration();
    expect(connection.gen).not.toBe(gen);
    confirm.mockRestore();
    await node.close();
    await own.drop();
  });

  it('of several nodes that ask for one at once may be the same: none of them fails', async () => {
    const begun = new Set<string | undefined>();
    const stops = nodes.map(({ events }) => events.on('generation', ({ gen }) => begun.add(gen)));
    await Promise.all(nodes.map(({ connection }) => connection.renewGeneration()));
    expect(begun.size).toBeGreaterThan(0);
    for (const stop of stops) stop();
  });

  it('that has ended takes no connection down, and what its node could not tell is told under the next one', async () => {
    const { connection, events, tags } = nodes[0]!;
    let given = 0;
    const stop = events.on('connection', () => (given += 1));
    const renewal = connection.renewGeneration();
    const fenced = tags.fence(['things:1'], { xid: '1', xmin: '1' });
    connection.reset('an invalidation could not be delivered');
    await expect(fenced).rejects.toMatchObject({ reason: 'no-epoch' });
    await renewal;
    await connection.command(connection.gen, (client) => client.del(recordKey(namespaceOf(connection.gen))));
    await expect(tags.fence(['things:1'], { xid: '1', xmin: '1' })).rejects.toMatchObject({ reason: 'no-epoch' });
    await until(() => connection.state === 'closed');
    stop();
    expect(given).toBe(0);
  });

  it('stays in force where the next one could not begin', async () => {
    const { connection } = nodes[0]!;
    const { gen } = connection;
    const query = jest.spyOn(OwnConnection.prototype, 'query').mockRejectedValue(new Error('the database is away'));
    await expect(connection.renewGeneration()).rejects.toMatchObject({ code: 'CACHE_LEVEL_UNAVAILABLE' });
    query.mockRestore();
    expect([connection.state, connection.gen]).toEqual(['closed', gen]);
  });
});

it('keeps nothing of those who waited in vain for the connection', async () => {
  const [redis, database] = await Promise.all([startRedis(), createMigratedDatabase()]);
  const node = await startCacheNode(database.url, redis.url);
  const { connection } = node;
  try {
    await redis.kill();
    await until(() => connection.state !== 'closed');
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const waiters = 20_000;
    const heapAfterWaiting = async (): Promise<number> => {
      const waits = Array.from({ length: waiters }, () => connection.untilOpen(1));
      expect((await Promise.all(waits)).some(Boolean)).toBe(false);
      // What one collection leaves to be cleaned up is garbage to the next.
      for (let times = 0; times < 3; times += 1) collect();
      return process.memoryUsage().heapUsed;
    };
    await heapAfterWaiting();
    const bytes = await heapAfterWaiting();
    expect((await heapAfterWaiting()) - bytes).toBeLessThan(100 * waiters);
  } finally {
    await node.close();
    await Promise.all([database.drop(), redis.stop()]);
  }
});
