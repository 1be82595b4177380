import { Column, Entity, JoinColumn, ManyToOne, OneToMany, PrimaryColumn, type Relation } from 'typeorm';
import { type EntityRule } from '../../src/cache/index.js';

/* What a run caches besides items: a uuid key, a bigint key, and a parent with children. */

@Entity('documents', { synchronize: false })
export class Document {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('text')
  name!: string;

  @Column('text')
  category!: string;

  @Column('integer', { default: 1 })
  version!: number;
}

@Entity('accounts', { synchronize: false })
export class Account {
  @PrimaryColumn('bigint')
  id!: string;

  @Column('text')
  name!: string;

  @Column('text')
  category!: string;

  @Column('integer', { default: 1 })
  version!: number;
}

@Entity('boxes', { synchronize: false })
export class Box {
  @PrimaryColumn('integer')
  id!: number;

  @Column('text')
  name!: string;

  @Column('text')
  category!: string;

  @Column('integer', { default: 1 })
  version!: number;

  @OneToMany(() => Part, ({ box }) => box, { cascade: true })
  parts!: Relation<Part>[];
}

/** The category of a part is its box. */
@Entity('parts', { synchronize: false })
export class Part {
  @PrimaryColumn('integer')
  id!: number;

  @Column('text')
  name!: string;

  @Column('integer', { name: 'box_id' })
  boxId!: number;

  @Column('integer', { default: 1 })
  version!: number;

  @ManyToOne(() => Box, ({ parts }) => parts, { orphanedRowAction: 'disable' })
  @JoinColumn({ name: 'box_id' })
  box!: Relation<Box>;
}

/** A row as it is answered and cached: `key` is what the history calls it. */
export interface RowView {
  readonly key: string;
  readonly version: number;
  readonly name: string;
  readonly category: string;
}

/** What all of them have. */
type Kept = { id: string | number; name: string; version: number };

/** How an entity is stored and filtered. */
export interface Kind<Row extends Kept = Kept> {
  readonly entity: string;
  readonly target: new () => Row;
  /** An id as a URL spells it. */
  readonly id: RegExp;
  /** The column that a list of one category filters by. */
  readonly column: string;
  readonly categoryOf: (row: Row) => string;
  /** The columns that a category is written to. */
  readonly fieldsOf: (category: string) => object;
}

const byCategory = {
  column: 'category',
  categoryOf: ({ category }: { category: string }) => category,
  fieldsOf: (category: string) => ({ category }),
};

export const documents: Kind<Document> = {
  entity: 'documents',
  target: Document,
  id: /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
  ...byCategory,
};
export const accounts: Kind<Account> = { entity: 'accounts', target: Account, id: /^[1-9]\d{0,18}$/, ...byCategory };
export const boxes: Kind<Box> = { entity: 'boxes', target: Box, id: /^[1-9]\d{0,8}$/, ...byCategory };
export const parts: Kind<Part> = {
  entity: 'parts',
  target: Part,
  id: /^[1-9]\d{0,8}$/,
  column: 'box_id',
  categoryOf: ({ boxId }) => String(boxId),
  fieldsOf: (category) => ({ boxId: Number(category) }),
};

const all = [documents, accounts, boxes, parts] as unknown as readonly Kind[];
const byName = new Map(all.map((kind) => [kind.entity, kind]));

export const kinds = all;
export const kindOf = (entity: string): Kind | undefined => byName.get(entity);

/** The rule of an entity, as an adopter would write it. */
export const ruleOf = ({ entity, target, categoryOf }: Kind): EntityRule<Kept> => ({
  entity,
  target,
  idOf: ({ id }) => id,
  filtersOf: (row) => [{ category: categoryOf(row) }],
  view: (row): RowView => ({
    key: `${entity}:${row.id}`,
    version: row.version,
    name: row.name,
    category: categoryOf(row),
  }),
  initialPolicy: ({ cachePolicy }) => cachePolicy,
});
