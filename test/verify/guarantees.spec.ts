import { upperBound } from '../../verify/checker/history.mjs';
import { judge } from '../../verify/checker/verdict.mjs';
import { parseCacheStatus } from '../../verify/workload/cache-status.mjs';
import { HistoryBuilder } from './history-builder.js';

const weak = () => new HistoryBuilder('write-through');
const judged = (history: HistoryBuilder) => judge(history.build());

describe('write-through and invalidate', () => {
  it('may be stale for a lease and a deadline, and no longer', () => {
    expect(judged(weak().write([0, 10], 2).read([129, 130], 1))).toMatchObject({ verdict: 'kept', stale: 1 });
    expect(judged(weak().write([0, 10], 2).read([131, 132], 1))).toMatchObject({ verdict: 'broken', stale: 1 });
    expect(judged(new HistoryBuilder('invalidate').write([0, 10], 2).read([131, 132], 1)).verdict).toBe('broken');
  });

  it('tell a reader that was cut off from one that was merely told late', () => {
    const { apart } = judged(weak().fault('bus-partition', [5, 50], 1).write([0, 10], 2).read([60, 61], 1));
    expect(apart).toMatchObject({ unheard: { count: 1, worstMs: 50 }, unexplained: { count: 0 } });
    expect(judged(weak().write([0, 10], 2).read([12, 13], 1)).apart).toMatchObject({
      unexplained: { count: 1, worstMs: 2 },
    });
  });

  it('may be new-then-old until the write is acknowledged', () => {
    expect(judged(weak().write([0, 90], 2).read([5, 6], 2).read([7, 8], 1))).toMatchObject({
      verdict: 'kept',
      inversions: 1,
    });
  });

  it('report apart what a writer without Redis has written, and sql', () => {
    const partitioned = weak().fault('partition', [0, 20], 0).write([5, 10], 2).read([900, 901], 1);
    expect(judged(partitioned)).toMatchObject({ verdict: 'kept', apart: { undelivered: { count: 1, worstMs: 890 } } });
    const elsewhere = weak().fault('partition', [0, 20], 2).write([5, 10], 2).read([900, 901], 1);
    expect(judged(elsewhere).verdict).toBe('broken');
    const sql = weak().write([5, 10], 2, { source: 'sql', node: -1 }).read([900, 901], 1);
    expect(judged(sql)).toMatchObject({ verdict: 'kept', apart: { sql: { count: 1, worstMs: 890 } } });
  });

  it('take a node at its word when it says that it has lost Redis', () => {
    const lost = 'strata-db; fwd=bypass; detail=redis, strata-api; fwd=bypass; detail=redis';
    const said = (atMs: number, node: number) =>
      weak()
        .write([5, 10], 2)
        .read([atMs - 1, atMs], 2, undefined, { node, cacheStatus: lost })
        .read([900, 901], 1);
    expect(judged(said(200, 0)).apart).toMatchObject({ undelivered: { count: 1 } });
    expect(judged(said(200, 1)).verdict).toBe('broken');
    expect(judged(said(600, 0)).verdict).toBe('broken');
  });

  it('answer for a write that came after one that could not be told', () => {
    const history = weak()
      .fault('partition', [0, 20], 0)
      .write([5, 10], 2)
      .write([30, 40], 3, { node: 1 })
      .read([900, 901], 1);
    expect(judged(history)).toMatchObject({ verdict: 'broken', worstStalenessMs: 890 });
  });

  it('do not answer for a list that only an untold write has left', () => {
    const history = weak()
      .write([0, 10], 2, { category: 'b', source: 'sql', node: -1 })
      .write([20, 30], 3, { category: 'b' })
      .list([900, 901], 'a', { 1: 1 });
    expect(judged(history)).toMatchObject({ verdict: 'kept', apart: { sql: { count: 1 } } });
  });

  it('never outlive their TTL, jitter and stale window, whoever wrote', () => {
    const sql = (atMs: number) =>
      weak()
        .write([5, 10], 2, { source: 'sql', node: -1 })
        .read([atMs, atMs + 1], 1);
    expect(judged(sql(1_610)).verdict).toBe('kept');
    expect(judged(sql(1_611)).verdict).toBe('broken');
  });
});

describe('ttl', () => {
  it('may be stale and inverted until TTL, jitter and stale window are over', () => {
    const at = (ms: number) =>
      new HistoryBuilder('ttl')
        .write([0, 10], 2)
        .read([11, 12], 2)
        .read([ms, ms + 1], 1);
    expect(judged(at(1_610))).toMatchObject({ verdict: 'kept', stale: 1, inversions: 1 });
    expect(judged(at(1_612))).toMatchObject({ verdict: 'broken', worstStalenessMs: 1_602 });
  });
});

describe('strict', () => {
  it('answers for writers without Redis, too', () => {
    const history = new HistoryBuilder('strict').fault('partition', [0, 20], 0).write([5, 10], 2).read([30, 31], 1);
    expect(judged(history).verdict).toBe('broken');
  });

  it('answers for a write that nobody knew of, once sql has gone on from it', () => {
    const history = new HistoryBuilder('strict')
      .write([0, 5], undefined, { name: 'unanswered' })
      .write([10, 20], 3, { source: 'sql', node: -1 })
      .committed(
        { key: 1, version: 2, name: 'unanswered', category: 'a' },
        { key: 1, version: 3, name: 'write 1', category: 'a' },
      )
      .read([30, 31], 1);
    expect(judged(history)).toMatchObject({ verdict: 'broken', stale: 1 });
  });

  it('reports sql apart', () => {
    const history = new HistoryBuilder('strict').write([0, 10], 2, { source: 'sql', node: -1 }).read([30, 31], 1);
    expect(judged(history)).toMatchObject({ verdict: 'kept', stale: 0, apart: { sql: { count: 1 } } });
  });
});

describe('whatever the policy', () => {
  it.each(['ttl', 'invalidate', 'write-through', 'strict'] as const)('%s leaves nothing stale for ever', (policy) => {
    expect(judged(new HistoryBuilder(policy).left(2, 2))).toMatchObject({ verdict: 'kept', leftStale: 0 });
    expect(judged(new HistoryBuilder(policy).left(1, 2))).toMatchObject({ verdict: 'broken', leftStale: 1 });
  });

  it('a zero comes with its 95 % bound', () => {
    expect(upperBound(200_000)).toBeCloseTo(1.5e-5);
    expect(upperBound(0)).toBe(1);
    expect(judged(weak().read([1, 2], 1).read([3, 4], 1)).bound95.perRead).toBe(1.5);
  });

  it('reads are counted by where they were answered', () => {
    const { hits, miss, bypass, reads } = judged(
      weak()
        .read([1, 2], 1)
        .read([3, 4], 1, undefined, {
          cacheStatus: 'strata-db; hit; detail=l1; strata-policy=ttl, strata-api; fwd=uri-miss; stored',
        })
        .read([5, 6], 1, undefined, {
          cacheStatus: 'strata-db; fwd=uri-miss; stored, strata-api; fwd=uri-miss; stored',
        })
        .read([7, 8], 1, undefined, {
          cacheStatus: 'strata-db; fwd=bypass; detail=redis, strata-api; fwd=bypass; detail=redis',
        }),
    );
    expect({ hits, miss, bypass, reads }).toEqual({
      hits: { api: { l1: 0, l2: 1 }, db: { l1: 1, l2: 0 } },
      miss: 1,
      bypass: 1,
      reads: 4,
    });
  });

  it('a hit past freshness is told from a fresh one', () => {
    expect(parseCacheStatus('strata-api; hit; ttl=-3; detail=l2')).toMatchObject({
      hit: true,
      level: 'l2',
      stale: true,
    });
    expect(parseCacheStatus('')).toMatchObject({ hit: false, bypass: true });
  });
});
