// @ts-check
import { explain } from './checker/explain.mjs';

/** @typedef {import('./checker/verdict.mjs').Judgement} Judgement */
/** @typedef {import('./checker/history.mjs').History} History */

/** What is written to the file and to the last line. @param {Judgement} judgement @param {Record<string, unknown>} run */
export function resultOf(judgement, run) {
  const { policy, breaches, findings, guarantee, ...figures } = judgement;
  void findings;
  return { policy, guarantee, ...run, ...figures, breaches: breaches.map(({ what, count }) => ({ what, count })) };
}

/** @param {Judgement} judgement @param {{ seconds: number, crashes: number, leftBeforeTtl: number }} run @returns {string} */
export function table(judgement, { seconds, crashes, leftBeforeTtl }) {
  const { hits, miss, bypass, reads, lists, unanswered, writes, apart, bound95, faults, acknowledged } = judgement;
  const share = (/** @type {number} */ part) => (reads > 0 ? `${((100 * part) / reads).toFixed(1)} %` : '-');
  const zero = (/** @type {number} */ count, /** @type {number} */ bound) =>
    count === 0 ? `0  (95 %: below ${bound.toExponential(1)})` : String(count);
  const late = ({ count = 0, worstMs = 0 }) => (count === 0 ? '0' : `${count}, worst ${worstMs} ms`);
  const weak = judgement.policy === 'write-through' || judgement.policy === 'invalidate';
  return rows([
    ['policy', `${judgement.policy}: ${judgement.guarantee}`],
    [
      'reads',
      `${reads} (${lists} lists, ${judgement.observations} rows shown) in ${seconds.toFixed(0)} s; ${unanswered} unanswered`,
    ],
    [
      'hits',
      `api L1 ${share(hits.api.l1)}, api L2 ${share(hits.api.l2)}, db L1 ${share(hits.db.l1)}, db L2 ${share(hits.db.l2)}`,
    ],
    ['from the database', `miss ${share(miss)}, bypass ${share(bypass)}`],
    [
      'writes',
      `${writes.ok} ok, ${writes.unknown} unknown, ${writes.failed} refused; of these ${writes.doomed} to be rolled back, ${writes.sql} sql`,
    ],
    [
      'faults',
      Object.entries(faults)
        .map(([name, count]) => `${name} ${count}`)
        .join(', ') || 'none',
    ],
    [
      'stale after ack',
      `${zero(judgement.stale, bound95.perRead)}${judgement.stale ? `, worst ${judgement.worstStalenessMs} ms` : ''}`,
    ],
    [
      'new-then-old',
      `${zero(judgement.inversions, bound95.perRead)}${judgement.inversions ? `, worst ${judgement.worstInversionMs} ms` : ''}`,
    ],
    ...(weak
      ? [
          ['  node did not hear', late(apart.unheard)],
          ['  no fault in force', late(apart.unexplained)],
          [
            '  writer cut off',
            `${late(apart.undelivered)} (${acknowledged.cut} of ${acknowledged.cut + acknowledged.sure} writes)`,
          ],
        ]
      : []),
    ...(writes.sql > 0
      ? [['  sql (apart)', `stale ${late(apart.sql)}; new-then-old ${late(apart.sqlInversions)}`]]
      : []),
    ['phantoms', zero(judgement.phantoms, bound95.perRead)],
    ['lost writes', zero(judgement.lostWrites, bound95.perWrite)],
    [
      'left stale',
      `${zero(judgement.leftStale, bound95.perPlace)} of ${judgement.leftCompared} places${leftBeforeTtl ? `; ${leftBeforeTtl} before the TTL` : ''}`,
    ],
    ...(judgement.lostWithDatabase > 0
      ? [['lost with the database', `${judgement.lostWithDatabase} acknowledged writes`]]
      : []),
    ...(judgement.refused > 0 ? [['refused', `${judgement.refused} operations by healthy nodes`]] : []),
    ...(crashes > 0 ? [['crashes', `${crashes} nodes ended by themselves`]] : []),
    ['verdict', judgement.verdict === 'kept' ? 'the guarantee was kept' : 'THE GUARANTEE WAS BROKEN'],
  ]);
}

/** @param {Judgement} judgement @param {History} history @returns {string} */
export const explanation = (judgement, history) =>
  judgement.breaches.map((breach) => explain(history, breach).join('\n')).join('\n\n');

/** @param {string[][]} all */
function rows(all) {
  const width = Math.max(...all.map(([name = '']) => name.length));
  return all.map(([name = '', text = '']) => `${name.padEnd(width)}  ${text}`).join('\n');
}
