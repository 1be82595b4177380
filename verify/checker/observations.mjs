// @ts-check
import { isIn } from './history.mjs';

/** @typedef {import('./history.mjs').Read} Read */
/** @typedef {import('./history.mjs').Key} Key */
/** @typedef {import('./row-order.mjs').RowOrder} RowOrder */

/**
 * That a read showed some version of a row. `absence`: it did not show the row where it might have, so that it shows a
 * version which is not there, or not of this list; the newest such version is assumed.
 * @typedef {{ read: Read, key: Key, position: number, absence: boolean }} Observation
 */

/** @typedef {{ read: Read, key: Key, version: number | undefined, why: string }} Phantom what no database ever held at that moment */

/**
 * @param {Read} read
 * @param {ReadonlyMap<Key, RowOrder>} orders
 * @param {ReadonlyMap<string, readonly [Key, number][]>} transactions the positions that each transaction wrote
 * @returns {{ observations: Observation[], phantoms: Phantom[] }}
 */
export function observe(read, orders, transactions) {
  /** @type {Observation[]} */
  const observations = [];
  /** @type {Phantom[]} */
  const phantoms = [];
  const phantom = (/** @type {Key} */ key, /** @type {number | undefined} */ version, /** @type {string} */ why) =>
    void phantoms.push({ read, key, version, why });
  const { key: asked, category: list } = read;
  for (const [key, version, name] of read.rows) {
    const position = shownBy(read, orders.get(key)?.positionsOf(version, name) ?? [], orders.get(key));
    const known = position === undefined ? undefined : orders.get(key)?.versions.get(position);
    if (position === undefined || !known) phantom(key, version, whyNot(orders.get(key), version, name));
    else if (list !== undefined && key !== asked && !isIn(list, known.category))
      phantom(key, version, 'of another list');
    else observations.push({ read, key, position, absence: false });
  }
  const shown = new Set(read.rows.map(([key]) => key));
  const absent = (/** @type {Key} */ key, /** @type {RowOrder} */ order, /** @type {string | undefined} */ from) => {
    const outside = (/** @type {{ category: string | null }} */ { category }) =>
      from === undefined ? category === null : !isIn(from, category);
    const position = order.newest(outside, read);
    if (position === undefined)
      phantom(key, undefined, from === undefined ? 'said to be absent' : 'missing from its list');
    else if (position !== 'current') observations.push({ read, key, position, absence: true });
  };
  const own = asked === undefined || shown.has(asked) ? undefined : orders.get(asked);
  if (asked !== undefined && own) absent(asked, own, undefined);
  if (list === undefined) return { observations, phantoms };
  for (const [key, order] of orders) if (!shown.has(key) && order.everIn(list)) absent(key, order, list);
  phantoms.push(...disordered(read), ...torn(read, observations, orders, transactions));
  return { observations, phantoms };
}

/** The latest of the positions that a read may have shown. @param {Read} read @param {readonly number[]} positions @param {RowOrder | undefined} order */
const shownBy = ({ completedMs }, positions, order) =>
  positions.findLast((position) => (order?.versions.get(position)?.write?.invokedMs ?? -Infinity) <= completedMs);

/** @param {RowOrder | undefined} order @param {number} version @param {string} name */
function whyNot(order, version, name) {
  const names = order?.namesOf(version) ?? [];
  if (names.length === 0) return 'no such version was ever committed';
  return names.includes(name) ? 'not yet written' : `the version is ${names.join(' or ')}, not ${name}`;
}

/** A list that is not in the order that was asked for, by what it shows itself. @param {Read} read @returns {Phantom[]} */
function disordered(read) {
  const { sort, rows, key: asked } = read;
  if (!sort) return [];
  const listed = rows.filter(([key]) => key !== asked);
  const sign = sort === '-name' ? -1 : 1;
  const index = listed.findIndex((row, i) => {
    const before = listed[i - 1];
    return before !== undefined && sign * (sort === 'id' ? byId(before, row) : byName(before, row)) > 0;
  });
  const [key, version] = listed[index] ?? [];
  return key === undefined ? [] : [{ read, key, version, why: `out of order: the list is sorted by ${sort}` }];
}

/** @typedef {import('./history.mjs').Seen} Seen */

/** Ids of one entity are as long as their order is numeric; texts compare by code unit, as all names here are ASCII. @param {Seen} a @param {Seen} b */
const byId = ([a], [b]) => (typeof a === 'number' && typeof b === 'number' ? a - b : compare(String(a), String(b)));
/** @param {Seen} a @param {Seen} b */
const byName = ([, , a], [, , b]) => compare(a, b);
/** @param {string} a @param {string} b */
const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

/**
 * A list is one statement's result, so it shows one moment of the database, under any policy: each transaction whole or
 * not at all, and nothing that was replaced before the latest write which it shows had begun.
 * @param {Read} read
 * @param {readonly Observation[]} observations
 * @param {ReadonlyMap<Key, RowOrder>} orders
 * @param {ReadonlyMap<string, readonly [Key, number][]>} transactions
 * @returns {Phantom[]}
 */
function torn(read, observations, orders, transactions) {
  const listed = observations.filter(({ key, absence }) => !absence && key !== read.key);
  const positions = new Map(listed.map(({ key, position }) => [key, position]));
  const writes = read.rows.flatMap(([key, version, name]) => {
    const order = orders.get(key);
    const [first] = order?.positionsOf(version, name) ?? [];
    return key === read.key || first === undefined ? [] : [order?.versions.get(first)];
  });
  const notBeforeMs = writes.reduce(
    (latest, known) => Math.max(latest, known?.write?.invokedMs ?? -Infinity),
    -Infinity,
  );
  /** @type {Phantom[]} */
  const found = [];
  for (const [key, position] of positions) {
    const order = /** @type {RowOrder} */ (orders.get(key));
    const version = order.versions.get(position)?.version;
    if (order.supersededMs(position, 'sql', read.category) < notBeforeMs)
      found.push({ read, key, version, why: 'torn: replaced before another row of the list was written' });
    const { tx, restored } = order.versions.get(position) ?? {};
    const others = tx === undefined || restored ? [] : (transactions.get(tx) ?? []);
    for (const [other, written] of others) {
      const seen = positions.get(other);
      if (seen !== undefined && seen < written)
        found.push({ read, key: other, version, why: `torn: without what the transaction of ${key} wrote` });
    }
  }
  return found;
}
