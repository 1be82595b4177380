import { Injectable } from '@nestjs/common';
import { type EntityManager } from 'typeorm';
import { type EntityRule, listTags } from '../../cache/index.js';
import { OpenTransactions } from './open-transactions.js';
import { lockRow } from './row-reader.js';

/**
 * For writers that look at a row before they change it: locks it, and remembers its tags for when it is saved, so that the
 * subscriber need not lock it once more. Every other way to lock a row is as good, and one statement dearer.
 */
@Injectable()
export class RowLocks {
  constructor(private readonly transactions: OpenTransactions) {}

  /** The row as it is committed, locked until the transaction ends; null if there is none. */
  async lock<Row extends object>(
    manager: EntityManager,
    rule: EntityRule<Row>,
    id: string | number,
  ): Promise<Row | null> {
    const row = await lockRow(manager, rule, id);
    // The lock ends with the savepoint that took it, and so does what is noted in its frame.
    const frame = manager.queryRunner && this.transactions.get(manager.queryRunner)?.frames.at(-1);
    if (row) frame?.noteLocked(rule, id, listTags(rule, row));
    return row;
  }
}
