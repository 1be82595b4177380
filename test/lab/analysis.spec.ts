import { compare, promiseOfStrictKept, theoryOf } from '../../lab/analysis/order.mjs';
import { lateReads, staleness } from '../../lab/analysis/late.mjs';
import { loadsBetween, series } from '../../lab/analysis/series.mjs';
import { table } from '../../lab/report/table.mjs';
import { check } from '../../verify/checker/check.mjs';
import { HistoryBuilder } from '../verify/history-builder.js';
import { resultOf } from './made-up.js';

describe('an old answer', () => {
  const late = (history: HistoryBuilder) => lateReads(check(history.build()).stale, 0);

  it('is late from the acknowledgement of the first newer version', () => {
    const history = new HistoryBuilder('invalidate').write([10, 20], 2).write([30, 40], 3).read([50, 51], 1);
    expect(late(history)).toEqual([{ atMs: 50, lateMs: 30, source: 'service', node: 1 }]);
  });

  it('is none before that, nor if it shows what is newest', () => {
    expect(late(new HistoryBuilder('invalidate').write([10, 20], 2).read([19, 25], 1).read([50, 51], 2))).toEqual([]);
  });

  it('is told apart by who wrote what it misses', () => {
    const bySql = new HistoryBuilder('strict').write([10, 20], 2, { source: 'sql', node: -1 }).read([50, 51], 1);
    expect(late(bySql)).toMatchObject([{ source: 'sql', lateMs: 30 }]);
    const cutOff = new HistoryBuilder('invalidate').fault('partition', [0, 90], 0).write([10, 20], 2).read([50, 51], 1);
    expect(late(cutOff)).toMatchObject([{ source: 'cut', lateMs: 30 }]);
  });

  it('counts for the service as soon as any newer version came through it', () => {
    const both = new HistoryBuilder('strict')
      .write([10, 20], 2, { source: 'sql', node: -1 })
      .write([30, 40], 3)
      .read([50, 51], 1);
    expect(staleness(late(both), ['service', 'cut'])).toEqual({ reads: 1, worstMs: 10 });
    expect(staleness(late(both), ['sql'])).toEqual({ reads: 0, worstMs: 0 });
  });
});

describe('loads from the database', () => {
  it('are counted on by a node that has started again', () => {
    const samples = [
      { atMs: 0, node: 0, count: 5 },
      { atMs: 0, node: 1, count: 0 },
      { atMs: 500, node: 0, count: 9 },
      { atMs: 500, node: 1, count: 1 },
      { atMs: 1_500, node: 0, count: 3 },
    ];
    expect(loadsBetween(samples).map(({ count }) => count)).toEqual([4, 1, 3]);
  });

  it('are spread over the time in which they happened', () => {
    const loads = [
      { atMs: 500, node: 0, count: 0 },
      { atMs: 1_500, node: 0, count: 10 },
    ];
    const points = series({ reads: [], loads }, 2_000, 1_000);
    expect(points.map(({ loadsPerSecond }) => loadsPerSecond)).toEqual([5, 5]);
    expect(points.map(({ hitRatio }) => hitRatio)).toEqual([null, null]);
  });
});

describe('the order of the policies', () => {
  const as = (policy: 'ttl' | 'invalidate' | 'write-through' | 'strict', reads: number, worstMs: number) =>
    resultOf(policy, { stale: { reads, worstMs } });
  const theory = [as('ttl', 90, 5_000), as('invalidate', 9, 500), as('write-through', 8, 510), as('strict', 0, 0)];

  it('is what the theory says', () => {
    expect(compare(theory).every(({ holds }) => holds)).toBe(true);
    expect(theoryOf(theory)).toBe('ttl > invalidate, write-through > strict = 0');
    expect(table(theory)).toContain('as the theory says: ttl > invalidate, write-through > strict = 0');
  });

  it('is said not to have come out where it did not', () => {
    const other = [as('ttl', 90, 400), as('invalidate', 9, 500), as('strict', 0, 0)];
    const failed = compare(other).filter(({ holds }) => !holds);
    expect(failed.map(({ text }) => text)).toEqual(['ttl > invalidate']);
    expect(table(other)).toContain('NOT THE ORDER THAT THE THEORY SAYS: ttl > invalidate');
  });

  it('is asked of those that ran', () => {
    expect(compare([as('ttl', 1, 1)])).toEqual([]);
    expect(compare([as('ttl', 9, 9), as('strict', 0, 0)]).map(({ text }) => text)).toEqual(['strict = 0']);
  });

  it('is not kept by a strict that showed something old, or new and then old; sql is apart', () => {
    expect(promiseOfStrictKept(theory)).toBe(true);
    expect(promiseOfStrictKept([as('strict', 1, 3)])).toBe(false);
    expect(promiseOfStrictKept([resultOf('strict', { inversions: 1 })])).toBe(false);
    expect(promiseOfStrictKept([resultOf('strict', { staleSql: { reads: 4, worstMs: 80 } })])).toBe(true);
  });
});
