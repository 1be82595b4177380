import { Injectable, type OnModuleInit } from '@nestjs/common';
import {
  type BeforeQueryEvent,
  DataSource,
  type EntitySubscriberInterface,
  type InsertEvent,
  type QueryRunner,
  type RecoverEvent,
  type RemoveEvent,
  type SoftRemoveEvent,
  type TransactionCommitEvent,
  type TransactionRollbackEvent,
  type TransactionStartEvent,
  type UpdateEvent,
} from 'typeorm';
import { type EntityRule, listTags } from '../../cache/index.js';
import { CommitPlanner } from '../policies/commit-planner.js';
import { PolicyRegistry } from '../policies/policy-registry.js';
import { CachedTables } from '../writes/cached-tables.js';
import { Frame } from './frame.js';
import { lockedIn, type OpenTransaction, OpenTransactions } from './open-transactions.js';
import { lockRow } from './row-reader.js';

type BeforeWrite = Pick<UpdateEvent<object>, 'metadata' | 'queryRunner' | 'databaseEntity'>;

/**
 * Joins the ORM's commit. TypeORM's transaction events also fire for savepoints, so frames are kept per QueryRunner and
 * only the outermost one acts: before COMMIT it may still throw (the transaction fails); after it, never.
 */
@Injectable()
export class CacheSubscriber implements EntitySubscriberInterface, OnModuleInit {
  constructor(
    private readonly dataSource: DataSource,
    private readonly tables: CachedTables,
    private readonly registry: PolicyRegistry,
    private readonly planner: CommitPlanner,
    private readonly transactions: OpenTransactions,
  ) {}

  onModuleInit(): void {
    this.dataSource.subscribers.push(this);
  }

  async afterTransactionStart({ queryRunner }: TransactionStartEvent): Promise<void> {
    const transaction = this.transactions.get(queryRunner);
    if (transaction) return void transaction.frames.push(new Frame());
    const policyOf = await this.registry.inTransaction(queryRunner);
    this.transactions.set(queryRunner, { frames: [new Frame()], policyOf, statements: 0, committing: false });
  }

  async beforeTransactionCommit({ queryRunner, manager }: TransactionCommitEvent): Promise<void> {
    const transaction = this.transactions.get(queryRunner);
    const [outermost, ...savepoints] = transaction?.frames ?? [];
    if (!transaction || !outermost || savepoints.length > 0) return;
    transaction.plan = await this.planner.plan(manager, outermost, transaction);
    transaction.committing = true;
  }

  async afterTransactionCommit({ queryRunner }: TransactionCommitEvent): Promise<void> {
    const transaction = this.transactions.get(queryRunner);
    const ended = transaction?.frames.pop();
    if (!transaction || !ended) return;
    const parent = transaction.frames.at(-1);
    if (parent) return parent.absorb(ended);
    this.transactions.delete(queryRunner);
    await transaction.plan?.committed();
  }

  /** A COMMIT that failed on the wire comes here next; whether it took effect nobody knows. */
  async beforeTransactionRollback({ queryRunner }: TransactionRollbackEvent): Promise<void> {
    const transaction = this.transactions.get(queryRunner);
    if (!transaction?.committing || transaction.frames.length > 1) return;
    this.transactions.delete(queryRunner);
    await transaction.plan?.unknown();
  }

  async afterTransactionRollback({ queryRunner }: TransactionRollbackEvent): Promise<void> {
    const transaction = this.transactions.get(queryRunner);
    if (!transaction) return;
    transaction.frames.pop();
    if (transaction.frames.length > 0) return;
    this.transactions.delete(queryRunner);
    await transaction.plan?.rolledBack();
  }

  beforeQuery({ queryRunner }: BeforeQueryEvent): void {
    const transaction = this.transactions.get(queryRunner);
    if (transaction) transaction.statements += 1;
  }

  afterInsert({ metadata, queryRunner, entity }: InsertEvent<object | undefined>): void {
    const frame = this.transactions.get(queryRunner)?.frames.at(-1);
    for (const rule of this.tables.namedBy(metadata)) {
      const id = entity && rule.idOf(entity);
      if (id !== undefined && id !== null) frame?.change(rule, id, undefined);
    }
  }

  beforeUpdate(event: UpdateEvent<object>): Promise<void> {
    return this.#beforeChange(event);
  }

  beforeRemove(event: RemoveEvent<object>): Promise<void> {
    return this.#beforeChange(event);
  }

  beforeSoftRemove(event: SoftRemoveEvent<object>): Promise<void> {
    return this.#beforeChange(event);
  }

  beforeRecover(event: RecoverEvent<object>): Promise<void> {
    return this.#beforeChange(event);
  }

  /** Takes the committed image of the row under its lock: TypeORM's own may be older. */
  async #beforeChange({ metadata, queryRunner, databaseEntity }: BeforeWrite): Promise<void> {
    const transaction = this.transactions.get(queryRunner);
    if (!transaction || !databaseEntity) return;
    for (const rule of this.tables.namedBy(metadata)) await this.#lock(transaction, rule, databaseEntity, queryRunner);
  }

  async #lock(
    transaction: OpenTransaction,
    rule: EntityRule<object>,
    databaseEntity: object,
    { manager }: QueryRunner,
  ): Promise<void> {
    const frame = transaction.frames.at(-1);
    if (!frame || frame.isUnknown(rule)) return;
    const id = rule.idOf(databaseEntity);
    // Its lists as they are committed are known, and only those: what the transaction itself made of them nobody has seen.
    if (transaction.frames.some((outer) => outer.has(rule, id))) return frame.change(rule, id, []);
    const locked = lockedIn(transaction, rule, id);
    if (locked) return frame.change(rule, id, locked.lists);
    const before = await lockRow(manager, rule, id);
    // Where it was removed meanwhile, another may be inserted before the statement comes, which then names a row unknown.
    if (before) frame.change(rule, id, listTags(rule, before));
  }
}
