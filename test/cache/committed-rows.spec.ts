import { life, list, ProtocolBench, row } from '../support/protocol-bench.js';

const bench = new ProtocolBench();
const { begin, bodyOf, field, fill, miss, snapshot } = bench;
const { tag, coarse } = row;

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
    const { stamps } = await bench.node.tags.fence([tag], [coarse], writer);
    await writer.commit();
    expect(await bench.node.tags.release(stored(stamps, '"new"'), writer)).toBe(true);
    expect(await bodyOf()).toBe('"new"');
  });

  it('is not released once a later writer has fenced it', async () => {
    const writer = await begin();
    const { stamps } = await bench.node.tags.fence([tag], [coarse], writer);
    await writer.commit();
    const later = await begin();
    await bench.node.tags.fence([tag], [], later);
    expect(await bench.node.tags.release(stored(stamps, '"old"'), writer)).toBe(false);
    expect(await bodyOf()).toBeUndefined();
  });

  it('is not released over a value that a reader has filled meanwhile', async () => {
    const writer = await begin();
    const { stamps } = await bench.node.tags.fence([tag], [coarse], writer);
    await writer.commit();
    await fill(await miss(), '"raw SQL came after"');
    expect(await bench.node.tags.release(stored(stamps, '"old"'), writer)).toBe(false);
    expect(await bodyOf()).toBe('"raw SQL came after"');
  });

  it('is not stored once unknown rows have changed since its stamps were read', async () => {
    const writer = await begin();
    const stamps = await bench.node.tags.peek([tag, coarse]);
    await writer.commit();
    const bulk = await begin();
    await bench.node.tags.fence([coarse], [], bulk);
    await bulk.commit();
    await fill(await miss({ ...row, tag: 'things:2', key: 'row things:2' }), '2');
    expect(await bench.node.tags.fenceAndStore(stored(stamps, '"old"'), [], writer)).toBe(false);
    expect(await bodyOf()).toBeUndefined();
  });

  it('written through is stored and fenced in one step', async () => {
    const reader = await miss();
    const before = await snapshot();
    const writer = await begin();
    const stamps = await bench.node.tags.peek([tag, coarse]);
    await writer.commit();
    expect(await bench.node.tags.fenceAndStore(stored(stamps, '"new"'), [], writer)).toBe(true);
    expect(await bodyOf()).toBe('"new"');
    expect(await fill(reader, '"old"', before)).toBeUndefined();
    expect(await field('stamp')).not.toBe(stamps.get(tag));
  });

  it.each([true, false])('written through is fenced together with its lists, stored or not: %s', async (kept) => {
    await fill(await miss(list), '"old"');
    expect(await bodyOf(list)).toBe('"old"');
    const writer = await begin();
    const stamps = await bench.node.tags.peek([tag, coarse]);
    await writer.commit();
    if (!kept) await bench.node.tags.invalidate([tag]);
    expect(await bench.node.tags.fenceAndStore(stored(stamps, '"new"'), ['things'], writer)).toBe(kept);
    expect(await bodyOf(list)).toBeUndefined();
  });

  it('written through is fenced even where it may not be stored', async () => {
    await fill(await miss(), '"old"');
    const writer = await begin();
    const stamps = await bench.node.tags.peek([tag, coarse]);
    await bench.node.tags.invalidate([tag]);
    await fill(await miss(), '"old"');
    await writer.commit();
    expect(await bench.node.tags.fenceAndStore(stored(stamps, '"new"'), [], writer)).toBe(false);
    expect(await bodyOf()).toBeUndefined();
  });

  it('that was certainly rolled back is not pending any more, and only it', async () => {
    const [lost, alive] = [await begin(), await begin()];
    await bench.node.tags.fence([tag], [], lost);
    await bench.node.tags.fence([tag], [], alive);
    await lost.rollback();
    await bench.node.tags.rolledBack([tag], lost.xid);
    expect(await field('pend')).toBe(alive.xid);
  });

  it('is fenced by the feed where its writer has not, and only there', async () => {
    await fill(await miss(), '"old"');
    const [known, missed] = [await begin(), await begin()];
    const stamps = await bench.node.tags.peek([tag, coarse]);
    await known.commit();
    await bench.node.tags.fenceAndStore(stored(stamps, '"new"'), [], known);
    expect(await bench.node.tags.fenceMissed([tag, 'things'], known)).toEqual(['things']);
    expect(await bodyOf()).toBe('"new"');
    await missed.commit();
    expect(await bench.node.tags.fenceMissed([tag], missed)).toEqual([tag]);
    expect(await bodyOf()).toBeUndefined();
    expect(await fill(await miss(), '"newer"')).toBeDefined();
  });
});
