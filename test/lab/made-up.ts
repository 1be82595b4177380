import { measure, type Result } from '../../lab/analysis/measure.mjs';
import { type Findings } from '../../lab/main.mjs';
import { type Policy } from '../../verify/checker/history.mjs';
import { HistoryBuilder } from '../verify/history-builder.js';

const acts = [
  { name: 'calm', title: 'nothing special', fromMs: 0, untilMs: 1_000 },
  { name: 'cut off', title: 'node 2 & Redis', fromMs: 1_000, untilMs: 2_000 },
  { name: 'SQL', title: 'past the service', fromMs: 2_000, untilMs: 3_000 },
];
const witness = { key: 1, writer: 0, cutOff: 1 };
const settings = { leaseMs: 500, redisTimeoutMs: 100, ttlMs: 4_000, jitter: 0.1, staleMs: 2_000 };
const hit = (level: string) => `strata-api; hit; ttl=3; detail=${level}; strata-policy=p`;
const bypass = 'strata-db; fwd=bypass; detail=redis; strata-policy=p, strata-api; fwd=bypass; detail=redis';

/** Node 2 is cut off, row 1 is written through node 1, and node 2 goes on with what it knows, until it asks the database. */
function history(policy: Policy): HistoryBuilder {
  const looks = new HistoryBuilder(policy, settings)
    .fault('partition', [1_100, 1_800], 1)
    .write([1_200, 1_210], 2)
    .read([1_050, 1_051], 1, 'seed 1', { cacheStatus: hit('l1') });
  if (policy !== 'strict')
    looks
      .read([1_230, 1_231], 1, 'seed 1', { cacheStatus: hit('l1') })
      .read([1_410, 1_411], 1, 'seed 1', { cacheStatus: hit('l1') });
  return looks
    .read([1_600, 1_605], 2, 'write 1', { cacheStatus: bypass })
    .read([1_240, 1_241], 2, 'write 1', { node: 0, cacheStatus: hit('l2') });
}

export function resultOf(policy: Policy, more: Partial<Result> = {}): Result {
  const heard = policy === 'ttl' ? [] : [{ sentMs: 1_208, heardMs: 1_209, tags: ['items', 'items:1'] }];
  const loads = [0, 1_000, 2_000, 3_000].map((atMs) => ({ atMs, node: 0, count: atMs / 100 }));
  const recorded = {
    history: history(policy).build(),
    startedMs: 0,
    loads,
    heard,
    delaysMs: [1],
    witnessCommittedMs: 1_205,
  };
  return { ...measure(recorded, { seed: '1', rows: 2, cues: [], acts, witness }), ...more };
}

export const findingsOf = (results: Result[]): Findings => ({
  ...{ seed: '<7>', at: '2026-01-02T03:04:05.000Z', tookSeconds: 200, settings, acts, results },
});
