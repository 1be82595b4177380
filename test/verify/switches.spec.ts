import { judge } from '../../verify/checker/verdict.mjs';
import { HistoryBuilder } from './history-builder.js';

const status = (policy: string) => `strata-api; hit; ttl=9; detail=l2; strata-policy=${policy}`;
const switching = (policy: 'strict' | 'write-through' | 'ttl') =>
  new HistoryBuilder(policy).fault('switch', [0, 1_000]).write([100, 110], 2);
const old = (history: HistoryBuilder, atMs: number, policy: string) =>
  judge(history.read([atMs, atMs + 1], 1, undefined, { cacheStatus: status(policy) }).build());

describe('while a policy is switched', () => {
  it('an answer is held to the policy that it names', () => {
    expect(old(switching('strict'), 200, 'ttl')).toMatchObject({ verdict: 'kept', stale: 1 });
    expect(old(switching('strict'), 200, 'write-through').verdict).toBe('kept');
    expect(old(switching('strict'), 300, 'write-through').verdict).toBe('broken');
    expect(old(switching('strict'), 200, 'strict').verdict).toBe('broken');
    expect(old(switching('ttl'), 200, 'strict').verdict).toBe('broken');
    expect(old(switching('write-through'), 200, 'strict').verdict).toBe('broken');
  });

  it('strict answers for a write that its writer could not tell of', () => {
    const cut = switching('strict').fault('partition', [90, 120], 0);
    expect(old(cut, 200, 'strict').verdict).toBe('broken');
  });
});

describe('once it has been switched back', () => {
  it('every answer is held to the policy of the run, whatever it names', () => {
    expect(old(switching('strict'), 2_000, 'ttl').verdict).toBe('broken');
    expect(old(switching('ttl'), 1_600, 'strict').verdict).toBe('kept');
  });
});

describe('while an operator clears the cache', () => {
  const told = (clearedMs: number) =>
    judge(
      new HistoryBuilder('write-through')
        .fault('clear', [clearedMs, clearedMs + 50])
        .write([5_000, 5_010], 2)
        .read([5_020, 5_030], 2, undefined, { node: 0, cacheStatus: 'strata-db; fwd=bypass; detail=redis' })
        .read([5_900, 5_901], 1)
        .build(),
    );

  it('a node that says it has lost Redis excuses nothing: Redis was there', () => {
    expect(told(4_000).verdict).toBe('broken');
    expect(told(1_000).verdict).toBe('kept');
  });
});

describe('what a node refuses', () => {
  const cleared = (...fault: [name: string, times: readonly [number, number], node?: number][]) => {
    const history = new HistoryBuilder('strict').refusal('clear', [5_000, 5_010]);
    for (const [name, times, node] of fault) history.fault(name, times, node);
    return judge(history.build());
  };

  it('breaks the guarantee if the node was healthy', () => {
    expect(cleared()).toMatchObject({ verdict: 'broken', refused: 1 });
    expect(cleared(['partition', [4_900, 5_100], 1])).toMatchObject({ verdict: 'broken', refused: 1 });
    expect(cleared(['flush', [1_000, 1_010]])).toMatchObject({ verdict: 'broken', refused: 1 });
  });

  it('is excused by a fault that it met', () => {
    expect(cleared(['partition', [4_900, 5_100], 0])).toMatchObject({ verdict: 'kept', refused: 0 });
    expect(cleared(['pg-restart', [4_900, 5_005]])).toMatchObject({ verdict: 'kept', refused: 0 });
  });
});
