import { createRedisClient, recordKey, scripts, tagKey } from '../../src/cache/testing.js';
import { renewGeneration, startCacheNode } from '../support/cache-node.js';
import { list, ProtocolBench, row } from '../support/protocol-bench.js';
import { until } from '../support/until.js';

const bench = new ProtocolBench();
const { begin, bodyOf, fill, miss } = bench;
const { tag } = row;

describe('a generation', () => {
  it('does not accept a load that a writer of before its epoch may have missed', async () => {
    const writer = await begin();
    await renewGeneration(bench.node.connection);
    expect(await fill(await miss(), '"old"')).toBeUndefined();
    expect(await fill(await miss(list), '"old"')).toBeUndefined();
    await writer.commit();
    expect(await fill(await miss(), '"new"')).toBeDefined();
    expect(await fill(await miss(list), '"new"')).toBeDefined();
  });

  it('makes everything of the one before unreachable', async () => {
    await fill(await miss(), '1');
    await renewGeneration(bench.node.connection);
    expect(await bodyOf()).toBeUndefined();
  });

  it('leaves nothing behind in Redis once the next one has begun', async () => {
    const before = bench.node.connection.gen;
    await fill(await miss(), '1');
    await fill(await miss(list), '1');
    await renewGeneration(bench.node.connection);
    const left = () => bench.node.connection.command(bench.node.connection.gen, (client) => client.keys(`*${before}*`));
    await until(async () => (await left()).length === 0);
  });

  it('that has ended sweeps nothing of its successor', async () => {
    const { connection } = bench.node;
    const before = connection.gen;
    await renewGeneration(connection);
    await fill(await miss(), '1');
    const sweep = connection.command(connection.gen, (client) =>
      client.eval(scripts.sweep.text, { keys: [recordKey, tagKey(connection.gen, tag)], arguments: [before] }),
    );
    await expect(sweep).rejects.toThrow('another generation');
    await until(() => connection.state === 'closed');
    expect(await bodyOf()).toBe('1');
  });

  it('that another node has begun is noticed by the next command, which bypasses', async () => {
    const other = await startCacheNode(bench.database.url, bench.redis.url);
    await fill(await miss(), '1');
    const writer = await begin();
    await renewGeneration(other.connection);
    expect(await bench.node.l2.read(row)).toEqual({ outcome: 'bypass', reason: 'no-epoch' });
    await expect(bench.node.tags.fence([tag], [], writer)).rejects.toMatchObject({ reason: expect.any(String) });
    await other.close();
    await until(() => bench.node.connection.state === 'closed');
    expect((await bench.node.l2.read(row)).outcome).toBe('miss');
  });

  it('begins anew after a flush', async () => {
    await fill(await miss(), '1');
    const before = bench.node.connection.gen;
    await bench.node.connection.command(before, (client) => client.flushAll());
    expect((await bench.node.l2.read(row)).outcome).toBe('bypass');
    await until(() => bench.node.connection.state === 'closed');
    expect(bench.node.connection.gen).not.toBe(before);
  });

  it('is shared by every node that meets the same servers', async () => {
    const other = await startCacheNode(bench.database.url, bench.redis.url);
    expect(other.connection.gen).toBe(bench.node.connection.gen);
    await other.close();
  });

  it('is not taken over from a server that is another one than it was', async () => {
    const before = bench.node.connection.gen;
    await bench.node.connection.command(before, (client) => client.hSet(recordKey, 'run_id', 'another server'));
    bench.node.connection.reset('test');
    await until(() => bench.node.connection.state === 'closed');
    expect(bench.node.connection.gen).not.toBe(before);
  });
});

it('a server that has become a replica answers nothing', async () => {
  const { connection } = bench.node;
  await fill(await miss(), '1');
  const admin = createRedisClient(bench.redis.url, 5_000);
  await admin.connect();
  await admin.sendCommand(['REPLICAOF', '127.0.0.1', '1']);
  const read = await bench.node.l2.read(row);
  await admin.sendCommand(['REPLICAOF', 'NO', 'ONE']);
  await admin.disconnect();
  expect(read).toEqual({ outcome: 'bypass', reason: 'redis' });
  await until(() => connection.state === 'closed');
  expect((await bench.node.l2.read(row)).outcome).toBe('miss');
});

it('scripts are loaded again after SCRIPT FLUSH', async () => {
  await fill(await miss(), '1');
  await bench.node.connection.command(bench.node.connection.gen, (client) => client.scriptFlush());
  expect(await bodyOf()).toBe('1');
});
