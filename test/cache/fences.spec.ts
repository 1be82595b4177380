import { type QueryRunner } from 'typeorm';
import {
  type Address,
  type Fill,
  type Filled,
  recordKey,
  tagKey,
  type Ticket,
  type Writer,
} from '../../src/cache/testing.js';
import { type CacheNode, startCacheNode } from '../support/cache-node.js';
import { createDatabase, startRedis, type TestRedis } from '../support/services.js';

let redis: TestRedis;
let database: Awaited<ReturnType<typeof createDatabase>>;
let node: CacheNode;
let open: QueryRunner[] = [];

beforeAll(async () => {
  [redis, database] = await Promise.all([startRedis(), createDatabase()]);
  node = await startCacheNode(database.url, redis.url);
});

beforeEach(() => node.connection.renewGeneration());

afterEach(async () => {
  for (const runner of open) await end(runner, 'ROLLBACK');
});

afterAll(async () => {
  await node.close();
  await database.drop();
  await redis.stop();
});

const row: Extract<Address, { kind: 'row' }> = {
  kind: 'row',
  key: 'row things:1',
  tag: 'things:1',
  coarse: 'things:*',
};
const list: Address = { kind: 'query', key: 'query things ', tags: ['things', 'things:*'] };
const life = { freshMs: 60_000, keepMs: 60_000 };
const { tag, coarse } = row;

/** A transaction that has an id, hence can be fenced, until it is ended. */
async function begin(): Promise<Writer & { commit(): Promise<void>; rollback(): Promise<void> }> {
  const runner = node.dataSource.createQueryRunner();
  open.push(runner);
  await runner.query('BEGIN');
  const [{ xid, xmin }] = (await runner.query(
    'SELECT pg_current_xact_id()::text AS xid, pg_snapshot_xmin(pg_current_snapshot())::text AS xmin',
  )) as [Writer];
  return { xid, xmin, commit: () => end(runner, 'COMMIT'), rollback: () => end(runner, 'ROLLBACK') };
}

async function end(runner: QueryRunner, how: 'COMMIT' | 'ROLLBACK'): Promise<void> {
  open = open.filter((other) => other !== runner);
  await runner.query(how);
  await runner.release();
}

async function snapshot(): Promise<string> {
  const [answer] = await node.dataSource.query<[{ text: string }]>('SELECT pg_current_snapshot()::text AS text');
  return answer.text;
}

async function miss(address: Address = row): Promise<Ticket> {
  const read = await node.l2.read(address);
  if (read.outcome !== 'miss') throw new Error(`expected a miss, found a ${read.outcome}`);
  return read.ticket;
}

async function fill(ticket: Ticket, body: string, seenIn?: string): Promise<Filled> {
  const loaded: Fill = { body, snapshot: seenIn ?? (await snapshot()), ...life };
  return node.l2.fill(ticket, loaded);
}

async function bodyOf(address: Address = row): Promise<string | undefined> {
  const read = await node.l2.read(address);
  return read.outcome === 'hit' ? read.entry.body : undefined;
}

const field = (name: string, of = tag): Promise<string | undefined> =>
  node.connection.command(node.connection.gen, (client) => client.hGet(tagKey(node.connection.gen, of), name));

describe.each([
  ['row', row, tag],
  ['list', list, 'things'],
])('a fenced %s', (_, address, fenced) => {
  it('is a miss, and no fill is accepted, while its writer may still commit', async () => {
    await fill(await miss(address), '"old"');
    const writer = await begin();
    await node.tags.fence([fenced], [], writer);
    expect(await bodyOf(address)).toBeUndefined();
    expect(await fill(await miss(address), '"old"')).toBeUndefined();
  });

  it('is filled again by the first load that sees the writer', async () => {
    const writer = await begin();
    await node.tags.fence([fenced], [], writer);
    await writer.commit();
    expect(await fill(await miss(address), '"new"')).toBeDefined();
    expect(await bodyOf(address)).toBe('"new"');
  });

  it('is filled again after its writer died', async () => {
    const writer = await begin();
    await node.tags.fence([fenced], [], writer);
    await writer.rollback();
    expect(await fill(await miss(address), '"old"')).toBeDefined();
  });

  it('refuses a load that began before the fence, although it comes back after the commit', async () => {
    const ticket = await miss(address);
    const before = await snapshot();
    const writer = await begin();
    await node.tags.fence([fenced], [], writer);
    await writer.commit();
    expect(await fill(ticket, '"old"', before)).toBeUndefined();
    expect(await bodyOf(address)).toBeUndefined();
  });

  it('refuses a load whose ticket is newer than the fence but whose snapshot is older than the commit', async () => {
    const writer = await begin();
    await node.tags.fence([fenced], [], writer);
    const ticket = await miss(address);
    const before = await snapshot();
    await writer.commit();
    expect(await fill(ticket, '"old"', before)).toBeUndefined();
  });

  it('never expires while a writer is pending, and does once nothing is', async () => {
    const ttl = () => node.connection.command(node.connection.gen, (c) => c.pTTL(tagKey(node.connection.gen, fenced)));
    const writer = await begin();
    await node.tags.fence([fenced], [], writer);
    expect(await ttl()).toBe(-1);
    await writer.commit();
    await fill(await miss(address), '1');
    expect(await ttl()).toBeGreaterThan(0);
  });

  it('keeps its fence bounded under many writers and no reader', async () => {
    for (let n = 0; n < 40; n += 1) {
      const writer = await begin();
      await node.tags.fence([fenced], [], writer);
      await writer.commit();
    }
    expect((await field('fence', fenced))!.split(',').length).toBeLessThanOrEqual(9);
    expect(await fill(await miss(address), '"new"')).toBeDefined();
  });

  it('refuses a snapshot that is older than what was pruned from its fence', async () => {
    const old = await snapshot();
    for (let n = 0; n < 20; n += 1) {
      const writer = await begin();
      await writer.commit();
      await node.tags.fence([fenced], [], { ...writer, xmin: String(BigInt(writer.xid) + 1n) });
    }
    // Forged: everything that the fence still lists is seen, what was pruned from it is not.
    const [xmin] = old.split(':');
    const xmax = BigInt((await snapshot()).split(':')[1]!);
    expect(await fill(await miss(address), '"old"', `${xmin}:${xmax}:`)).toBeUndefined();
  });
});

describe('a ticket', () => {
  it('is void once another fill was accepted', async () => {
    const [first, second] = [await miss(), await miss()];
    expect(await fill(first, '1')).toBeDefined();
    expect(await fill(second, '2')).toBeUndefined();
    expect(await bodyOf()).toBe('1');
  });

  it('serves once', async () => {
    const ticket = await miss();
    const writer = await begin();
    await node.tags.fence([tag], [], writer);
    expect(await fill(ticket, '1')).toBeUndefined();
    await writer.commit();
    expect(await fill(ticket, '1')).toBeUndefined();
  });

  it('is one of a bounded number, however many readers die with theirs', async () => {
    for (let n = 0; n < 200; n += 1) await miss();
    const size = await node.connection.command(node.connection.gen, (c) => c.hLen(tagKey(node.connection.gen, tag)));
    expect(size).toBeLessThan(80);
  });

  it('is void once unknown rows have changed, although its own tag was left alone', async () => {
    const ticket = await miss();
    const before = await snapshot();
    const writer = await begin();
    await node.tags.fence([coarse], [], writer);
    await writer.commit();
    // Another row's fill has seen the writer and cleared it; the coarse tag looks idle again.
    await fill(await miss({ ...row, tag: 'things:2', key: 'row things:2' }), '2');
    expect(await fill(ticket, '"old"', before)).toBeUndefined();
  });
});

describe('unknown rows that have changed', () => {
  it('make every row a miss, for good', async () => {
    await fill(await miss(), '"old"');
    const writer = await begin();
    await node.tags.fence([coarse], [], writer);
    expect(await bodyOf()).toBeUndefined();
    await writer.commit();
    await fill(await miss({ ...row, tag: 'things:2', key: 'row things:2' }), '2');
    expect(await bodyOf()).toBeUndefined();
  });

  it('make every list a miss', async () => {
    await fill(await miss(list), '"old"');
    await node.tags.fence([coarse], [], await begin());
    expect(await bodyOf(list)).toBeUndefined();
  });

  it('refuse a row whose load has not seen them', async () => {
    const writer = await begin();
    await node.tags.fence([coarse], [], writer);
    expect(await fill(await miss(), '"old"')).toBeUndefined();
    await writer.commit();
    expect(await fill(await miss(), '"new"')).toBeDefined();
  });
});

describe('a committed row', () => {
  const stored = (stamps: ReadonlyMap<string, string>, body: string) => ({
    tag,
    coarse,
    stamp: stamps.get(tag)!,
    coarseStamp: stamps.get(coarse)!,
    body,
    ...life,
  });

  it('is released behind its strict fence: the next read is a hit', async () => {
    const writer = await begin();
    const { stamps } = await node.tags.fence([tag], [coarse], writer);
    await writer.commit();
    expect(await node.tags.store(stored(stamps, '"new"'), writer, { fenceFirst: false })).toBe(true);
    expect(await bodyOf()).toBe('"new"');
  });

  it('is not released once a later writer has fenced it', async () => {
    const writer = await begin();
    const { stamps } = await node.tags.fence([tag], [coarse], writer);
    await writer.commit();
    const later = await begin();
    await node.tags.fence([tag], [], later);
    expect(await node.tags.store(stored(stamps, '"old"'), writer, { fenceFirst: false })).toBe(false);
    expect(await bodyOf()).toBeUndefined();
  });

  it('is not released over a value that a reader has filled meanwhile', async () => {
    const writer = await begin();
    const { stamps } = await node.tags.fence([tag], [coarse], writer);
    await writer.commit();
    await fill(await miss(), '"raw SQL came after"');
    expect(await node.tags.store(stored(stamps, '"old"'), writer, { fenceFirst: false })).toBe(false);
    expect(await bodyOf()).toBe('"raw SQL came after"');
  });

  it('is not stored once unknown rows have changed since its stamps were read', async () => {
    const writer = await begin();
    const stamps = await node.tags.peek([tag, coarse]);
    await writer.commit();
    const bulk = await begin();
    await node.tags.fence([coarse], [], bulk);
    await bulk.commit();
    await fill(await miss({ ...row, tag: 'things:2', key: 'row things:2' }), '2');
    expect(await node.tags.store(stored(stamps, '"old"'), writer, { fenceFirst: true })).toBe(false);
    expect(await bodyOf()).toBeUndefined();
  });

  it('written through is stored and fenced in one step', async () => {
    const reader = await miss();
    const before = await snapshot();
    const writer = await begin();
    const stamps = await node.tags.peek([tag, coarse]);
    await writer.commit();
    expect(await node.tags.store(stored(stamps, '"new"'), writer, { fenceFirst: true })).toBe(true);
    expect(await bodyOf()).toBe('"new"');
    expect(await fill(reader, '"old"', before)).toBeUndefined();
    expect(await field('stamp')).not.toBe(stamps.get(tag));
  });

  it('written through is fenced even where it may not be stored', async () => {
    await fill(await miss(), '"old"');
    const writer = await begin();
    const stamps = await node.tags.peek([tag, coarse]);
    await node.tags.invalidate([tag]);
    await fill(await miss(), '"old"');
    await writer.commit();
    expect(await node.tags.store(stored(stamps, '"new"'), writer, { fenceFirst: true })).toBe(false);
    expect(await bodyOf()).toBeUndefined();
  });

  it('that was certainly rolled back is not pending any more, and only it', async () => {
    const [lost, alive] = [await begin(), await begin()];
    await node.tags.fence([tag], [], lost);
    await node.tags.fence([tag], [], alive);
    await lost.rollback();
    await node.tags.rolledBack([tag], lost.xid);
    expect(await field('pend')).toBe(alive.xid);
  });
});

describe('a generation', () => {
  it('does not accept a load that a writer of before its epoch may have missed', async () => {
    const writer = await begin();
    await node.connection.renewGeneration();
    expect(await fill(await miss(), '"old"')).toBeUndefined();
    expect(await fill(await miss(list), '"old"')).toBeUndefined();
    await writer.commit();
    expect(await fill(await miss(), '"new"')).toBeDefined();
    expect(await fill(await miss(list), '"new"')).toBeDefined();
  });

  it('makes everything of the one before unreachable', async () => {
    await fill(await miss(), '1');
    await node.connection.renewGeneration();
    expect(await bodyOf()).toBeUndefined();
  });

  it('leaves nothing behind in Redis once the next one has begun', async () => {
    const before = node.connection.gen;
    await fill(await miss(), '1');
    await fill(await miss(list), '1');
    await node.connection.renewGeneration();
    const left = () => node.connection.command(node.connection.gen, (client) => client.keys(`*${before}*`));
    for (let tries = 0; (await left()).length > 0 && tries < 500; tries += 1)
      await new Promise((resolve) => setTimeout(resolve, 10));
    expect(await left()).toEqual([]);
  });

  it('that another node has begun is noticed by the next command, which bypasses', async () => {
    const other = await startCacheNode(database.url, redis.url);
    await fill(await miss(), '1');
    await other.connection.renewGeneration();
    expect(await node.l2.read(row)).toEqual({ outcome: 'bypass', reason: 'no-epoch' });
    await expect(node.tags.fence([tag], [], await begin())).rejects.toMatchObject({ reason: expect.any(String) });
    await other.close();
    await until(() => node.connection.state === 'closed');
    expect((await node.l2.read(row)).outcome).toBe('miss');
  });

  it('begins anew after a flush', async () => {
    await fill(await miss(), '1');
    const before = node.connection.gen;
    await node.connection.command(before, (client) => client.flushAll());
    expect((await node.l2.read(row)).outcome).toBe('bypass');
    await until(() => node.connection.state === 'closed');
    expect(node.connection.gen).not.toBe(before);
  });

  it('is shared by every node that meets the same servers', async () => {
    const other = await startCacheNode(database.url, redis.url);
    expect(other.connection.gen).toBe(node.connection.gen);
    await other.close();
  });

  it('is not taken over from a server that is another one than it was', async () => {
    const before = node.connection.gen;
    await node.connection.command(before, (client) => client.hSet(recordKey, 'run_id', 'another server'));
    node.connection.reset('test');
    await until(() => node.connection.state === 'closed');
    expect(node.connection.gen).not.toBe(before);
  });
});

it('scripts are loaded again after SCRIPT FLUSH', async () => {
  await fill(await miss(), '1');
  await node.connection.command(node.connection.gen, (client) => client.scriptFlush());
  expect(await bodyOf()).toBe('1');
});

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition() && tries < 500; tries += 1) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(condition()).toBe(true);
}
