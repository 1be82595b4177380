import { type EntityManager, type SelectQueryBuilder } from 'typeorm';
import {
  type EntityRule,
  type EntityRules,
  listTags,
  type Loaded,
  loadProof,
  type RowId,
  type Tag,
} from '../../cache/index.js';
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
}

/** What a transaction is about to commit of an entity, and who it is. */
export interface Reread {
  /** By their keys, spelled as in tags. */
  readonly images: ReadonlyMap<string, Image>;
  /** Undefined where no row is left. */
  readonly writer: IdentifiedWriter | undefined;
}

/** Changed rows as the transaction is about to commit them: triggers, defaults and later statements included. */
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
    .addSelect('row.xmax::text', 'xmax')
    .getRawAndEntities<Required<IdentifiedWriter> & { readonly xmax: string }>();
  const imageOf = (row: Row, i: number): Image => ({ lists: listTags(rule, row), replaced: raw[i]?.xmax !== '0' });
  const images = new Map(rows.map((row, i) => [rules.spell(rule.entity, rule.idOf(row)), imageOf(row, i)]));
  const [first] = raw;
  const writer = first && ownOf(first);
  return { rows, reread: { images, writer } };
}

const ownOf = ({ xid, xmin, number, deferred }: Required<IdentifiedWriter>) => ({ xid, xmin, number, deferred });

/**
 * Rows as a reader would load them: by the rule's own loader, or as a plain SELECT reads them where that must be the same.
 * Undefined where it need not be.
 */
export async function loadRows<Row extends object>(
  manager: EntityManager,
  rule: EntityRule<Row>,
  ids: readonly RowId[],
): Promise<Loaded<ReadonlyMap<RowId, unknown>> | undefined> {
  if (rule.load) return rule.load(ids, manager);
  const { relations, columns } = manager.connection.getMetadata(rule.target);
  if (relations.length > 0 || columns.some(({ isSelect }) => !isSelect)) return undefined;
  const query = wholeRows(manager, rule, ids).addSelect(loadProof, 'proof');
  const { entities, raw } = await query.getRawAndEntities<{ readonly proof: string | null }>();
  const value = new Map(entities.map((row) => [rule.idOf(row), rule.view(row)]));
  return { value, proof: raw[0]?.proof ?? null };
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
