/**
 * A transaction id. PostgreSQL's are 64 bits wide; like the scripts in Redis, this counts on them staying below 2^53:
 * at a million transactions a second, for the next 285 years.
 */
export type Xid = number;

/**
 * A PostgreSQL snapshot: which transactions a read has seen.
 * @see https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-PG-SNAPSHOT
 */
export interface Snapshot {
  /** Every id below is finished, and seen if it committed. */
  readonly xmin: Xid;
  /** Every id from here on is not seen. */
  readonly xmax: Xid;
  /** Ids between the two that were still running, hence not seen. */
  readonly running: readonly Xid[];
}

const shape = /^(\d+):(\d+):((?:\d+(?:,\d+)*)?)$/;

/** @throws {TypeError} if the text is not what `pg_current_snapshot()` prints. */
export function parseSnapshot(text: string): Snapshot {
  const match = shape.exec(text);
  if (!match) throw new TypeError(`not a snapshot: ${JSON.stringify(text)}`);
  const [, xmin, xmax, running = ''] = match;
  return { xmin: Number(xmin), xmax: Number(xmax), running: running === '' ? [] : running.split(',').map(Number) };
}

/** Whether the snapshot sees the outcome of a transaction. */
export function sees(snapshot: Snapshot, xid: Xid): boolean {
  return xid < snapshot.xmin || (xid < snapshot.xmax && !snapshot.running.includes(xid));
}

/** Ids that have been given out and not ended; more than connections that can be open. */
const maxBetween = 10_000;

/**
 * The snapshot of a statement inside a transaction, as if that had committed before: all that the statement has seen, and its
 * own transaction. PostgreSQL lists the id of the asking transaction nowhere, and may count it as one of the future.
 * @param text what `pg_current_snapshot()` prints @param xid of the transaction
 * @returns undefined where too many ids would have to be listed
 */
export function withOwn(text: string, xid: Xid): string | undefined {
  const { xmin, xmax, running } = parseSnapshot(text);
  const between = Math.max(0, xid - xmax);
  if (between > maxBetween) return undefined;
  const later = Array.from({ length: between }, (_, i) => xmax + i);
  return `${xmin}:${Math.max(xmax, xid + 1)}:${[...running, ...later].join(',')}`;
}
