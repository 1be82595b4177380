import { Injectable } from '@nestjs/common';
import { type EntityManager } from 'typeorm';
import { type EntityRule, EntityRules, listTags, type RowId } from '../../cache/index.js';
import { OpenTransactions } from './open-transactions.js';
import { lockRow, rereadRows } from './row-reader.js';

/**
 * For writers that look at a row before and after they change it. What they see is remembered for the commit, which then
 * need not ask once more. Any other way to lock and to read is as good, and a statement dearer each.
 */
@Injectable()
export class LockedRows {
  constructor(
    private readonly transactions: OpenTransactions,
    private readonly rules: EntityRules,
  ) {}

  /** The row as it is committed, locked until the transaction ends; null if there is none. */
  async lock<Row extends object>(manager: EntityManager, rule: EntityRule<Row>, id: RowId): Promise<Row | null> {
    const row = await lockRow(manager, rule, id);
    // The lock ends with the savepoint that took it, and so does what is noted in its frame.
    const frame = this.#of(manager)?.frames.at(-1);
    if (row) frame?.noteLocked(rule, this.rules.spell(rule.entity, id), listTags(rule, row));
    return row;
  }

  /** A row that this transaction has written, triggers and defaults included; best asked last. */
  async asWritten<Row extends object>(manager: EntityManager, rule: EntityRule<Row>, id: RowId): Promise<Row | null> {
    const transaction = this.#of(manager);
    const before = transaction?.statements ?? 0;
    const isAlone = transaction?.underWay.size === 0;
    const { rows, reread } = await rereadRows(manager, this.rules, rule, [id]);
    const [row = null] = rows;
    // Only where nothing else was sent meanwhile: it would have been executed later.
    if (transaction && isAlone && row && transaction.statements === before + 1)
      transaction.lastLook = { statement: before + 1, entity: rule.entity, reread };
    return row;
  }

  #of(manager: EntityManager) {
    return manager.queryRunner && this.transactions.get(manager.queryRunner);
  }
}
