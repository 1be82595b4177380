import { type MemoryPostgres, SqlError, Transaction } from '../memory-postgres.js';
import { type TransactionLock } from './transaction-lock.js';
import { type Steps } from './steps.js';

/** The database with what its sessions share. */
export interface Database {
  readonly postgres: MemoryPostgres;
  readonly policyLock: TransactionLock;
  /** Of the one row of `cache_policies`. */
  readonly policyRow: TransactionLock;
  readonly sessions: Set<Session>;
  /** Rows of `cache_policies`, by entity. */
  readonly policies: Map<string, PolicyRow>;
  /** The row of `cache_generation`, with the value of its sequence. */
  readonly generation: { name: string; server: string; usedAtMs: number; number: number };
}

export type PolicyRow = Readonly<Record<string, string | number>> & { readonly revision: number };

/** How a COMMIT ends: on the wire it may be lost before it arrives, or its answer is; or it takes effect much later. */
export type CommitFate = 'answered' | 'lost' | 'answer lost' | 'late';

interface Peer {
  readonly name: string;
  readonly alive: boolean;
}

const connectionLost = () => new SqlError('57P01', 'terminating connection due to administrator command');

/** A statement that cannot go on yet: `granted` is called when it can. */
export type Wait = (granted: () => void) => boolean;

/** One backend. Each statement is one step; what comes of it at the node is ordered by the node's next step. */
export class Session {
  transaction: Transaction | undefined;
  alive = true;
  fate: CommitFate = 'answered';
  /** Told of every statement before it is sent. */
  onStatement: (label: string) => void = () => undefined;
  /** A statement that has been sent and not executed. */
  #underWay: string | undefined;
  /** Ends a wait for a lock. */
  #interrupt: (error: Error) => void = () => undefined;

  constructor(
    readonly name: string,
    readonly node: Peer,
    private readonly database: Database,
    private readonly steps: Steps,
  ) {
    database.sessions.add(this);
  }

  begin(): void {
    this.#mustLive();
    this.transaction = new Transaction(this.name);
  }

  /**
   * @param waits taken one after the other before the work is done
   * @param atOnce where it cannot matter to anybody when it happens
   */
  async run<T>(label: string, work: () => T, waits: readonly Wait[] = [], atOnce = false): Promise<T> {
    this.onStatement(label);
    this.#underWay = label;
    await this.#step(label, atOnce);
    if (this.transaction?.state === 'failed' && !/^(ROLLBACK|COMMIT)/.test(label))
      throw new SqlError('25P02', 'current transaction is aborted');
    for (const wait of waits) {
      let wake: () => void = () => undefined;
      const woken = new Promise<void>((resolve, reject) => {
        wake = resolve;
        this.#interrupt = reject;
      });
      woken.catch(() => undefined);
      if (this.#guard(() => wait(wake))) continue;
      await woken;
      await this.#step(`${label} goes on`, false);
    }
    this.#underWay = undefined;
    const result = this.#guard(work);
    if (!atOnce && result !== undefined) this.steps.detail(() => `= ${JSON.stringify(result)}`);
    return result;
  }

  async commit(): Promise<void> {
    const { transaction, fate } = this;
    if (!transaction) return;
    if (fate === 'answered') return this.run('COMMIT', () => this.#apply(transaction));
    if (fate === 'answer lost') await this.run('COMMIT', () => this.#apply(transaction));
    if (fate === 'late') {
      this.steps.add(`pg ${this.name}: COMMIT, late`, () => this.#finish(transaction, 'commit'));
      this.transaction = undefined;
    }
    this.terminate();
    return this.run('COMMIT', () => undefined);
  }

  async rollback(): Promise<void> {
    const { transaction } = this;
    await this.run('ROLLBACK', () => transaction && this.#finish(transaction, 'abort'));
    this.transaction = undefined;
  }

  /** The backend ends, and with it what it has not committed. */
  terminate(): void {
    if (!this.alive) return;
    this.alive = false;
    this.database.sessions.delete(this);
    if (this.transaction) this.#finish(this.transaction, 'abort');
    if (this.node.alive) this.#interrupt(connectionLost());
  }

  /** The node is gone. A COMMIT that was sent is executed; everything else the backend gives up when it notices. */
  abandon(): void {
    if (this.#underWay === 'COMMIT' && this.transaction) {
      const { transaction } = this;
      this.steps.add(`pg ${this.name}: COMMIT of a dead node`, () => this.#finish(transaction, 'commit'));
      this.transaction = undefined;
      this.alive = false;
      this.database.sessions.delete(this);
    } else this.steps.add(`pg ${this.name}: the backend notices`, () => this.terminate());
  }

  end(): void {
    this.database.sessions.delete(this);
  }

  async #step(label: string, atOnce: boolean): Promise<void> {
    if (!this.node.alive) return new Promise(() => undefined);
    this.#mustLive();
    if (atOnce) return;
    await new Promise<void>((resolve, reject) =>
      this.steps.add(
        () => `pg ${this.name}: ${label}`,
        () => {
          if (!this.node.alive) return;
          if (this.alive) resolve();
          else reject(connectionLost());
        },
      ),
    );
  }

  #guard<T>(work: () => T): T {
    const { transaction } = this;
    try {
      return work();
    } catch (error) {
      if (transaction?.state === 'open') transaction.state = 'failed';
      throw error;
    }
  }

  #apply(transaction: Transaction): void {
    this.#finish(transaction, 'commit');
    this.transaction = undefined;
  }

  #finish(transaction: Transaction, how: 'commit' | 'abort'): void {
    this.database.postgres[how](transaction);
    this.database.policyLock.release(transaction);
    this.database.policyRow.release(transaction);
  }

  #mustLive(): void {
    if (!this.alive) throw connectionLost();
  }
}
