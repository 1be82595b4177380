import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate } from 'node:timers/promises';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import type pg from 'pg';
import {
  DataSource,
  type EntitySubscriberInterface,
  type QueryRunner,
  type TransactionCommitEvent,
  type TransactionRollbackEvent,
} from 'typeorm';
import { policies } from '../../policies/index.js';
import { OvertakingWriteError, UnguardedWriteError } from '../invalidation.errors.js';
import { CachedTables } from '../writes/cached-tables.js';
import { mayChange } from '../writes/sql-writes.js';
import { controlsIn } from '../writes/transaction-control.js';
import { type OpenTransaction, OpenTransactions } from './open-transactions.js';

// Nothing else ends like these: PREPARE TRANSACTION and AND CHAIN are sent as they are.
const commit = /^\s*(?:commit|end)(?:\s+(?:work|transaction))?\s*;?\s*$/i;
const rollback = /^\s*(?:rollback|abort)(?:\s+(?:work|transaction))?\s*;?\s*$/i;

type Query = (sql: string, parameters?: unknown[], structured?: boolean) => Promise<unknown>;

/**
 * A statement that commits by itself leaves no time to fence before, and no lock to hold the policy by. So no statement
 * that changes a cached entity does: wherever it comes from (query builders, `clear()`, raw SQL), it is sent inside a
 * transaction of TypeORM's own, and is one more writer like any other. A transaction that was begun as SQL (`BEGIN`) is
 * made known to TypeORM and to its subscribers, which would otherwise begin, and commit, another one inside it.
 *
 * Every statement of the data source but a stream passes `query` of a QueryRunner, and every QueryRunner comes from its
 * driver. TypeORM's events come too late for this: nothing that they begin is rolled back when they fail.
 */
@Injectable()
export class StatementTransactions implements EntitySubscriberInterface, OnModuleInit {
  /** Whose statement is being sent, in its transaction. */
  readonly #sending = new AsyncLocalStorage<QueryRunner>();
  /** Transactions that were begun as SQL. Subscribers are told with the first statement but SET, so SET TRANSACTION comes first. */
  readonly #asSql = new WeakMap<QueryRunner, 'begun' | 'told'>();

  constructor(
    private readonly dataSource: DataSource,
    private readonly tables: CachedTables,
    private readonly transactions: OpenTransactions,
  ) {}

  onModuleInit(): void {
    const { driver } = this.dataSource;
    const create = driver.createQueryRunner.bind(driver);
    driver.createQueryRunner = (mode) => this.#guard(create(mode));
    this.dataSource.subscribers.push(this);
  }

  beforeTransactionCommit({ queryRunner }: TransactionCommitEvent): void {
    this.#leave(queryRunner);
  }

  beforeTransactionRollback({ queryRunner }: TransactionRollbackEvent): void {
    this.#leave(queryRunner);
  }

  /** TypeORM ends the transaction itself, however it was begun; with a savepoint it goes on. */
  #leave(runner: QueryRunner): void {
    if ((this.transactions.get(runner)?.frames.length ?? 1) === 1) this.#asSql.delete(runner);
  }

  #guard(runner: QueryRunner): QueryRunner {
    const query = runner.query.bind(runner) as Query;
    /** The transaction of an earlier statement that has not ended: a connection has one at a time. */
    let last: Promise<unknown> | undefined;
    const guarded: Query = async (sql, parameters, structured) => {
      const send = (): Promise<unknown> => this.#inOrder(runner, sql, () => query(sql, parameters, structured));
      if (this.#sending.getStore() === runner) return send();
      if (this.#asSql.has(runner)) return this.#sendInTransaction(runner, sql, send);
      if (!last && runner.isTransactionActive) return send();
      const controls = controlsIn(sql);
      if (controls.length === 1 && controls[0] === 'begin') return this.#begin(runner, send);
      if (!mayChange(sql)) return send();
      await this.tables.refresh(runner);
      const [change] = this.tables.changedBy(sql);
      if (!change) return send();
      const before = last;
      const own = (async () => {
        await before?.catch(() => undefined);
        if (runner.isTransactionActive) return send();
        const leftOpen = controls.findLast((control) => control !== undefined) === 'begin';
        if (leftOpen || (await isInTransaction(runner))) throw new UnguardedWriteError(change.rule.entity);
        return this.#sending.run(runner, () => runner.manager.transaction(send));
      })();
      last = own;
      return own.finally(() => {
        if (last === own) last = undefined;
      });
    };
    runner.query = guarded as QueryRunner['query'];
    return runner;
  }

  /**
   * What ends a transaction or a savepoint waits for every statement before it, and for those that follow from them. One that
   * comes later would take effect outside of what it was meant to be part of: beside a ROLLBACK, and under strict beside a
   * COMMIT or behind one, it is refused.
   * @throws {OvertakingWriteError}
   */
  async #inOrder(runner: QueryRunner, sql: string, send: () => Promise<unknown>): Promise<unknown> {
    const transaction = this.transactions.get(runner);
    if (!transaction) return send();
    const { underWay } = transaction;
    const ending = controlsIn(sql).findLast((control) => control !== undefined && control !== 'begin');
    if (ending !== undefined) {
      if (ending !== 'commit') transaction.ending = ending;
      while (underWay.size > 0) await Promise.allSettled(underWay).then(() => setImmediate());
      transaction.ending = ending;
      let hasEnded = false;
      try {
        const result = await send();
        hasEnded = ending !== 'rollback to';
        return result;
      } finally {
        // What comes behind the end of a transaction by hand commits by itself.
        transaction.ending = hasEnded ? 'commit' : undefined;
      }
    }
    if (!mayChange(sql)) return send();
    if (transaction.ending !== undefined) await this.#assertInTime(runner, transaction, sql);
    const sent = send();
    underWay.add(sent);
    return sent.finally(() => underWay.delete(sent));
  }

  async #assertInTime(runner: QueryRunner, { ending, policyOf }: OpenTransaction, sql: string): Promise<void> {
    await this.tables.refresh(runner);
    const changed = this.tables.changedBy(sql).map(({ rule }) => rule.entity);
    const late = changed.find((entity) => ending !== 'commit' || policies[policyOf(entity)].isCertain);
    if (late !== undefined) throw new OvertakingWriteError(late);
  }

  async #begin(runner: QueryRunner, send: () => Promise<unknown>): Promise<unknown> {
    const result = await send();
    Object.assign(runner, { isTransactionActive: true, transactionDepth: 1 });
    this.#asSql.set(runner, 'begun');
    return result;
  }

  /** In a transaction that was begun as SQL: its COMMIT or ROLLBACK is TypeORM's. */
  async #sendInTransaction(runner: QueryRunner, sql: string, send: () => Promise<unknown>): Promise<unknown> {
    // SET TRANSACTION must come before any query, hence before those of subscribers.
    if (this.#asSql.get(runner) === 'begun' && !/^\s*set\b/i.test(sql)) {
      this.#asSql.set(runner, 'told');
      await runner.broadcaster.broadcast('AfterTransactionStart');
    }
    if (rollback.test(sql)) return runner.rollbackTransaction().then(() => []);
    const commits = commit.test(sql);
    try {
      const result = commits ? await runner.commitTransaction().then(() => []) : await send();
      // Of several statements, one may have ended it.
      if (!commits && !(await isInTransaction(runner))) await runner.commitTransaction();
      return result;
    } catch (error) {
      if (commits || !(await isInTransaction(runner))) await runner.rollbackTransaction().catch(() => undefined);
      throw error;
    }
  }
}

/** As PostgreSQL has said with its last answer. */
async function isInTransaction(runner: QueryRunner): Promise<boolean> {
  const client = (await runner.connect()) as pg.ClientBase;
  return client.getTransactionStatus() !== 'I';
}
