import { type EntityManager, type SelectQueryBuilder } from 'typeorm';
import { type EntityRule, listTags, type Tag, type Writer } from '../../cache/index.js';
import { oldestXid, ownXid } from '../policies/identify.js';

type Id = string | number;

/** The committed row, locked until the transaction ends: what its tags were is certain. */
export async function lockRow<Row extends object>(
  manager: EntityManager,
  rule: EntityRule<Row>,
  id: Id,
): Promise<Row | null> {
  return wholeRow(manager, rule)
    .setLock('pessimistic_write')
    .where(`row.${primaryKey(manager, rule)} = :id`, { id })
    .getOne();
}

/** A row as it is about to be committed. */
export interface Image {
  readonly body: string;
  readonly lists: readonly Tag[];
  /**
   * Whether it replaced another in the statement that wrote it: `ON CONFLICT DO UPDATE` leaves a non-zero xmax on its row,
   * a plain INSERT leaves zero.
   */
  readonly replaced: boolean;
}

/** What a transaction is about to commit of an entity, and who it is. */
export interface Reread {
  readonly images: ReadonlyMap<Id, Image>;
  /** Undefined where no row is left. */
  readonly writer: Writer | undefined;
}

/** Changed rows as the transaction is about to commit them: triggers, defaults and later statements included. */
export async function rereadRows<Row extends object>(
  manager: EntityManager,
  rule: EntityRule<Row>,
  ids: readonly Id[],
): Promise<{ readonly rows: readonly Row[]; readonly reread: Reread }> {
  const { entities: rows, raw } = await wholeRow(manager, rule)
    .addSelect(ownXid, 'xid')
    .addSelect(oldestXid, 'xmin')
    .addSelect('row.xmax::text', 'xmax')
    .where(`row.${primaryKey(manager, rule)} IN (:...ids)`, { ids })
    .getRawAndEntities<Writer & { readonly xmax: string }>();
  const imageOf = (row: Row, i: number): Image => ({
    body: JSON.stringify(rule.view(row)),
    lists: listTags(rule, row),
    replaced: raw[i]?.xmax !== '0',
  });
  const images = new Map(rows.map((row, i) => [rule.idOf(row), imageOf(row, i)]));
  const [first] = raw;
  return { rows, reread: { images, writer: first && { xid: first.xid, xmin: first.xmin } } };
}

/** All that a rule may look at: columns with `select: false` too, and of relations the keys that the row itself holds. */
function wholeRow<Row extends object>(manager: EntityManager, rule: EntityRule<Row>): SelectQueryBuilder<Row> {
  const { columns, relations } = manager.connection.getMetadata(rule.target);
  const builder = manager.getRepository<Row>(rule.target).createQueryBuilder('row');
  for (const { isSelect, propertyPath } of columns) if (!isSelect) builder.addSelect(`row.${propertyPath}`);
  const held = relations.filter(({ isOwning, joinColumns }) => isOwning && joinColumns.length > 0);
  const paths = held.filter(({ isManyToMany }) => !isManyToMany).map(({ propertyPath }) => propertyPath);
  return paths.length > 0 ? builder.loadAllRelationIds({ relations: paths, disableMixedMap: true }) : builder;
}

function primaryKey<Row extends object>(manager: EntityManager, rule: EntityRule<Row>): string {
  const [column, ...others] = manager.connection.getMetadata(rule.target).primaryColumns;
  if (!column || others.length > 0) throw new Error(`${rule.entity} needs a primary key of one column to be cached`);
  return column.propertyName;
}
