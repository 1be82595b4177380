import { type EntityManager } from 'typeorm';
import { type EntityRule, type Writer } from '../../cache/index.js';
import { oldestXid, ownXid } from '../policies/identify.js';

type Id = string | number;

/** The committed row, locked until the transaction ends: what its tags were is certain. */
export async function lockRow<Row extends object>(
  manager: EntityManager,
  rule: EntityRule<Row>,
  id: Id,
): Promise<Row | null> {
  return manager
    .getRepository<Row>(rule.target)
    .createQueryBuilder('row')
    .setLock('pessimistic_write')
    .where(`row.${primaryKey(manager, rule)} = :id`, { id })
    .getOne();
}

/** What a transaction is about to commit of an entity, and who it is. */
export interface Reread {
  readonly rows: ReadonlyMap<Id, object>;
  /** Undefined where no row is left. */
  readonly writer: Writer | undefined;
}

/** Changed rows as the transaction is about to commit them: triggers, defaults and later statements included. */
export async function rereadRows(
  manager: EntityManager,
  rule: EntityRule<object>,
  ids: readonly Id[],
): Promise<Reread> {
  const { entities, raw } = await manager
    .getRepository(rule.target)
    .createQueryBuilder('row')
    .addSelect(ownXid, 'xid')
    .addSelect(oldestXid, 'xmin')
    .where(`row.${primaryKey(manager, rule)} IN (:...ids)`, { ids })
    .getRawAndEntities<Writer>();
  const [first] = raw;
  return {
    rows: new Map(entities.map((row) => [rule.idOf(row), row])),
    writer: first && { xid: first.xid, xmin: first.xmin },
  };
}

/**
 * Whether one of the rows replaced another: `ON CONFLICT DO UPDATE` leaves a non-zero xmax on the row that it wrote,
 * a plain INSERT leaves zero.
 */
export async function anyReplaced(
  manager: EntityManager,
  rule: EntityRule<object>,
  ids: readonly Id[],
): Promise<boolean> {
  const key = primaryKey(manager, rule);
  return manager
    .getRepository(rule.target)
    .createQueryBuilder('row')
    .where(`row.${key} IN (:...ids)`, { ids })
    .andWhere("row.xmax::text <> '0'")
    .getExists();
}

function primaryKey<Row extends object>(manager: EntityManager, rule: EntityRule<Row>): string {
  const [column, ...others] = manager.connection.getMetadata(rule.target).primaryColumns;
  if (!column || others.length > 0) throw new Error(`${rule.entity} needs a primary key of one column to be cached`);
  return column.propertyName;
}
