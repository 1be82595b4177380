import { type EntityManager, In } from 'typeorm';
import { type EntityRule } from '../../cache/index.js';

type Id = string | number;

/** The committed row, locked until the transaction ends: what its tags were is certain. */
export async function lockRow(manager: EntityManager, rule: EntityRule<object>, id: Id): Promise<object | null> {
  return manager.getRepository(rule.target).findOne({
    where: { [primaryKey(manager, rule)]: id },
    lock: { mode: 'pessimistic_write' },
  });
}

/** Changed rows as the transaction is about to commit them: triggers, defaults and later statements included. */
export async function rereadRows(
  manager: EntityManager,
  rule: EntityRule<object>,
  ids: readonly Id[],
): Promise<ReadonlyMap<Id, object>> {
  const rows = await manager.getRepository(rule.target).find({ where: { [primaryKey(manager, rule)]: In([...ids]) } });
  return new Map(rows.map((row) => [rule.idOf(row), row]));
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

function primaryKey(manager: EntityManager, rule: EntityRule<object>): string {
  const [column, ...others] = manager.connection.getMetadata(rule.target).primaryColumns;
  if (!column || others.length > 0) throw new Error(`${rule.entity} needs a primary key of one column to be cached`);
  return column.propertyName;
}
