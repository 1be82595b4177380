import { Injectable, type OnModuleInit } from '@nestjs/common';
import {
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
import { type EntityRule, EntityRules, keySpelling, listTags, noteStatement, rowTags } from '../../cache/index.js';
import { UnguardedWriteError, UnsupportedKeyError } from '../invalidation.errors.js';
import { Invalidator } from '../invalidator.js';
import { CommitPlanner } from '../policies/commit-planner.js';
import { identify } from '../policies/identify.js';
import { PolicyRegistry } from '../policies/policy-registry.js';
import { Frame } from './frame.js';
import { lockedIn, type OpenTransaction, OpenTransactions } from './open-transactions.js';
import { lockRow } from './row-reader.js';
import { makeStatementsTransactions } from './statement-transactions.js';
import { upsertedTable } from './upserts.js';

/** Wherever it comes from: TypeORM, or a text of the user's own. */
const commits = /(?:^|;)\s*(?:commit|end|prepare\s+transaction)\b/i;
const rollsBack = /(?:^|;)\s*rollback\b/i;

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
    private readonly registry: PolicyRegistry,
    private readonly planner: CommitPlanner,
    private readonly invalidator: Invalidator,
    private readonly transactions: OpenTransactions,
  ) {}

  onModuleInit(): void {
    for (const rule of this.rules.all()) this.#spellKeys(rule);
    this.dataSource.subscribers.push(this);
    makeStatementsTransactions(this.dataSource, this.rules);
  }

  /** @throws {UnsupportedKeyError} for a type of key that has several spellings of one key, of which one cannot be told */
  #spellKeys({ entity, target }: EntityRule<object>): void {
    if (!this.dataSource.hasMetadata(target)) return;
    const [key, ...others] = this.dataSource.getMetadata(target).primaryColumns;
    if (!key || others.length > 0) return;
    const type = this.dataSource.driver.normalizeType(key);
    const spelling = keySpelling(type);
    if (!spelling) throw new UnsupportedKeyError(entity, key.propertyName, type);
    this.rules.spellKeys(entity, spelling);
  }

  async afterTransactionStart({ queryRunner }: TransactionStartEvent): Promise<void> {
    const transaction = this.transactions.get(queryRunner);
    if (transaction) return void transaction.frames.push(new Frame());
    const rules = await this.registry.inTransaction(queryRunner);
    this.transactions.set(queryRunner, { frames: [new Frame()], ...rules, statements: 0, upserted: new Set() });
  }

  async afterTransactionCommit({ queryRunner, manager }: TransactionCommitEvent): Promise<void> {
    const transaction = this.transactions.get(queryRunner);
    const ended = transaction?.frames.pop();
    if (!transaction || !ended) return;
    const parent = transaction.frames.at(-1);
    if (parent) return parent.absorb(ended);
    this.transactions.delete(queryRunner);
    await transaction.plan?.committed(manager);
    if (transaction.statements !== transaction.plannedAt) await this.#fenceAll([ended], manager);
  }

  /** A COMMIT that failed on the wire comes here next; whether it took effect nobody knows. */
  async beforeTransactionRollback({ queryRunner }: TransactionRollbackEvent): Promise<void> {
    const transaction = this.transactions.get(queryRunner);
    if (transaction?.plannedAt === undefined || transaction.frames.length > 1) return;
    this.transactions.delete(queryRunner);
    await transaction.plan?.unknown();
    if (transaction.statements !== transaction.plannedAt)
      await this.#fenceAll(transaction.frames, this.dataSource.manager);
  }

  /** A statement was sent behind what was planned for the COMMIT: what it has changed is not in the plan. */
  async #fenceAll(frames: readonly Frame[], manager: EntityManager): Promise<void> {
    const changed = frames.flatMap(({ changes }) => changes.map(({ rule }) => rule.entity));
    const entities = changed.filter((entity) => this.registry.writersOf(entity) !== 'ttl');
    if (entities.length === 0) return;
    const coarse = [...new Set(entities)].map((entity) => rowTags(entity, '').coarse);
    await this.invalidator.committed(coarse, [], await identify(manager));
  }

  async afterTransactionRollback({ queryRunner }: TransactionRollbackEvent): Promise<void> {
    const transaction = this.transactions.get(queryRunner);
    if (!transaction) return;
    transaction.frames.pop();
    if (transaction.frames.length > 0) return;
    this.transactions.delete(queryRunner);
    await transaction.plan?.rolledBack();
  }

  /** COMMIT is planned for when it is sent, and not before: every other subscriber has said then what it had to say. */
  beforeQuery({ query, queryRunner }: BeforeQueryEvent): Promise<void> | void {
    noteStatement();
    const transaction = this.transactions.get(queryRunner);
    if (!transaction) return;
    if (commits.test(query)) return this.#planCommit(queryRunner, transaction);
    transaction.statements += 1;
    const table = upsertedTable(query);
    if (table !== undefined) transaction.upserted.add(table);
    // One that was written by hand may end locks; TypeORM's own have frames, which end with them.
    if (rollsBack.test(query)) for (const frame of transaction.frames) frame.forgetLocks();
  }

  async #planCommit({ manager }: QueryRunner, transaction: OpenTransaction): Promise<void> {
    const whole = new Frame();
    for (const frame of transaction.frames) whole.absorb(frame);
    transaction.plan = await this.planner.plan(manager, whole, transaction);
    transaction.plannedAt = transaction.statements += 1;
  }

  beforeInsert({ metadata, queryRunner }: InsertEvent<object>): void {
    this.#ruleOf(metadata.target, queryRunner);
  }

  afterInsert({ metadata, queryRunner, entity }: InsertEvent<object | undefined>): void {
    const rule = this.#ruleOf(metadata.target, queryRunner);
    if (!rule) return;
    const transaction = this.transactions.get(queryRunner);
    const frame = transaction?.frames.at(-1);
    const id = entity && rule.idOf(entity);
    if (frame && id !== undefined && id !== null) {
      const replaces = transaction?.upserted.has(metadata.tablePath);
      frame.change(rule, this.rules.spell(rule.entity, id), replaces ? undefined : []);
    } else frame?.changeUnknown(rule);
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

  afterUpdate(event: UpdateEvent<object>): void {
    this.#afterBulk(event);
  }

  afterRemove(event: RemoveEvent<object>): void {
    this.#afterBulk(event);
  }

  afterSoftRemove(event: SoftRemoveEvent<object>): void {
    this.#afterBulk(event);
  }

  afterRecover(event: RecoverEvent<object>): void {
    this.#afterBulk(event);
  }

  /** Takes the committed image of the row under its lock: TypeORM's own may be older. */
  async #beforeChange({ metadata, queryRunner, databaseEntity }: BeforeWrite): Promise<void> {
    const rule = this.#ruleOf(metadata.target, queryRunner);
    const transaction = this.transactions.get(queryRunner);
    const frame = transaction?.frames.at(-1);
    if (!rule || !transaction || !frame || !databaseEntity || frame.isUnknown(rule)) return;
    const id = this.rules.spell(rule.entity, rule.idOf(databaseEntity));
    const known = transaction.frames.some((outer) => outer.has(rule, id));
    if (known) return frame.change(rule, id, listTags(rule, databaseEntity));
    const locked = lockedIn(transaction, rule, id);
    if (locked) return frame.change(rule, id, locked.lists);
    const before = await lockRow(queryRunner.manager, rule, id);
    if (before) return frame.change(rule, id, listTags(rule, before));
    // It was removed meanwhile; should another be inserted before the statement comes, nobody knows its lists.
    frame.changeUnknown(rule);
  }

  /** Statements that name no row: `repository.update()`, `delete(criteria)`, query builders. */
  #afterBulk({ metadata, queryRunner, databaseEntity }: BeforeWrite): void {
    const rule = this.rules.of(metadata.target);
    if (rule && !databaseEntity) this.#frame(queryRunner)?.changeUnknown(rule);
  }

  /** Outside of a transaction nothing can be fenced: `save(…, { transaction: false })` is the only way that is left to it. */
  #ruleOf(target: unknown, queryRunner: QueryRunner): EntityRule<object> | undefined {
    const rule = this.rules.of(target);
    if (rule && !this.#frame(queryRunner)) throw new UnguardedWriteError(rule.entity);
    return rule;
  }

  #frame(queryRunner: QueryRunner): Frame | undefined {
    return this.transactions.get(queryRunner)?.frames.at(-1);
  }
}
