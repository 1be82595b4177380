import { type Transaction } from '../memory-postgres.js';

type Mode = 'shared' | 'exclusive';

interface Waiter {
  readonly transaction: Transaction;
  readonly mode: Mode;
  readonly granted: () => void;
}

/** A lock that is held until its transaction ends, first come first served: a shared one waits behind an exclusive that waits. */
export class TransactionLock {
  readonly #holders = new Map<Transaction, Mode>();
  readonly #queue: Waiter[] = [];

  holding(mode: Mode): readonly Transaction[] {
    return [...this.#holders].flatMap(([transaction, held]) => (held === mode ? [transaction] : []));
  }

  /** Whether it is held now; otherwise `granted` is called once it is. */
  take(transaction: Transaction, mode: Mode, granted: () => void): boolean {
    if (this.#holders.has(transaction)) return true;
    if (this.#queue.length === 0 && this.#free(mode)) {
      this.#holders.set(transaction, mode);
      return true;
    }
    this.#queue.push({ transaction, mode, granted });
    return false;
  }

  release(transaction: Transaction): void {
    this.#holders.delete(transaction);
    for (let next = this.#queue[0]; next; next = this.#queue[0]) {
      if (next.transaction.state !== 'ended') {
        if (!this.#free(next.mode)) return;
        this.#holders.set(next.transaction, next.mode);
        next.granted();
      }
      this.#queue.shift();
    }
  }

  #free(mode: Mode): boolean {
    return this.#holders.size === 0 || (mode === 'shared' && ![...this.#holders.values()].includes('exclusive'));
  }
}
