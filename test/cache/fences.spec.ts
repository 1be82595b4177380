import { tagKey } from '../../src/cache/testing.js';
import { life, list, ProtocolBench, row } from '../support/protocol-bench.js';

const bench = new ProtocolBench();
const { begin, bodyOf, field, fill, miss, snapshot } = bench;
const { tag, coarse } = row;

describe.each([
  ['row', row, tag],
  ['list', list, 'things'],
])('a fenced %s', (_, address, fenced) => {
  it('is a miss, and no fill is accepted, while its writer may still commit', async () => {
    await fill(await miss(address), '"old"');
    const writer = await begin();
    await bench.node.tags.fence([fenced], writer);
    expect(await bodyOf(address)).toBeUndefined();
    expect(await fill(await miss(address), '"old"')).toBeUndefined();
  });

  it('is filled again by the first load that sees the writer', async () => {
    const writer = await begin();
    await bench.node.tags.fence([fenced], writer);
    await writer.commit();
    expect(await fill(await miss(address), '"new"')).toBeDefined();
    expect(await bodyOf(address)).toBe('"new"');
  });

  it('is filled again after its writer died', async () => {
    const writer = await begin();
    await bench.node.tags.fence([fenced], writer);
    await writer.rollback();
    expect(await fill(await miss(address), '"old"')).toBeDefined();
  });

  it('refuses a load that began before the fence, although it comes back after the commit', async () => {
    const ticket = await miss(address);
    const before = await snapshot();
    const writer = await begin();
    await bench.node.tags.fence([fenced], writer);
    await writer.commit();
    expect(await fill(ticket, '"old"', before)).toBeUndefined();
    expect(await bodyOf(address)).toBeUndefined();
  });

  it('refuses a load whose ticket is newer than the fence but whose snapshot is older than the commit', async () => {
    const writer = await begin();
    await bench.node.tags.fence([fenced], writer);
    const ticket = await miss(address);
    const before = await snapshot();
    await writer.commit();
    expect(await fill(ticket, '"old"', before)).toBeUndefined();
  });

  it('refuses a load that has seen a later writer, but not this one', async () => {
    const writer = await begin();
    await bench.node.tags.fence([fenced], writer);
    const seen = `${writer.xid}:${Number(writer.xid) + 10}:${writer.xid}`;
    expect(await fill(await miss(address), '"old"', seen)).toBeUndefined();
  });

  it('never expires while a writer is pending, and does once nothing is', async () => {
    const { connection, tags } = bench.node;
    const ttl = () => connection.command(connection.gen, (client) => client.pTTL(tagKey(connection.gen, fenced)));
    const writer = await begin();
    await tags.fence([fenced], writer);
    expect(await ttl()).toBe(-1);
    // Not by an entry that is made of it, and not by an operator.
    const entry = { kind: 'response', key: 'response /things' } as const;
    const dependencies = (await bench.node.l2.stamps([fenced]))!;
    await bench.node.l2.fill(await miss(entry), { body: '1', dependencies, ...life });
    expect(await ttl()).toBe(-1);
    await tags.invalidate([fenced]);
    expect(await ttl()).toBe(-1);
    await writer.commit();
    await fill(await miss(address), '1');
    expect(await ttl()).toBeGreaterThan(0);
  });

  it('keeps its fence bounded under many writers and no reader', async () => {
    for (let n = 0; n < 40; n += 1) {
      const writer = await begin();
      await bench.node.tags.fence([fenced], writer);
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
      await bench.node.tags.fence([fenced], { ...writer, xmin: String(BigInt(writer.xid) + 1n) });
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
    await bench.node.tags.fence([tag], writer);
    expect(await fill(ticket, '1')).toBeUndefined();
    await writer.commit();
    expect(await fill(ticket, '1')).toBeUndefined();
  });

  it('is one of a bounded number, however many readers die with theirs', async () => {
    for (let n = 0; n < 200; n += 1) await miss();
    const size = await bench.node.connection.command(bench.node.connection.gen, (c) =>
      c.hLen(tagKey(bench.node.connection.gen, tag)),
    );
    expect(size).toBeLessThan(80);
  });

  it('is void once unknown rows have changed, although its own tag was left alone', async () => {
    const ticket = await miss();
    const before = await snapshot();
    const writer = await begin();
    await bench.node.tags.fence([coarse], writer);
    await writer.commit();
    // Another row's fill has seen the writer and cleared it; the coarse tag looks idle again.
    await fill(await miss({ ...row, tag: 'things:2', key: 'row things:2' }), '2');
    expect(await fill(ticket, '"old"', before)).toBeUndefined();
  });
});

describe('unknown rows that have changed', () => {
  it('make every row a miss, for good', async () => {
    const { connection } = bench.node;
    await fill(await miss(), '"old"');
    // What the coarse tag says of all rows is never forgotten.
    expect(await connection.command(connection.gen, (client) => client.pTTL(tagKey(connection.gen, coarse)))).toBe(-1);
    const writer = await begin();
    await bench.node.tags.fence([coarse], writer);
    expect(await bodyOf()).toBeUndefined();
    await writer.commit();
    await fill(await miss({ ...row, tag: 'things:2', key: 'row things:2' }), '2');
    expect(await bodyOf()).toBeUndefined();
  });

  it('make every list a miss', async () => {
    await fill(await miss(list), '"old"');
    await bench.node.tags.fence([coarse], await begin());
    expect(await bodyOf(list)).toBeUndefined();
  });

  it('refuse a row whose load has not seen them', async () => {
    const writer = await begin();
    await bench.node.tags.fence([coarse], writer);
    expect(await fill(await miss(), '"old"')).toBeUndefined();
    await writer.commit();
    expect(await fill(await miss(), '"new"')).toBeDefined();
  });
});

it('an absent stamp serves nothing', async () => {
  await fill(await miss(), '1');
  expect(await bench.node.l2.confirms([{ tag, stamp: (await field('stamp'))! }])).toBe(true);
  expect(await bench.node.l2.confirms([{ tag: 'things:404', stamp: '' }])).toBe(false);
});
