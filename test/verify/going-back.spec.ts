import { goneBackMs } from '../../verify/checker/history.mjs';
import { judge } from '../../verify/checker/verdict.mjs';
import { HistoryBuilder } from './history-builder.js';

/* Row 1 was at version 3 when the database went back to version 1; after that another version 2 was written. */

const bound = 1_000 + goneBackMs(new HistoryBuilder().build().settings);
const note = (version: number, name: string, era: number) => ({ key: 1, version, name, category: 'a', era });
const history = (policy: 'strict' | 'write-through' = 'strict') =>
  new HistoryBuilder(policy)
    .write([10, 20], 2, { name: 'lost 2' })
    .write([30, 40], 3, { name: 'lost 3' })
    .loss([900, 1_000], 1)
    .write([1_010, 1_020], 2, { name: 'second 2' })
    .committed(note(2, 'lost 2', 0), note(3, 'lost 3', 0), note(2, 'second 2', 1));
const judged = (builder: HistoryBuilder) => judge(builder.build());

describe('a database that goes back', () => {
  it('takes acknowledged writes with it, and that is told', () => {
    expect(judged(history())).toMatchObject({ verdict: 'kept', lostWrites: 0, lostWithDatabase: 2 });
  });

  it('does not excuse what was stale before', () => {
    expect(judged(history().read([50, 60], 1))).toMatchObject({ verdict: 'broken', stale: 1 });
  });

  it('may be read as it was until the bound is over, in any order, and not after', () => {
    const before = history().read([1_030, 1_031], 3, 'lost 3').read([1_032, 1_033], 2, 'second 2');
    expect(judged(before.read([1_034, 1_035], 3, 'lost 3'))).toMatchObject({ verdict: 'kept', phantoms: 0 });
    const after = history().read([bound + 1, bound + 2], 3, 'lost 3');
    expect(judged(after)).toMatchObject({ verdict: 'broken', stale: 1 });
    const weak = (atMs: number) => history('write-through').read([atMs, atMs + 1], 3, 'lost 3');
    expect(judged(weak(bound + 100))).toMatchObject({ verdict: 'kept', stale: 1 });
    expect(judged(weak(bound + 200))).toMatchObject({ verdict: 'broken', stale: 1 });
  });

  it('goes on with what it kept, and with what is written then', () => {
    const restored = history().read([1_001, 1_009], 1, 'seed 1').read([1_030, 1_031], 2, 'second 2');
    expect(judged(restored)).toMatchObject({ verdict: 'kept', stale: 0, inversions: 0, phantoms: 0 });
    expect(judged(history().read([1_030, 1_031], 1, 'seed 1'))).toMatchObject({ verdict: 'broken', stale: 1 });
  });

  it('tells versions of the same number apart by their names', () => {
    expect(judged(history().read([1_030, 1_031], 2, 'never')).phantoms).toBe(1);
    expect(judged(history().read([950, 960], 2, 'second 2')).phantoms).toBe(1);
  });

  it('shows writes that were lost although it had not gone back so far', () => {
    const builder = history().write([50, 60], 4, { name: 'vanished' });
    expect(judged(builder)).toMatchObject({ verdict: 'broken', lostWrites: 1 });
  });

  it('may go back more than once', () => {
    const again = history().loss([8_000, 8_100], 1).write([8_110, 8_120], 2, { name: 'third 2' });
    again.build().committed?.push(note(2, 'third 2', 2));
    expect(judged(again.read([8_130, 8_131], 2, 'third 2'))).toMatchObject({ verdict: 'kept', lostWithDatabase: 3 });
    const late = 8_100 + goneBackMs(again.build().settings) + 1;
    expect(judged(again.read([late, late + 1], 2, 'second 2'))).toMatchObject({ verdict: 'broken', stale: 1 });
  });
});
