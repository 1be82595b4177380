import { explain } from '../../verify/checker/explain.mjs';
import { judge } from '../../verify/checker/verdict.mjs';
import { HistoryBuilder } from './history-builder.js';

const strict = () => new HistoryBuilder('strict');
const verdict = (history: HistoryBuilder) => {
  const { verdict: said, stale, inversions, phantoms, lostWrites, leftStale } = judge(history.build());
  return { said, stale, inversions, phantoms, lostWrites, leftStale };
};
const fine = { said: 'kept', stale: 0, inversions: 0, phantoms: 0, lostWrites: 0, leftStale: 0 };

describe('a history that is linearizable', () => {
  it('is one without operations', () => expect(verdict(strict())).toEqual(fine));

  it('lets a read that overlaps a write show either version', () => {
    expect(
      verdict(strict().write([10, 20], 2).read([11, 21], 1).read([12, 19], 2, 'write 1').read([22, 23], 2)),
    ).toEqual({ ...fine, inversions: 0 });
    expect(verdict(strict().write([10, 20], 2).read([11, 15], 2).read([12, 19], 1))).toEqual(fine);
  });

  it('lets a read that began before an acknowledgement answer the old version after it', () => {
    expect(verdict(strict().write([10, 20], 2).read([19, 90], 1))).toEqual(fine);
  });

  it('counts operations that meet in one instant as overlapping', () => {
    expect(verdict(strict().write([10, 20], 2).read([20, 21], 1))).toEqual(fine);
    expect(verdict(strict().write([10, 30], 2).read([11, 15], 2).read([15, 16], 1))).toEqual(fine);
  });

  it('may show every version in turn', () => {
    const history = strict().write([0, 1], 2).read([2, 3], 2).write([4, 5], 3).read([6, 7], 3).read([6, 8], 3);
    expect(verdict(history)).toEqual(fine);
  });
});

describe('a stale read', () => {
  it('began after a newer write was acknowledged', () => {
    const history = strict().write([10, 20], 2).read([20.1, 22], 1);
    expect(verdict(history)).toEqual({ ...fine, said: 'broken', stale: 1 });
    expect(judge(history.build()).worstStalenessMs).toBeCloseTo(0.1);
  });

  it('is as late as the first newer acknowledgement, not the last', () => {
    const history = strict().write([10, 20], 2).write([30, 40], 3).read([50, 51], 1);
    expect(judge(history.build()).worstStalenessMs).toBe(30);
  });

  it('is found although a still newer write is of unknown outcome', () => {
    expect(verdict(strict().write([10, 20], 2).write([21, 25], undefined).read([30, 31], 1)).stale).toBe(1);
  });

  it('counts only against its own row', () => {
    expect(verdict(strict().write([10, 20], 2, { key: 2 }).read([30, 31], 1))).toEqual(fine);
  });
});

describe('an inversion', () => {
  it('is an older version after a newer one was shown, also before the write is acknowledged', () => {
    const history = strict().write([10, 90], 2).read([20, 30], 2).read([31, 32], 1);
    expect(verdict(history)).toEqual({ ...fine, said: 'broken', inversions: 1 });
  });

  it('needs the first read to be over before the second begins', () => {
    expect(verdict(strict().write([10, 90], 2).read([20, 30], 2).read([29, 32], 1))).toEqual(fine);
  });

  it('is found across nodes and between a list and a row', () => {
    const history = strict().write([10, 90], 2).list([20, 30], 'a', { 1: 2 }).read([31, 32], 1, undefined, { node: 2 });
    expect(verdict(history).inversions).toBe(1);
  });
});

describe('a write of unknown outcome', () => {
  const lost = () => strict().write([10, 20], undefined, { name: 'lost answer' });

  it('may never be seen', () => expect(verdict(lost().read([30, 31], 1))).toEqual(fine));
  it('may be seen, also long after its end', () =>
    expect(verdict(lost().read([500, 501], 2, 'lost answer'))).toEqual(fine));
  it('may be seen before its end', () => expect(verdict(lost().read([11, 12], 2, 'lost answer'))).toEqual(fine));

  it('may not disappear again once it was seen', () => {
    expect(verdict(lost().read([30, 31], 2, 'lost answer').read([40, 41], 1))).toEqual({
      ...fine,
      said: 'broken',
      inversions: 1,
    });
  });

  it('may not be seen before it began', () => {
    expect(verdict(lost().read([5, 9], 2, 'lost answer')).phantoms).toBe(1);
  });

  it('takes its place in the order of versions when the next write is acknowledged', () => {
    const history = lost().write([30, 40], 3).read([35, 38], 2, 'lost answer').read([41, 42], 2, 'lost answer');
    expect(verdict(history)).toEqual({ ...fine, said: 'broken', stale: 1 });
  });
});

describe('a phantom', () => {
  it('is a version that nobody wrote', () =>
    expect(verdict(strict().read([1, 2], 7, 'what?'))).toMatchObject({ said: 'broken', phantoms: 1 }));

  it('is a version with the value of another one', () => {
    expect(verdict(strict().write([1, 2], 2).write([3, 4], 3).read([5, 6], 3, 'write 1')).phantoms).toBe(1);
  });

  it('is a write that was rolled back, or refused', () => {
    const doomed = strict().write([1, 2], undefined, { name: 'doomed', doomed: true }).read([3, 4], 2, 'doomed');
    expect(verdict(doomed)).toMatchObject({ said: 'broken', phantoms: 1 });
    const refused = strict()
      .write([1, 2], undefined, { name: 'refused', outcome: 'failed' })
      .read([3, 4], 2, 'refused');
    expect(verdict(refused).phantoms).toBe(1);
  });

  it('is a row that is said to be absent', () => expect(verdict(strict().absent([1, 2])).phantoms).toBe(1));
});

describe('what the database noted', () => {
  const second = { key: 1, version: 2, name: 'write 1', category: 'a' };

  it('settles what became of an unknown write', () => {
    const history = strict().write([1, 2], undefined).committed(second).read([3, 4], 2, 'write 1');
    expect(verdict(history)).toEqual(fine);
    expect(verdict(strict().write([1, 2], undefined).committed().read([3, 4], 2, 'write 1')).phantoms).toBe(1);
  });

  it('shows acknowledged writes that are lost', () => {
    expect(verdict(strict().write([1, 2], 2).committed())).toMatchObject({ said: 'broken', lostWrites: 1 });
  });

  it('shows refused writes that happened all the same', () => {
    const history = strict().write([1, 2], undefined, { outcome: 'failed' }).committed(second);
    expect(verdict(history)).toMatchObject({ said: 'broken', lostWrites: 1 });
  });

  it('shows writes that went before what was over when they began', () => {
    const third = { key: 1, version: 3, name: 'write 2', category: 'a' };
    const history = strict().write([10, 20], 2).write([1, 2], 3).committed(second, third);
    expect(verdict(history)).toMatchObject({ said: 'broken', lostWrites: 1 });
  });
});

describe('a list', () => {
  it('is checked row by row, and counts once', () => {
    const history = strict()
      .write([1, 2], 2, { key: 2, category: 'a' })
      .write([3, 4], 2)
      .write([5, 6], 3, { key: 2, category: 'a' });
    expect(verdict(history.list([7, 8], 'a', { 1: 1, 2: 2 })).stale).toBe(1);
  });

  it('must show a row that has moved into it, and not one that has moved out', () => {
    const moved = () => strict().write([1, 2], 2, { category: 'b' });
    expect(verdict(moved().list([3, 4], 'b', { 1: 2, 2: 1 }).list([3, 4], 'a', {}))).toEqual(fine);
    expect(verdict(moved().list([3, 4], 'b', { 2: 1 }))).toMatchObject({ said: 'broken', stale: 1 });
    expect(verdict(moved().list([3, 4], 'a', { 1: 1 }))).toMatchObject({ said: 'broken', stale: 1 });
  });

  it('may show either while the row moves', () => {
    const moving = () => strict().write([1, 9], 2, { category: 'b' });
    expect(verdict(moving().list([3, 4], 'b', { 2: 1 }).list([5, 6], 'b', { 1: 2, 2: 1 }))).toEqual(fine);
    expect(verdict(moving().list([3, 4], 'a', {}).list([3, 6], 'a', { 1: 1 }))).toEqual(fine);
  });

  it('is not excused by what the row did later', () => {
    const later = () => strict().write([10, 20], 2, { category: 'b' }).write([30, 40], 3);
    expect(verdict(later().list([3, 4], 'a', {})).phantoms).toBe(1);
    expect(verdict(later().list([50, 51], 'a', {}))).toMatchObject({ said: 'broken', stale: 1 });
    expect(verdict(later().list([50, 51], 'a', { 1: 3 }).list([21, 22], 'a', {}))).toEqual(fine);
  });

  it('does not miss what never left it, and shows nothing of another', () => {
    expect(verdict(strict().list([1, 2], 'a', {})).phantoms).toBe(1);
    expect(verdict(strict().list([1, 2], 'a', { 1: 1, 2: 1 })).phantoms).toBe(1);
  });
});

describe('the explanation', () => {
  it('tells the write, the fault, the reads before and the offender', () => {
    const history = strict().fault('pause', [5, 25], 1).write([10, 20], 2).read([21, 22], 2).read([30, 31], 1).build();
    const [breach] = judge(history).breaches;
    const text = explain(history, breach!).join('\n');
    expect(text).toContain('stale reads: 1, for example row 1, version 1: late by 10.0 ms');
    expect(text).toMatch(/-25\.0 ms {2}FAULT pause of node 1\n.*node 0 write write 1 in a -> ok, version 2/);
    expect(text).toMatch(/0\.0 ms {2}node 1 read -> version 1 .*detail=l2.*<== this one/);
  });
});
