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
 * @property {import('./history.mjs').Key} key
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
 * @property {number} lostWithDatabase acknowledged writes that went when the database went back
 */

/**
 * Everything that is to be said of a history, whatever its policy promises.
 * @param {History} history
 * @returns {Findings}
 */
export function check(history) {
  const { rows, faults } = truthOf(history);
  const certaintyOf = certaintyBy(history);
  const orders = new Map([...rows].map(([key, course]) => [key, new RowOrder(course, certaintyOf)]));
  const transactions = transactionsOf(rows);
  // What a tag stands for that was never seen on an answer with a body, nobody knows.
  const answered = history.reads.filter(({ outcome, etag }) => outcome === 'ok' && etag === undefined);
  for (const { rows: shown, completedMs } of answered) {
    for (const [key, version, name] of shown) {
      // The first of its positions: no more is certain.
      const [position] = orders.get(key)?.positionsOf(version, name) ?? [];
      if (position !== undefined) orders.get(key)?.see(position, completedMs);
    }
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
    lostWithDatabase: countLost(rows),
    acknowledged: countAcknowledged(orders, certaintyOf),
  };
  for (const read of answered) {
    const { observations, phantoms } = observe(read, orders, transactions);
    findings.phantoms.push(...phantoms);
    findings.observations += observations.length;
    for (const { key, position, absence } of observations) {
      const order = /** @type {RowOrder} */ (orders.get(key));
      const version = order.versions.get(position)?.version ?? 0;
      // Of a row and a list in one answer, the row is not asked for as one of the list.
      const list = key === read.key ? undefined : read.category;
      const late = (/** @type {(certainty: Certainty) => number} */ dueMs) => lateness(read.invokedMs, dueMs);
      const stale = late((certainty) => order.supersededMs(position, certainty, list));
      if (stale) findings.stale.push({ read, key, version, absence, ...stale });
      const inverted = late((certainty) => order.outdatedMs(position, certainty, list));
      if (inverted) findings.inversions.push({ read, key, version, absence, ...inverted });
    }
  }
  const positions = writtenAt(rows);
  for (const write of history.writes) {
    if (write.outcome !== 'ok') continue;
    const order = orders.get(write.key);
    const position = positions.get(write);
    if (!order || position === undefined) continue;
    const over = Math.min(order.supersededMs(position, 'sql'), order.outdatedMs(position, 'sql'));
    if (over < write.invokedMs) findings.disordered.push(write);
  }
  return findings;
}

/** What each transaction wrote, where the database noted it. @param {import('./truth.mjs').Rows} rows */
function transactionsOf(rows) {
  /** @type {Map<string, [import('./history.mjs').Key, number][]>} */
  const transactions = new Map();
  for (const [key, { versions }] of rows) {
    for (const [position, { tx, restored }] of versions) {
      if (tx === undefined || restored) continue;
      const written = transactions.get(tx) ?? [];
      transactions.set(tx, written);
      written.push([key, position]);
    }
  }
  return transactions;
}

/** @param {import('./truth.mjs').Rows} rows @returns {Map<Write, number>} */
function writtenAt(rows) {
  const positions = new Map();
  for (const { versions } of rows.values())
    for (const [position, { write, restored }] of versions) if (write && !restored) positions.set(write, position);
  return positions;
}

/** Acknowledged writes between what the database went back to and where it was. @param {import('./truth.mjs').Rows} rows */
function countLost(rows) {
  let count = 0;
  for (const { versions, ends } of rows.values()) {
    for (const end of ends.keys()) {
      const kept = versions.get(end + 1)?.version ?? 0;
      for (let position = end; (versions.get(position)?.version ?? Infinity) > kept; position -= 1)
        if (versions.get(position)?.write?.outcome === 'ok') count += 1;
    }
  }
  return count;
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
 * @param {ReadonlyMap<import('./history.mjs').Key, RowOrder>} orders
 * @param {(version: import('./truth.mjs').Version) => Certainty} certaintyOf
 */
function countAcknowledged(orders, certaintyOf) {
  const counts = { sure: 0, cut: 0, sql: 0 };
  for (const { versions } of orders.values()) {
    for (const version of versions.values())
      if (version.write?.outcome === 'ok' && !version.restored) counts[certaintyOf(version)] += 1;
  }
  return counts;
}
