import { Injectable, type OnModuleInit } from '@nestjs/common';
import {
  type AfterQueryEvent,
  type BeforeQueryEvent,
  DataSource,
  type EntityManager,
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
import { type EntityRule, EntityRules, listTags, noteStatement, type RowId, rowTags } from '../../cache/index.js';
import { policies } from '../../policies/index.js';
import { Invalidator } from '../invalidator.js';
import { CommitPlanner } from '../policies/commit-planner.js';
import { PolicyRegistry } from '../policies/policy-registry.js';
import { identify } from '../policies/identify.js';
import { CachedTables, type StatementChange } from '../writes/cached-tables.js';
import { mayChange, mayDefine } from '../writes/sql-writes.js';
import { controlsIn } from '../writes/transaction-control.js';
import { Frame } from './frame.js';
import { lockedIn, type OpenTransaction, OpenTransactions } from './open-transactions.js';
import { lockRow } from './row-reader.js';

type BeforeWrite = Pick<UpdateEvent<object>, 'metadata' | 'queryRunner' | 'databaseEntity'>;

/**
 * Joins the ORM's commit. TypeORM's transaction events also fire for savepoints, so frames are kept per QueryRunner and
 * only COMMIT itself acts: before it is sent this may still throw (the transaction fails); after it, never.
 */
@Injectable()
export class CacheSubscriber implements EntitySubscriberInterface, OnModuleInit {
  constructor(
    private readonly dataSource: DataSource,
    private readonly rules: EntityRules,
    private readonly tables: CachedTables,
    private readonly registry: PolicyRegistry,
    private readonly planner: CommitPlanner,
    private readonly invalidator: Invalidator,
    private readonly transactions: OpenTransactions,
  ) {}

  onModuleInit(): void {
    this.dataSource.subscribers.push(this);
  }

  async afterTransactionStart({ queryRunner }: TransactionStartEvent): Promise<void> {
    const transaction = this.transactions.get(queryRunner);
    if (transaction) return void transaction.frames.push(new Frame());
    const rules = await this.registry.inTransaction(queryRunner);
    this.transactions.set(queryRunner, {
      frames: [new Frame()],
      ...rules,
      statements: 0,
      underWay: new Set(),
      upserted: new Set(),
    });
  }

  async afterTransactionCommit({ queryRunner, manager }: TransactionCommitEvent): Promise<void> {
    const transaction = this.transactions.get(queryRunner);
    const ended = transaction?.frames.pop();
    if (!transaction || !ended) return;
    const parent = transaction.frames.at(-1);
    if (parent) return parent.absorb(ended);
    this.transactions.delete(queryRunner);
    if (transaction.defines) this.tables.defined();
    await transaction.plan?.committed();
    if (!isAsPlanned(transaction)) await this.#fenceAll(transaction, [ended], manager);
  }

  /** A COMMIT that failed on the wire comes here next; whether it took effect nobody knows. */
  async beforeTransactionRollback({ queryRunner }: TransactionRollbackEvent): Promise<void> {
    const transaction = this.transactions.get(queryRunner);
    if (transaction?.plannedAt === undefined) return;
    this.transactions.delete(queryRunner);
    await transaction.plan?.unknown();
    if (!isAsPlanned(transaction)) await this.#fenceAll(transaction, transaction.frames, this.dataSource.manager);
  }

  /** A statement was sent behind what was planned for the COMMIT, or beside it: what it has changed is not in the plan. */
  async #fenceAll({ policyOf }: OpenTransaction, frames: readonly Frame[], manager: EntityManager): Promise<void> {
    const changed = frames.flatMap(({ changes }) => changes.map(({ rule }) => rule.entity));
    const policiesOf = (entity: string) => [policyOf(entity), this.registry.writersOf(entity)];
    const entities = changed.filter((entity) => policiesOf(entity).some((name) => policies[name].tellsOfWrites));
    if (entities.length === 0) return;
    const coarse = [...new Set(entities)].map((entity) => rowTags(entity, '').coarse);
    await this.invalidator.afterwards(coarse, await identify(manager).catch(() => undefined));
  }

  async afterTransactionRollback({ queryRunner }: TransactionRollbackEvent): Promise<void> {
    const transaction = this.transactions.get(queryRunner);
    if (!transaction) return;
    transaction.frames.pop();
    if (transaction.frames.length > 0) return;
    this.transactions.delete(queryRunner);
    await transaction.plan?.rolledBack();
  }

  /**
   * What a statement changes is noted before it is sent. COMMIT is planned for when it is sent, and not before: every other
   * subscriber has said then what it had to say.
   */
  beforeQuery({ query, parameters, queryRunner }: BeforeQueryEvent): Promise<void> | undefined {
    noteStatement();
    const transaction = this.transactions.get(queryRunner);
    if (!transaction) return undefined;
    const controls = controlsIn(query);
    const commits = controls.includes('commit');
    if (!commits) transaction.statements += 1;
    // One that was written by hand may end locks; TypeORM's own have frames, which end with them.
    if (controls.some((control) => control === 'rollback' || control === 'rollback to'))
      for (const frame of transaction.frames) frame.forgetLocks();
    if (!mayChange(query)) return commits ? this.#planCommit(queryRunner, transaction) : undefined;
    return this.tables.refresh(queryRunner).then(() => {
      for (const change of this.tables.changedBy(query)) {
        if (!commits && transaction.ending === 'commit') transaction.overtaken = true;
        this.#note(transaction, change, parameters as readonly unknown[] | undefined);
      }
      return commits ? this.#planCommit(queryRunner, transaction) : undefined;
    });
  }

  afterQuery({ query, queryRunner }: AfterQueryEvent): void {
    if (!mayDefine(query)) return;
    this.tables.defined();
    const transaction = this.transactions.get(queryRunner);
    if (transaction) transaction.defines = true;
  }

  /** What a statement changes besides the rows that events name. */
  #note(transaction: OpenTransaction, change: StatementChange, parameters: readonly unknown[] = []): void {
    const { rule, rows, upserts, keys } = change;
    const { frames, upserted } = transaction;
    const frame = frames.at(-1);
    if (upserts) return void upserted.add(rule.entity);
    if (rows !== undefined) return frame?.expect(rule, rows);
    const isNamed = (number: number): boolean => {
      const id = this.rules.spell(rule.entity, parameters[number - 1] as RowId);
      if (frames.some((outer) => outer.has(rule, id))) return true;
      const locked = lockedIn(transaction, rule, id);
      if (locked) frame?.change(rule, id, locked);
      return locked !== undefined;
    };
    if (!keys?.every(isNamed)) frame?.changeUnknown(rule);
  }

  async #planCommit({ manager }: QueryRunner, transaction: OpenTransaction): Promise<void> {
    transaction.plan = await this.planner.plan(manager, transaction);
    transaction.plannedAt = transaction.statements += 1;
  }

  afterInsert({ metadata, queryRunner, entity }: InsertEvent<object | undefined>): void {
    const transaction = this.transactions.get(queryRunner);
    const frame = transaction?.frames.at(-1);
    if (!transaction || !frame || !entity) return;
    for (const rule of this.tables.namedBy(metadata)) {
      const id = rule.idOf(entity);
      if (id === undefined || id === null) continue;
      frame.insert(rule, this.rules.spell(rule.entity, id), transaction.upserted.has(rule.entity));
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
    const id = this.rules.spell(rule.entity, rule.idOf(databaseEntity));
    // Its lists as they are committed are known, and only those: what the transaction itself made of them nobody has seen.
    if (transaction.frames.some((outer) => outer.has(rule, id))) return frame.change(rule, id, []);
    const locked = lockedIn(transaction, rule, id);
    if (locked) return frame.change(rule, id, locked);
    const before = await lockRow(manager, rule, id);
    // Where it was removed meanwhile, another may be inserted before the statement comes, which then names a row unknown.
    if (before) frame.change(rule, id, listTags(rule, before));
  }
}

/** Nothing was sent behind what was planned for the COMMIT, or beside it. */
const isAsPlanned = ({ statements, plannedAt, overtaken }: OpenTransaction): boolean =>
  statements === plannedAt && !overtaken;
