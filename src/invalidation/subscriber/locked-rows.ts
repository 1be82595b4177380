import { Injectable } from '@nestjs/common';
import { type EntityManager } from 'typeorm';
import { type EntityRule, EntityRules, listTags, type RowId } from '../../cache/index.js';
import { type IdentifiedWriter, laterTriggers, writerColumns } from '../policies/identify.js';
import { lockedIn, OpenTransactions } from './open-transactions.js';
import { lockRow, type Reread, rereadRows } from './row-reader.js';

/** A statement that adds one row, or changes one, and nothing else. `RETURNING` and the row's columns end it. */
export interface RowStatement {
  readonly sql: string;
  readonly parameters: unknown[];
  /** Of the row that it changes, which {@link LockedRows.lock} has locked; undefined where it adds one. */
  readonly id?: RowId;
}

type Returned = IdentifiedWriter & { readonly later: boolean };

/**
 * For writers that look at a row before and after they change it. What they see is remembered for the commit, which then
 * need not ask once more. Any other way to lock, to write and to read is as good, and a statement dearer each.
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

  /** Writes one row, and answers it as it is then, triggers and defaults included; null if there is none. Best done last. */
  async write<Row extends object, Raw extends object>(
    manager: EntityManager,
    rule: EntityRule<Row>,
    { sql, parameters, id }: RowStatement,
    rowOf: (raw: Raw) => Row,
  ): Promise<Row | null> {
    const transaction = this.#of(manager);
    const named = this.rules.named(rule.entity)!;
    const spelled = id === undefined ? undefined : this.rules.spell(rule.entity, id);
    const before = spelled === undefined ? undefined : transaction && lockedIn(transaction, rule, spelled);
    if (spelled !== undefined && before) transaction?.frames.at(-1)?.change(named, spelled, before);
    const statement = (transaction?.statements ?? 0) + 1;
    const text = `${sql}, ${writerColumns}, ${laterTriggers} AS later`;
    const { records } = (await manager.queryRunner!.query(text, parameters, true)) as { records: (Raw & Returned)[] };
    const [raw] = records;
    if (!raw) return null;
    const row = rowOf(raw);
    const key = this.rules.spell(rule.entity, rule.idOf(row));
    if (id === undefined) transaction?.frames.at(-1)?.insert(named, key, false);
    if (raw.later) return this.asWritten(manager, rule, rule.idOf(row));
    const images: Reread['images'] = new Map([[key, { lists: listTags(rule, row), replaced: false }]]);
    if (transaction?.statements === statement)
      transaction.lastLook = { statement, entity: rule.entity, reread: { images, writer: raw } };
    return row;
  }

  /** A row that this transaction has written, triggers and defaults included; best asked last. */
  async asWritten<Row extends object>(manager: EntityManager, rule: EntityRule<Row>, id: RowId): Promise<Row | null> {
    const transaction = this.#of(manager);
    const before = transaction?.statements ?? 0;
    const { rows, reread } = await rereadRows(manager, this.rules, rule, [id]);
    const [row = null] = rows;
    // Only where nothing else was sent meanwhile: it would have been executed later.
    if (transaction && row && transaction.statements === before + 1)
      transaction.lastLook = { statement: before + 1, entity: rule.entity, reread };
    return row;
  }

  #of(manager: EntityManager) {
    return manager.queryRunner && this.transactions.get(manager.queryRunner);
  }
}
