// @ts-check
import { quantile } from 'simple-statistics';
import { cutOffMs, longestLifeMs } from '../../verify/checker/history.mjs';
import { judge } from '../../verify/checker/verdict.mjs';
import { lateReads, staleness } from './late.mjs';
import { hitRatio, latencyMs, loadsBetween, series } from './series.mjs';
import { storyOf } from './story.mjs';

/** @typedef {import('../../verify/checker/history.mjs').Policy} Policy */
/** @typedef {import('../../verify/checker/history.mjs').Settings} Settings */
/** @typedef {ReturnType<typeof measure>} Result */

const everyMs = 1_000;

/**
 * How old an answer may be that misses an acknowledged write, in ms: through a node that reaches Redis, as the policy
 * promises it.
 * @param {Policy} policy
 * @param {Settings} settings
 */
export function promisedMs(policy, settings) {
  if (policy === 'strict') return 0;
  return policy === 'ttl' ? longestLifeMs(settings) : cutOffMs(settings);
}

/**
 * Everything that the report says of a policy.
 * @param {import('../run.mjs').Recorded} recorded
 * @param {import('../script.mjs').Script} script
 */
export function measure(recorded, { acts, witness }) {
  const { history, startedMs, heard } = recorded;
  const { policy, settings } = history;
  const lengthMs = acts.at(-1)?.untilMs ?? 0;
  const since = (/** @type {{ invokedMs: number, completedMs: number }} */ { invokedMs, completedMs }) => ({
    invokedMs: invokedMs - startedMs,
    completedMs: completedMs - startedMs,
  });
  const reads = history.reads.filter(({ outcome }) => outcome === 'ok').map((read) => ({ ...read, ...since(read) }));
  const loads = recorded.loads.map((sample) => ({ ...sample, atMs: sample.atMs - startedMs }));
  const written = history.writes.filter(({ source }) => source === 'service');
  const judgement = judge(history);
  const { stale, inversions } = judgement.findings;
  // Under ttl nobody is told of anything: whether its writer could have told makes no difference.
  const late = lateReads(stale, startedMs).map((each) =>
    policy === 'ttl' && each.source === 'cut' ? { ...each, source: /** @type {const} */ ('service') } : each,
  );
  const told = (/** @type {readonly { certainty: string, read: unknown }[]} */ all) =>
    new Set(all.filter(({ certainty }) => certainty !== 'sql').map(({ read }) => read)).size;
  return {
    policy,
    promisedMs: promisedMs(policy, settings),
    verdict: judgement.verdict,
    breaches: judgement.breaches.map(({ what, count }) => ({ what, count })),
    reads: reads.length,
    failedReads: history.reads.length - reads.length,
    writes: written.length,
    failedWrites: written.filter(({ outcome }) => outcome !== 'ok').length,
    hitRatio: hitRatio(reads) ?? 0,
    /** How late requests were sent: what the machine was busy with. */
    delayMs: quantile(recorded.delaysMs, 0.99),
    p50Ms: latencyMs(reads, 0.5) ?? 0,
    p95Ms: latencyMs(reads, 0.95) ?? 0,
    loadsPerSecond: (loadsBetween(loads).reduce((sum, { count }) => sum + count, 0) * 1_000) / lengthMs,
    /** Of writes through the service; `cut`: of those, through a node that may not reach Redis. */
    stale: staleness(late, ['service', 'cut']),
    staleCut: staleness(late, ['cut']),
    /** New, then old, by what was written through the service. */
    inversions: told(inversions),
    staleSql: staleness(late, ['sql']),
    feed: feedLag(history.writes, heard),
    faults: history.faults.map(({ name, node = -1, fromMs, untilMs }) => ({
      ...{ name, node },
      fromMs: fromMs - startedMs,
      untilMs: untilMs - startedMs,
    })),
    late,
    points: series({ reads, loads }, lengthMs, everyMs),
    story: storyOf(recorded, witness),
  };
}

/**
 * How long the feed needed to tell every node of what was written past the service; the latest, in ms.
 * @param {readonly import('../../verify/checker/history.mjs').Write[]} writes
 * @param {readonly import('../observe/bus.mjs').Heard[]} heard
 */
function feedLag(writes, heard) {
  const updates = writes.filter(({ source }) => source === 'sql');
  const lags = updates.flatMap(({ key, invokedMs, completedMs }) => {
    const found = heard.find(({ heardMs, tags }) => heardMs > invokedMs && tags.includes(`items:${key}`));
    return found ? [Math.max(0, found.heardMs - completedMs)] : [];
  });
  return { updates: updates.length, told: lags.length, worstMs: Math.max(0, ...lags) };
}
