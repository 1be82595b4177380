// @ts-check
import { certaintyBy } from './reach.mjs';
import { observe } from './observations.mjs';
import { RowOrder } from './row-order.mjs';
import { truthOf } from './truth.mjs';

/** @typedef {import('./history.mjs').History} History */
/** @typedef {import('./history.mjs').Read} Read */
/** @typedef {import('./history.mjs').Write} Write */
/** @typedef {import('./row-order.mjs').Certainty} Certainty */

/**
 * A read that was too old. `lateMs`: for how long it had been, by the strongest certainty there is, and by any.
 * @typedef {object} Late
 * @property {Read} read
 * @property {number} key
 * @property {number} version what it showed
 * @property {boolean} absence
 * @property {Certainty} certainty the strongest class of which a newer version was due
 * @property {number} lateMs since a newer version of that class was due
 * @property {number} longestMs since any newer version was due
 */

/**
 * @typedef {object} Findings
 * @property {Late[]} stale a read invoked after a newer write was acknowledged
 * @property {Late[]} inversions a read invoked after another had shown a newer version
 * @property {import('./observations.mjs').Phantom[]} phantoms
 * @property {import('./truth.mjs').Fault[]} faults
 * @property {Write[]} disordered writes that went before what was over when they began
 * @property {number} observations rows that were looked at
 * @property {Record<Certainty, number>} acknowledged writes, by how sure it is that every node was told
 * @property {ReadonlyMap<number, RowOrder>} orders
 */

/**
 * Everything that is to be said of a history, whatever its policy promises.
 * @param {History} history
 * @returns {Findings}
 */
export function check(history) {
  const { rows, faults } = truthOf(history);
  const certaintyOf = certaintyBy(history);
  const orders = new Map([...rows].map(([key, versions]) => [key, new RowOrder(versions, certaintyOf)]));
  const answered = history.reads.filter(({ outcome }) => outcome === 'ok');
  for (const { rows: shown, completedMs } of answered) {
    for (const [key, version] of shown) orders.get(key)?.see(version, completedMs);
  }
  for (const order of orders.values()) order.settle();

  /** @type {Findings} */
  const findings = {
    stale: [],
    inversions: [],
    phantoms: [],
    faults,
    disordered: [],
    observations: 0,
    orders,
    acknowledged: countAcknowledged(orders, certaintyOf),
  };
  for (const read of answered) {
    const { observations, phantoms } = observe(read, orders);
    findings.phantoms.push(...phantoms);
    findings.observations += observations.length;
    for (const { key, version, absence } of observations) {
      const order = /** @type {RowOrder} */ (orders.get(key));
      const late = (/** @type {(certainty: Certainty) => number} */ dueMs) => lateness(read.invokedMs, dueMs);
      const stale = late((certainty) => order.supersededMs(version, certainty, read.category));
      if (stale) findings.stale.push({ read, key, version, absence, ...stale });
      const inverted = late((certainty) => order.outdatedMs(version, certainty, read.category));
      if (inverted) findings.inversions.push({ read, key, version, absence, ...inverted });
    }
  }
  for (const write of history.writes) {
    if (write.outcome !== 'ok' || write.version === undefined) continue;
    const order = orders.get(write.key);
    const over = Math.min(
      order?.supersededMs(write.version, 'sql') ?? Infinity,
      order?.outdatedMs(write.version, 'sql') ?? Infinity,
    );
    if (over < write.invokedMs) findings.disordered.push(write);
  }
  return findings;
}

/**
 * @param {number} atMs
 * @param {(certainty: Certainty) => number} dueMs
 * @returns {Pick<Late, 'certainty' | 'lateMs' | 'longestMs'> | undefined}
 */
function lateness(atMs, dueMs) {
  const longestMs = atMs - dueMs('sql');
  if (!(longestMs > 0)) return undefined;
  for (const certainty of /** @type {const} */ (['sure', 'cut'])) {
    const lateMs = atMs - dueMs(certainty);
    if (lateMs > 0) return { certainty, lateMs, longestMs };
  }
  return { certainty: 'sql', lateMs: longestMs, longestMs };
}

/**
 * @param {ReadonlyMap<number, RowOrder>} orders
 * @param {(version: import('./truth.mjs').Version) => Certainty} certaintyOf
 */
function countAcknowledged(orders, certaintyOf) {
  const counts = { sure: 0, cut: 0, sql: 0 };
  for (const { versions } of orders.values()) {
    for (const version of versions.values()) if (version.write?.outcome === 'ok') counts[certaintyOf(version)] += 1;
  }
  return counts;
}
