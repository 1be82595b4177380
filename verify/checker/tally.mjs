// @ts-check
import { parseCacheStatus } from '../workload/cache-status.mjs';

/** @typedef {import('./history.mjs').History} History */

/**
 * Counts of what was done and where it was answered.
 * @param {Pick<History, 'reads' | 'writes' | 'faults'>} history
 */
export function tally({ reads, writes, faults }) {
  const hits = { api: { l1: 0, l2: 0 }, db: { l1: 0, l2: 0 } };
  const forwards = { miss: 0, bypass: 0 };
  let lists = 0;
  let answered = 0;
  let pastFresh = 0;
  for (const { outcome, cacheStatus, category } of reads) {
    if (outcome !== 'ok') continue;
    answered += 1;
    if (category !== undefined) lists += 1;
    const served = parseCacheStatus(cacheStatus);
    if (served.hit) hits[served.layer][served.level] += 1;
    else forwards[served.bypass ? 'bypass' : 'miss'] += 1;
    if (served.stale) pastFresh += 1;
  }
  const outcomes = { ok: 0, unknown: 0, failed: 0, doomed: 0, sql: 0 };
  for (const { outcome, doomed, source } of writes) {
    outcomes[outcome] += 1;
    if (doomed) outcomes.doomed += 1;
    if (source === 'sql') outcomes.sql += 1;
  }
  /** @type {Record<string, number>} */
  const times = {};
  for (const { name } of faults) times[name] = (times[name] ?? 0) + 1;
  return {
    reads: answered,
    lists,
    unanswered: reads.length - answered,
    hits,
    ...forwards,
    pastFresh,
    writes: outcomes,
    faults: times,
  };
}
