// @ts-check
/**
 * A read that was older than what had been acknowledged when it began. `source`: who wrote what it missed, the most certain
 * of them: `service` (through a node that reaches Redis), `cut` (through one that may not), `sql` (past the service).
 * @typedef {{ atMs: number, lateMs: number, source: 'service' | 'cut' | 'sql', node: number }} LateRead
 */

const sources = /** @type {const} */ ({ sure: 'service', cut: 'cut', sql: 'sql' });
const order = /** @type {const} */ (['service', 'cut', 'sql']);

/**
 * One for each read, however many of its rows are old.
 * @param {readonly import('../../verify/checker/check.mjs').Late[]} stale
 * @param {number} startedMs
 * @returns {LateRead[]}
 */
export function lateReads(stale, startedMs) {
  /** @type {Map<unknown, LateRead>} */
  const byRead = new Map();
  for (const { read, certainty, lateMs } of stale) {
    const late = { atMs: read.invokedMs - startedMs, lateMs, source: sources[certainty], node: read.node };
    const known = byRead.get(read);
    if (!known || rank(late) < rank(known) || (rank(late) === rank(known) && lateMs > known.lateMs))
      byRead.set(read, late);
  }
  return [...byRead.values()].sort((a, b) => a.atMs - b.atMs);
}

/** @param {LateRead} late */
const rank = ({ source }) => order.indexOf(source);

/** @param {readonly LateRead[]} late @param {readonly LateRead['source'][]} of */
export function staleness(late, of) {
  const those = late.filter(({ source }) => of.includes(source));
  return { reads: those.length, worstMs: those.reduce((worst, { lateMs }) => Math.max(worst, lateMs), 0) };
}
