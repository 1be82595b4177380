/** A row of the one table. `rev` is new with every write, so that no two versions of a row look alike. */
export interface Row {
  readonly id: number;
  readonly category: string;
  readonly rev: number;
}

export class SqlError extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** Rows by id; null: deleted. */
type Changes = Map<number, Row | null>;

export class Transaction {
  xid: number | undefined;
  state: 'open' | 'failed' | 'ended' = 'open';
  /** What it has changed: one layer per savepoint. */
  readonly layers: Changes[] = [new Map()];
  readonly locked = new Set<number>();
  /** Rows that it inserted and then locked or replaced: their `xmax` is not zero. */
  readonly touchedInserts = new Set<number>();
  readonly onCommit: (() => void)[] = [];

  constructor(readonly name: string) {}
}

interface Waiter {
  readonly transaction: Transaction;
  readonly granted: () => void;
}

/**
 * READ COMMITTED as PostgreSQL does it, in memory: transaction ids are assigned by the first write, a statement sees what
 * is committed when it is executed and what its own transaction has done, row locks queue. A statement is executed at
 * once, hence needs no versions of rows; its snapshot is what tells it from later ones.
 */
export class MemoryPostgres {
  readonly #committed = new Map<number, Row>();
  readonly #running = new Map<number, Transaction>();
  readonly #owners = new Map<number, Transaction>();
  readonly #waiting = new Map<number, Waiter[]>();
  #nextXid = 100;
  #latestCompleted = 99;

  /** @param committed told of every transaction that has changed rows, at the moment when it becomes visible */
  constructor(
    rows: readonly Row[],
    private readonly committed: (transaction: Transaction) => void,
  ) {
    for (const row of rows) this.#committed.set(row.id, row);
  }

  /** `pg_current_snapshot()::text`. Its own id counts for xmin, and is not listed. */
  snapshot(own?: Transaction): string {
    const xmax = this.#latestCompleted + 1;
    const running = [...this.#running.keys()].filter((xid) => xid < xmax).sort((a, b) => a - b);
    const xmin = Math.min(xmax, ...running, own?.xid ?? xmax);
    return `${xmin}:${xmax}:${running.filter((xid) => xid !== own?.xid).join(',')}`;
  }

  /** `pg_current_xact_id()`; outside of a transaction, one of its own that ends at once. */
  xid(transaction?: Transaction): number {
    if (transaction?.xid !== undefined) return transaction.xid;
    const xid = this.#nextXid++;
    if (!transaction) this.#latestCompleted = Math.max(this.#latestCompleted, xid);
    else {
      transaction.xid = xid;
      this.#running.set(xid, transaction);
    }
    return xid;
  }

  /** Visible rows, by id. */
  rows(own?: Transaction): Row[] {
    const seen = new Map<number, Row | null>(this.#committed);
    for (const layer of own?.layers ?? []) for (const [id, row] of layer) seen.set(id, row);
    return [...seen.values()].filter((row) => row !== null).sort((a, b) => a.id - b.id);
  }

  row(id: number, own?: Transaction): Row | undefined {
    return this.rows(own).find((row) => row.id === id);
  }

  /** Whether the lock is held now; otherwise `granted` is called once it is. */
  lock(transaction: Transaction, id: number, granted: () => void): boolean {
    const owner = this.#owners.get(id);
    if (owner === transaction) return true;
    if (!owner) {
      this.#own(transaction, id);
      return true;
    }
    if (this.#waitsFor(owner, transaction)) throw new SqlError('40P01', 'deadlock detected');
    const queue = this.#waiting.get(id) ?? [];
    queue.push({ transaction, granted });
    this.#waiting.set(id, queue);
    return false;
  }

  /** The row must be locked. */
  write(transaction: Transaction, id: number, row: Row | null): void {
    if (transaction.layers.length > 1) this.#subtransaction(transaction);
    this.xid(transaction);
    transaction.layers.at(-1)!.set(id, row);
  }

  savepoint(transaction: Transaction): void {
    transaction.layers.push(new Map());
  }

  release(transaction: Transaction): void {
    const inner = transaction.layers.pop()!;
    for (const [id, row] of inner) transaction.layers.at(-1)!.set(id, row);
  }

  rollbackTo(transaction: Transaction): void {
    transaction.layers.pop();
    transaction.state = 'open';
  }

  commit(transaction: Transaction): void {
    if (transaction.state === 'failed') return this.abort(transaction);
    if (transaction.state === 'ended') return;
    for (const [id, row] of transaction.layers[0]!) {
      if (row) this.#committed.set(id, row);
      else this.#committed.delete(id);
    }
    for (const act of transaction.onCommit) act();
    if (transaction.layers[0]!.size > 0) this.committed(transaction);
    this.#end(transaction);
  }

  abort(transaction: Transaction): void {
    if (transaction.state !== 'ended') this.#end(transaction);
  }

  #end(transaction: Transaction): void {
    transaction.state = 'ended';
    if (transaction.xid !== undefined) {
      this.#running.delete(transaction.xid);
      this.#latestCompleted = Math.max(this.#latestCompleted, transaction.xid);
    }
    for (const [id, queue] of this.#waiting)
      this.#waiting.set(
        id,
        queue.filter((waiter) => waiter.transaction !== transaction),
      );
    for (const id of transaction.locked) {
      this.#owners.delete(id);
      const next = this.#waiting.get(id)?.shift();
      if (!next) continue;
      this.#own(next.transaction, id);
      next.granted();
    }
  }

  #own(transaction: Transaction, id: number): void {
    this.#owners.set(id, transaction);
    transaction.locked.add(id);
  }

  #waitsFor(from: Transaction, target: Transaction): boolean {
    for (const [id, queue] of this.#waiting) {
      if (!queue.some(({ transaction }) => transaction === from)) continue;
      const owner = this.#owners.get(id);
      if (owner && (owner === target || this.#waitsFor(owner, target))) return true;
    }
    return false;
  }

  /** A subtransaction that writes takes an id as well; no snapshot shows it. */
  #subtransaction(transaction: Transaction): void {
    this.xid(transaction);
    if (transaction.layers.at(-1)!.size === 0) this.#nextXid += 1;
  }
}
