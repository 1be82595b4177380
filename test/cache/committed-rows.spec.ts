import { type Tickets, type Writer } from '../../src/cache/testing.js';
import { life, list, ProtocolBench, row } from '../support/protocol-bench.js';

const bench = new ProtocolBench();
const { begin, bodyOf, field, fill, miss, snapshot } = bench;
const { tag, coarse } = row;
type RowTicket = NonNullable<ReturnType<Tickets['get']>>;

describe('a committed row', () => {
  const fenceRow = async (writer: Writer, further: readonly string[] = []): Promise<RowTicket> => {
    const { tickets } = await bench.node.tags.fence([tag, ...further], writer, { rows: new Map([[tag, coarse]]) });
    return tickets.get(tag)!;
  };
  const written = async (ticket: RowTicket, body: string) => ({
    ...{ tag, coarse, ticket, body, ...life },
    snapshot: await snapshot(),
  });

  it.each(['before', 'after'])('is filled behind a fence %s its COMMIT: the next read is a hit', async (when) => {
    const writer = await begin();
    if (when === 'after') await writer.commit();
    const ticket = await fenceRow(writer);
    if (when === 'before') await writer.commit();
    expect(await bench.node.tags.fill(await written(ticket, '"new"'))).toBeDefined();
    expect(await bodyOf()).toBe('"new"');
  });

  it('is not filled by a load that has not seen the COMMIT', async () => {
    const writer = await begin();
    const early = await written(await fenceRow(writer), '"old"');
    await writer.commit();
    expect(await bench.node.tags.fill(early)).toBeUndefined();
    expect(await bodyOf()).toBeUndefined();
  });

  it('is not filled once a later writer has fenced it', async () => {
    const writer = await begin();
    const ticket = await fenceRow(writer);
    await writer.commit();
    const later = await begin();
    await bench.node.tags.fence([tag], later);
    expect(await bench.node.tags.fill(await written(ticket, '"old"'))).toBeUndefined();
    expect(await bodyOf()).toBeUndefined();
  });

  it('is not filled over a value that a reader has filled meanwhile', async () => {
    const writer = await begin();
    const ticket = await fenceRow(writer);
    await writer.commit();
    const mine = await written(ticket, '"old"');
    await fill(await miss(), '"raw SQL came after"');
    expect(await bench.node.tags.fill(mine)).toBeUndefined();
    expect(await bodyOf()).toBe('"raw SQL came after"');
  });

  it('is not filled once unknown rows have changed since its ticket was taken', async () => {
    const writer = await begin();
    const ticket = await fenceRow(writer);
    await writer.commit();
    const mine = await written(ticket, '"old"');
    const bulk = await begin();
    await bench.node.tags.fence([coarse], bulk);
    await bulk.commit();
    await fill(await miss({ ...row, tag: 'things:2', key: 'row things:2' }), '2');
    expect(await bench.node.tags.fill(mine)).toBeUndefined();
    expect(await bodyOf()).toBeUndefined();
  });

  it('is not filled by a load that has missed a recent writer', async () => {
    const other = await begin();
    await bench.node.tags.fence([tag], other);
    const writer = await begin();
    const ticket = await fenceRow(writer);
    await writer.commit();
    const mine = await written(ticket, '"before the other"');
    await other.commit();
    expect(await bench.node.tags.fill(mine)).toBeUndefined();
    expect(await bodyOf()).toBeUndefined();
  });

  it('is fenced together with its lists, and voids the tickets of its readers', async () => {
    await fill(await miss(list), '"old"');
    expect(await bodyOf(list)).toBe('"old"');
    const reader = await miss();
    const before = await snapshot();
    const stamp = await field('stamp');
    const writer = await begin();
    const ticket = await fenceRow(writer, ['things']);
    await writer.commit();
    expect(await bodyOf(list)).toBeUndefined();
    expect(await fill(reader, '"old"', before)).toBeUndefined();
    expect(await bench.node.tags.fill(await written(ticket, '"new"'))).toBeDefined();
    expect(await field('stamp')).not.toBe(stamp);
  });

  it('that was certainly rolled back is not pending any more, and only it', async () => {
    const [lost, alive] = [await begin(), await begin()];
    await bench.node.tags.fence([tag], lost);
    await bench.node.tags.fence([tag], alive);
    await lost.rollback();
    await bench.node.tags.rolledBack([tag], lost.xid);
    expect(await field('pend')).toBe(alive.xid);
  });

  it('is fenced by the feed where its writer has not, and only there', async () => {
    await fill(await miss(), '"old"');
    const [known, missed] = [await begin(), await begin()];
    const ticket = await fenceRow(known);
    await known.commit();
    await bench.node.tags.fill(await written(ticket, '"new"'));
    expect(await bench.node.tags.fenceMissed([{ tags: [tag, 'things'], writer: known }])).toEqual(['things']);
    expect(await bodyOf()).toBe('"new"');
    await missed.commit();
    expect(await bench.node.tags.fenceMissed([{ tags: [tag], writer: missed }])).toEqual([tag]);
    expect(await bodyOf()).toBeUndefined();
    expect(await fill(await miss(), '"newer"')).toBeDefined();
  });
});
