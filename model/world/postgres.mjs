// @ts-check

/*
 * PostgreSQL, as far as the protocol relies on it: transaction ids, snapshots, one locked row, WAL order.
 * Read committed; each statement has a snapshot of its own.
 * @see https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-PG-SNAPSHOT
 * Not modelled: id wraparound, subtransaction ids, prepared transactions. A history that goes back is the authority's model.
 */

/** @typedef {import('../../src/cache/core/snapshot.js').Snapshot} Snapshot */

/**
 * A value of the row is the set of writers whose change it contains, as bits: a value that never was has no place in
 * the history.
 * @typedef {object} Postgres
 * @property {number} nextXid
 * @property {number} completed highest id that has ended
 * @property {readonly number[]} running ascending
 * @property {readonly number[]} history committed values, oldest first
 * @property {number} lockedBy index of the writer that holds the row; -1: nobody
 * @property {readonly Ended[]} ended in WAL order, with what was committed by then
 */

/** @typedef {{ readonly xid: number, readonly commits: number }} Ended */

/** Ids below belong to a past that everybody has seen. */
export const firstXid = 10;

/** @type {Postgres} */
export const postgres = {
  nextXid: firstXid,
  completed: firstXid - 1,
  running: [],
  history: [0],
  lockedBy: -1,
  ended: [],
};

/** @param {Postgres} pg @returns {Postgres} with one more running transaction, whose id is the old `nextXid` */
export const begin = (pg) => ({ ...pg, nextXid: pg.nextXid + 1, running: [...pg.running, pg.nextXid] });

/**
 * The end of a transaction: its id is visible, or gone, in every later snapshot, and its locks are free.
 * @param {Postgres} pg
 * @param {number} xid
 * @param {number | undefined} value what it commits; undefined: it is rolled back
 * @param {number} [writer] who may hold the row
 * @returns {Postgres}
 */
export function end(pg, xid, value, writer) {
  const history = value === undefined ? pg.history : [...pg.history, value];
  return {
    ...pg,
    running: pg.running.filter((id) => id !== xid),
    completed: Math.max(pg.completed, xid),
    history,
    lockedBy: pg.lockedBy === writer ? -1 : pg.lockedBy,
    ended: [...pg.ended, { xid, commits: history.length }],
  };
}

/** @param {Postgres} pg the committed row */
export const current = (pg) => /** @type {number} */ (pg.history.at(-1));

/** @param {Postgres} pg @returns {Snapshot} as the primary's `pg_current_snapshot()` */
export function snapshotOf(pg) {
  const xmax = pg.completed + 1;
  const running = pg.running.filter((xid) => xid < xmax);
  return { xmin: running.length === 0 ? xmax : Math.min(...running), xmax, running };
}

/**
 * What a standby says that has replayed so much of the WAL: it does not show which ids below xmax are running. A transaction
 * under REPEATABLE READ that began then sees the same row.
 * @param {Postgres} pg
 * @param {number} replayed
 * @returns {{ readonly value: number, readonly snapshot: Snapshot }}
 */
export function onStandby(pg, replayed) {
  const seen = pg.ended.slice(0, replayed);
  const highest = Math.max(firstXid - 1, ...seen.map(({ xid }) => xid));
  let xmin = firstXid;
  while (seen.some(({ xid }) => xid === xmin)) xmin += 1;
  const value = /** @type {number} */ (pg.history[(seen.at(-1)?.commits ?? 1) - 1]);
  return { value, snapshot: { xmin, xmax: highest + 1, running: [] } };
}

/** As `pg_current_snapshot()` in a transaction that has written: its own id is not among those that are running. @param {Postgres} pg @param {number} own */
export function snapshotWithin(pg, own) {
  const { xmin, xmax, running } = snapshotOf(pg);
  return { xmin, xmax: Math.max(xmax, own + 1), running: running.filter((xid) => xid !== own) };
}

/** The same, of all that has ended, and as if its own transaction had committed. @param {Postgres} pg @param {number} own @returns {Snapshot} */
export function snapshotAsOwn(pg, own) {
  const { xmin, xmax } = snapshotOf(pg);
  const last = Math.max(xmax, own + 1);
  return { xmin, xmax: last, running: pg.running.filter((xid) => xid !== own && xid < last) };
}

/** @param {Postgres} pg @param {boolean} wal whether anything can still ask for its order */
export const postgresKey = (pg, wal) =>
  `${pg.nextXid},${pg.completed},${pg.lockedBy};${pg.running.join()};${pg.history.join()}` +
  (wal ? `;${pg.ended.map(({ xid }) => xid).join()}` : '');
