import { judge } from '../../verify/checker/verdict.mjs';
import { HistoryBuilder } from './history-builder.js';

const phantomsOf = (history: HistoryBuilder) =>
  judge(history.build()).findings.phantoms.map(({ key, why }) => [key, why]);
const verdictOf = (history: HistoryBuilder) => judge(history.build()).verdict;

describe('a list in an order', () => {
  const named = () =>
    new HistoryBuilder('ttl')
      .write([1, 2], 2, { key: 1, category: 'a', name: 'pear' })
      .write([3, 4], 2, { key: 2, category: 'a', name: 'apple' });
  const sorted = (sort: 'id' | 'name' | '-name', ...keys: number[]) => {
    const history = named().build();
    const name = (key: number) => (key === 1 ? 'pear' : 'apple');
    history.reads.push({
      ...{ node: 1, category: 'a', sort, invokedMs: 5, completedMs: 6, outcome: 'ok', cacheStatus: '' },
      rows: keys.map((key) => [key, 2, name(key)]),
    });
    return judge(history).findings.phantoms.map(({ why }) => why);
  };

  it('is right by the names and ids that it shows', () => {
    expect(sorted('name', 2, 1)).toEqual([]);
    expect(sorted('-name', 1, 2)).toEqual([]);
    expect(sorted('id', 1, 2)).toEqual([]);
  });

  it('is broken in another order, under any policy', () => {
    expect(sorted('name', 1, 2)).toEqual(['out of order: the list is sorted by name']);
    expect(sorted('-name', 2, 1)).toEqual(['out of order: the list is sorted by -name']);
    expect(sorted('id', 2, 1)).toEqual(['out of order: the list is sorted by id']);
  });
});

describe('a list is one moment of the database', () => {
  const both = { 1: 2, 2: 2 };
  const moved = (policy: 'ttl' | 'strict' = 'ttl') =>
    new HistoryBuilder(policy).write([1, 2], 2, { key: 2, category: 'a' });

  it('may be old as a whole under a weak policy', () => {
    const history = moved().write([10, 20], 2).write([30, 40], 3, { key: 2, category: 'a' });
    expect(verdictOf(history.list([50, 51], 'a', { 1: 1, 2: 2 }))).toBe('kept');
  });

  it('is torn if a row was replaced before another one that it shows was written', () => {
    const history = moved().write([10, 20], 2).write([30, 40], 3, { key: 2, category: 'a' });
    const torn = history.list([50, 51], 'a', { 1: 1, 2: 3 });
    expect(phantomsOf(torn)).toEqual([[1, 'torn: replaced before another row of the list was written']]);
    expect(verdictOf(torn)).toBe('broken');
  });

  it('shows each transaction whole or not at all', () => {
    const one = { key: 1, version: 2, name: 'write 1', category: 'a', tx: '77' };
    const other = { key: 2, version: 2, name: 'write 2', category: 'a', tx: '77' };
    const seed = { key: 2, version: 1, name: 'seed 2', category: 'a' };
    const history = () => {
      const builder = new HistoryBuilder('ttl').write([10, 20], 2).write([10, 20], 2, { key: 2, category: 'a' });
      builder.build().seeds[1] = seed;
      return builder.committed(one, other);
    };
    expect(phantomsOf(history().list([12, 15], 'a', both))).toEqual([]);
    expect(phantomsOf(history().list([12, 15], 'a', { 1: 1, 2: 1 }))).toEqual([]);
    expect(phantomsOf(history().list([12, 15], 'a', { 1: 2, 2: 1 }))).toEqual([
      [2, 'torn: without what the transaction of 1 wrote'],
    ]);
  });
});

describe('rows that come and go', () => {
  const key = 'documents:d';
  const created = { key, version: 1, name: 'made', category: 'documents/red', era: 0, tx: '1' };
  const removed = { key, version: 2, name: 'gone', category: null, era: 0, tx: '2' };
  const life = () =>
    new HistoryBuilder('strict')
      .write([10, 20], undefined, { key, name: 'made', category: created.category, outcome: 'ok' })
      .write([30, 40], undefined, { key, name: 'gone', category: '', outcome: 'ok' })
      .committed(created, removed);
  const shown = [[key, 1, 'made']] as [string, number, string][];

  it('are absent before and after, and there in between', () => {
    const history = life().absent([5, 9], key).read([21, 22], 1, 'made', { key, rows: shown }).absent([41, 42], key);
    expect(judge(history.build())).toMatchObject({ verdict: 'kept', stale: 0, phantoms: 0, lostWrites: 0 });
  });

  it('are stale if absent once there, or there once removed', () => {
    expect(judge(life().absent([21, 22], key).build())).toMatchObject({ verdict: 'broken', stale: 1 });
    const undead = life().read([41, 42], 1, 'made', { key, rows: shown });
    expect(judge(undead.build())).toMatchObject({ verdict: 'broken', stale: 1 });
  });

  it('are in the lists of their category and in those of everything', () => {
    for (const list of ['documents/red', 'documents/']) {
      expect(verdictOf(life().list([21, 22], list, {}))).toBe('broken');
      expect(verdictOf(life().list([5, 9], list, {}).list([41, 42], list, {}))).toBe('kept');
    }
    expect(verdictOf(life().list([21, 22], 'documents/blue', {}))).toBe('kept');
  });

  it('were written by whoever named them, where the answer has no version', () => {
    const history = new HistoryBuilder('strict').write([1, 2], undefined, { key, name: 'made', outcome: 'ok' });
    expect(judge(history.committed().build())).toMatchObject({ verdict: 'broken', lostWrites: 1 });
  });
});

describe('a row and a list in one answer', () => {
  it('are judged as both', () => {
    const history = () => new HistoryBuilder('strict').write([10, 20], 2);
    const answer = (...rows: [number, number, string][]) => history().list([30, 31], 'b', {}, { key: 1, rows }).build();
    expect(judge(answer([1, 2, 'write 1'], [2, 1, 'seed 2']))).toMatchObject({ verdict: 'kept', phantoms: 0 });
    expect(judge(answer([1, 1, 'seed 1'], [2, 1, 'seed 2']))).toMatchObject({ verdict: 'broken', stale: 1 });
    expect(judge(answer([1, 2, 'write 1']))).toMatchObject({ verdict: 'broken', phantoms: 1 });
  });
});

it('a tag that nobody has seen on a body shows nothing', () => {
  const read = { rows: [], etag: '/items/1 "x"', via: 'HEAD' } as const;
  const history = new HistoryBuilder('strict').read([1, 2], 1, undefined, { ...read, rows: [] });
  expect(judge(history.build())).toMatchObject({ verdict: 'kept', reads: 1, observations: 0 });
});
