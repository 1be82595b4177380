import { type EntityManager, type SelectQueryBuilder } from 'typeorm';
import { type EntityRule, type EntityRules, listTags, type RowId, type Tag, withOwn } from '../../cache/index.js';
import { deferredTriggers, generationNumber, type IdentifiedWriter, oldestXid, ownXid } from '../policies/identify.js';

/** The committed row, locked until the transaction ends: what its tags were is certain. */
export async function lockRow<Row extends object>(
  manager: EntityManager,
  rule: EntityRule<Row>,
  id: RowId,
): Promise<Row | null> {
  return wholeRows(manager, rule, [id]).setLock('pessimistic_write').getOne();
}

/** A row as it is about to be committed. */
export interface Image {
  readonly lists: readonly Tag[];
  /**
   * Whether an upsert has replaced another: `ON CONFLICT DO UPDATE` leaves a non-zero xmax on its row, a plain INSERT zero,
   * unless a foreign key has locked it since.
   */
  readonly replaced: boolean;
  /** What readers get of it, as JSON; undefined where the row alone does not say, or may be another transaction's. */
  readonly body: string | undefined;
}

/** What a transaction is about to commit of an entity, and who it is. */
export interface Reread {
  /** By their keys, spelled as in tags. */
  readonly images: ReadonlyMap<string, Image>;
  /** Undefined where no row is left. */
  readonly writer: IdentifiedWriter | undefined;
  /** Of the read, as if the transaction had committed before it. */
  readonly snapshot: string | undefined;
}

/**
 * Changed rows as the transaction is about to commit them: triggers, defaults and later statements included. A version of a row
 * that carries the transaction's own id is what it commits, and nobody else changes it before. Any other may be a row that an
 * INSERT has let be; one that a savepoint has written carries the savepoint's id.
 */
export async function rereadRows<Row extends object>(
  manager: EntityManager,
  rules: EntityRules,
  rule: EntityRule<Row>,
  ids: readonly RowId[],
): Promise<{ readonly rows: readonly Row[]; readonly reread: Reread }> {
  const { entities: rows, raw } = await wholeRows(manager, rule, ids)
    .addSelect(ownXid, 'xid')
    .addSelect(oldestXid, 'xmin')
    .addSelect(deferredTriggers, 'deferred')
    .addSelect(generationNumber, 'number')
    .addSelect('pg_current_snapshot()::text', 'snapshot')
    .addSelect('row.xmax::text', 'xmax')
    // As text: TypeORM would take a name that is followed by a space for a property of the entity.
    .addSelect('row.xmin::text = pg_current_xact_id()::xid::text', 'own')
    .getRawAndEntities<RawColumns>();
  // Of tables that inherit from another, two rows may have one key.
  const isOneEach = raw.length === rows.length;
  const isWhole = isOneEach && saysAll(manager, rule);
  const images = new Map<string, Image>();
  for (const [i, row] of rows.entries()) {
    const { own = false, xmax } = raw[i] ?? {};
    const replaced = !isOneEach || xmax !== '0';
    const body = own && isWhole ? bodyOf(rule, row) : undefined;
    images.set(rules.spell(rule.entity, rule.idOf(row)), { lists: listTags(rule, row), replaced, body });
  }
  const [first] = raw;
  if (!first) return { rows, reread: { images, writer: undefined, snapshot: undefined } };
  const { xid, xmin, number, deferred, snapshot } = first;
  const reread = { images, writer: { xid, xmin, number, deferred }, snapshot: withOwn(snapshot, Number(xid)) };
  return { rows, reread };
}

interface RawColumns extends Required<IdentifiedWriter> {
  readonly snapshot: string;
  readonly xmax: string;
  readonly own: boolean;
}

/** Whether a plain SELECT reads all that the view may need. */
function saysAll<Row extends object>(manager: EntityManager, { target }: EntityRule<Row>): boolean {
  const { relations, columns } = manager.connection.getMetadata(target);
  return relations.length === 0 && columns.every(({ isSelect, isVirtualProperty }) => isSelect && !isVirtualProperty);
}

/** Now, because whoever has asked for the row may change the object. What cannot be shown is not stored, and fails no write. */
function bodyOf<Row extends object>(rule: EntityRule<Row>, row: Row): string | undefined {
  try {
    return JSON.stringify(rule.view(row)) as string | undefined;
  } catch {
    return undefined;
  }
}

/** All that a rule may look at: columns with `select: false` too, and of relations the keys that the row itself holds. */
function wholeRows<Row extends object>(
  manager: EntityManager,
  rule: EntityRule<Row>,
  ids: readonly RowId[],
): SelectQueryBuilder<Row> {
  const { columns, relations } = manager.connection.getMetadata(rule.target);
  const builder = manager.getRepository<Row>(rule.target).createQueryBuilder('row');
  builder.where(`row.${primaryKey(manager, rule)} IN (:...ids)`, { ids });
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
