import fc from 'fast-check';
import { fenced, filledRow, freshTag, provenFor, type TagState } from '../../src/cache/core/decisions.js';
import { sees, type Snapshot } from '../../src/cache/core/snapshot.js';
import { ProtocolBench, row } from '../support/protocol-bench.js';

/** A little more than a fence tells apart. */
const many = 260;

describe('a fence, however long it has grown', () => {
  it('refuses every load that has missed one of its writers', () => {
    const writer = fc.record({ xid: fc.integer({ min: 1, max: 9_000 }), lag: fc.nat(40), filled: fc.boolean() });
    const snapshot = fc
      .record({ xmin: fc.integer({ min: 1, max: 9_000 }), span: fc.nat(9_000), running: fc.array(fc.nat(60)) })
      .map(({ xmin, span, running }): Snapshot => {
        const between = running.filter((more) => more < span).map((more) => xmin + more);
        return { xmin, xmax: xmin + span, running: between };
      });
    const writers = fc.oneof(
      fc.array(writer, { maxLength: 30 }),
      fc.array(writer, { minLength: many, maxLength: 2 * many, size: 'max' }),
    );
    fc.assert(
      fc.property(writers, snapshot, (all, load) => {
        let tag: TagState = freshTag('fresh');
        for (const { xid, lag, filled } of all) {
          // Whoever has ended is seen by every later load, hence by this one: xmin can be no later than its own.
          const xmin = Math.min(xid - lag, load.xmin);
          tag = fenced(tag, xid, xmin, 'next');
          if (filled) tag = filledRow(tag, '{}', 'coarse', { xmin, xmax: xid, running: [] });
        }
        const missed = all.some(({ xid }) => !sees(load, xid));
        return !missed || !provenFor(tag, load);
      }),
      { numRuns: 100 },
    );
  });

  it('remembers the first of many writers that are all still running', () => {
    let tag: TagState = freshTag('fresh');
    for (let n = 0; n < many; n += 1) tag = fenced(tag, 1_000 + n, 1, 'next');
    expect(provenFor(tag, { xmin: 1_000, xmax: 2_000, running: [1_000] })).toBe(false);
    expect(provenFor(tag, { xmin: 1_000 + many, xmax: 2_000, running: [] })).toBe(true);
  });

  const bench = new ProtocolBench();

  it('in Redis, too: a load that missed the first of many running writers is refused', async () => {
    const first = Number((await bench.snapshot()).split(':')[1]) + 1_000;
    const ticket = async () => {
      for (let n = 0; n < many; n += 1) await bench.node.tags.fence([row.tag], { xid: String(first + n), xmin: '1' });
      return bench.miss();
    };
    const load = (running: string) => `${first}:${first + 2 * many}:${running}`;
    expect(await bench.fill(await ticket(), '"old"', load(String(first)))).toBeUndefined();
    const later = `${first + many}:${first + many}:`;
    expect(await bench.fill(await bench.miss(), '"new"', later)).toBeDefined();
  });

  it('in Redis, too: a load that has seen all of them is accepted, although somebody older is still running', async () => {
    const first = Number((await bench.snapshot()).split(':')[1]) + 1_000;
    for (let n = 0; n < 20; n += 1) await bench.node.tags.fence([row.tag], { xid: String(first + n), xmin: '1' });
    const older = first - 500;
    expect(await bench.fill(await bench.miss(), '"new"', `${older}:${first + 20}:${older}`)).toBeDefined();
  });
});
