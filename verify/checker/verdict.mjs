// @ts-check
import { check } from './check.mjs';
import { cutOffMs, longestLifeMs, upperBound } from './history.mjs';
import { cutOffBy, excusedBy, promiseBy } from './reach.mjs';
import { tally } from './tally.mjs';

/** @typedef {import('./history.mjs').History} History */
/** @typedef {import('./check.mjs').Findings} Findings */
/** @typedef {import('./check.mjs').Late} Late */
/** @typedef {import('./history.mjs').Left} Left */

/**
 * What breaks the guarantee: a name, how often, and the events that show it.
 * @typedef {{ what: string, count: number, example: Late | import('./observations.mjs').Phantom | import('./truth.mjs').Fault | import('./history.mjs').Write | import('./history.mjs').Refusal | Left | undefined }} Breach
 */

/** @typedef {{ count: number, worstMs: number }} Lateness */

/** The policies' guarantees as this checker reads them; `late` tells whether a policy allows a late read. */
const guarantees = {
  strict: 'linearizable: no stale read, no inversion (sql apart: nobody can fence what goes past the service)',
  'write-through':
    'a read after an acknowledged write is never older than it, but for a lease + one deadline where a node does not hear; new-then-old only between COMMIT and FENCE; what a cut-off writer or sql did is apart',
  invalidate:
    'a read after an acknowledged write is never older than it, but for a lease + one deadline where a node does not hear; new-then-old only between COMMIT and FENCE; what a cut-off writer or sql did is apart',
  ttl: 'at most TTL + jitter + stale window old',
};

/**
 * @param {History} history
 */
export function judge(history) {
  const findings = check(history);
  const { policy, settings } = history;
  const { stale, inversions } = findings;
  // What goes past the service is told apart.
  const noticed = { stale: stale.filter(isNoticed), inversions: inversions.filter(isNoticed) };
  const cutOff = cutOffBy(history);
  const told = stale.filter(({ certainty }) => certainty === 'sure');
  const left = history.left.filter(({ version, expected }) => version !== expected);
  const excused = excusedBy(history);
  const refused = (history.refusals ?? []).filter((refusal) => !excused(refusal));
  /** @type {Breach[]} */
  const breaches = [
    breach('phantoms: reads of what was never committed', findings.phantoms),
    breach('writes that are not what was said of them', findings.faults),
    breach('writes out of order', findings.disordered),
    breach('stale for ever: kept, and older than the database after everything was healed', left),
    breach('refused by healthy nodes', refused),
    ...lateBreaches(history, findings),
  ].filter(({ count }) => count > 0);

  const counts = tally(history);
  const { reads } = counts;
  return {
    policy,
    guarantee: guarantees[policy],
    verdict: /** @type {'kept' | 'broken'} */ (breaches.length === 0 ? 'kept' : 'broken'),
    ...counts,
    observations: findings.observations,
    stale: readsIn(noticed.stale),
    inversions: readsIn(noticed.inversions),
    worstStalenessMs: worst(noticed.stale),
    worstInversionMs: worst(noticed.inversions),
    leftStale: left.length,
    leftCompared: history.left.length,
    phantoms: readsIn(findings.phantoms),
    lostWrites: findings.faults.length + findings.disordered.length,
    bound95: {
      perRead: upperBound(reads),
      perWrite: upperBound(counts.writes.ok),
      perPlace: upperBound(history.left.length),
    },
    apart: {
      unheard: lateness(told.filter(({ read }) => cutOff(read.node, read))),
      unexplained: lateness(told.filter(({ read }) => !cutOff(read.node, read))),
      undelivered: lateness(stale.filter(({ certainty }) => certainty === 'cut')),
      sql: lateness(stale.filter(({ certainty }) => certainty === 'sql')),
      sqlInversions: lateness(inversions.filter(({ certainty }) => certainty === 'sql')),
    },
    acknowledged: findings.acknowledged,
    lostWithDatabase: findings.lostWithDatabase,
    refused: refused.length,
    breaches,
    findings,
    allowedMs: { cutOff: cutOffMs(settings), life: longestLifeMs(settings) },
  };
}

/** @typedef {ReturnType<typeof judge>} Judgement */

/**
 * @param {History} history
 * @param {Findings} findings
 * @returns {Breach[]}
 */
function lateBreaches(history, { stale, inversions }) {
  const { settings } = history;
  const promiseOf = promiseBy(history);
  const life = longestLifeMs(settings);
  const allowedMs = cutOffMs(settings);
  const outlived = [...stale, ...inversions].filter(({ longestMs }) => longestMs > life);
  const under = (/** @type {readonly History['policy'][]} */ promises, /** @type {readonly Late[]} */ all) =>
    all.filter((late) => isNoticed(late) && promises.includes(promiseOf(late.read)));
  const tooLate = under(['write-through', 'invalidate'], stale).filter(
    ({ certainty, lateMs }) => certainty === 'sure' && lateMs > allowedMs,
  );
  return [
    breach('stale reads', under(['strict'], stale)),
    breach('inversions', under(['strict'], inversions)),
    breach(`stale for longer than lease + deadline (${allowedMs} ms)`, tooLate),
    breach(`served beyond TTL + jitter + stale window (${Math.round(life)} ms)`, outlived),
  ];
}

/**
 * @template {NonNullable<Breach['example']>} Found
 * @param {string} what
 * @param {readonly Found[]} found
 * @returns {Breach}
 */
const breach = (what, found) => ({ what, count: found.length, example: found[0] });

/** @param {Late} late */
const isNoticed = ({ certainty }) => certainty !== 'sql';

/** @param {readonly { read: unknown }[]} found a list counts once, however many of its rows are late */
const readsIn = (found) => new Set(found.map(({ read }) => read)).size;

/** @param {readonly Late[]} found */
const worst = (found) => round(found.reduce((most, { longestMs }) => Math.max(most, longestMs), 0));

/** @param {readonly Late[]} found @returns {Lateness} */
const lateness = (found) => ({
  count: readsIn(found),
  worstMs: round(found.reduce((most, { lateMs }) => Math.max(most, lateMs), 0)),
});

/** @param {number} ms */
const round = (ms) => Math.round(ms * 10) / 10;
