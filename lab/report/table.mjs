// @ts-check
import { compare, theoryOf } from '../analysis/order.mjs';
import { duration, percent, perSecond } from './format.mjs';

/** @typedef {import('../analysis/measure.mjs').Result} Result */

const head = [
  'policy',
  'reads',
  'hits',
  'p50',
  'p95',
  'loads/s',
  'stale reads',
  'worst',
  'worst, SQL',
  'feed',
  'writes failed',
  'promise',
];

/** @param {readonly Result[]} results @returns {string} for people */
export function table(results) {
  const rows = results.map((result) => [
    result.policy,
    String(result.reads),
    percent(result.hitRatio),
    duration(result.p50Ms),
    duration(result.p95Ms),
    perSecond(result.loadsPerSecond),
    String(result.stale.reads),
    duration(result.stale.worstMs),
    duration(result.staleSql.worstMs),
    result.feed.told > 0 ? duration(result.feed.worstMs) : 'tells nobody',
    `${result.failedWrites} of ${result.writes}`,
    result.verdict === 'kept' ? 'kept' : `BROKEN: ${result.breaches.map(({ what }) => what).join('; ')}`,
  ]);
  const widths = head.map((name, i) => Math.max(name.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const lines = [head, ...rows].map((row) =>
    row
      .map((cell, i) => (i === 0 || i === row.length - 1 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
  return [...lines, '', ...orderLines(results)].join('\n');
}

/** @param {readonly Result[]} results */
function orderLines(results) {
  const comparisons = compare(results);
  if (comparisons.length === 0) return [];
  const failed = comparisons.filter(({ holds }) => !holds).map(({ text }) => text);
  return failed.length === 0
    ? [`order of staleness, as the theory says: ${theoryOf(results)}`]
    : [`NOT THE ORDER THAT THE THEORY SAYS: ${failed.join(', ')} did not come out`];
}
