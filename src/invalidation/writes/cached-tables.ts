import { Injectable } from '@nestjs/common';
import { DataSource, type EntityMetadata, type QueryRunner } from 'typeorm';
import { Clock, type EntityRule, EntityRules } from '../../cache/index.js';
import { type SqlWrite, type TableName, writesIn } from './sql-writes.js';
import { type Catalog, catalogSql, emptyCatalog, type Relation, TableGraph } from './table-graph.js';

/** What a statement changes of one cached entity. Neither rows nor keys: anything. */
export interface StatementChange {
  readonly rule: EntityRule<object>;
  /** So many rows are added, each of which TypeORM's events name. */
  readonly rows?: number | undefined;
  /** Rows that are added may replace others: `ON CONFLICT DO UPDATE`. */
  readonly upserts?: true;
  /** The parameters (from 1) that are the keys of all rows that are changed. */
  readonly keys?: readonly number[] | undefined;
}

/** A table whose rows are part of what is cached of an entity. */
interface Watched {
  readonly rule: EntityRule<object>;
  readonly path: string;
  readonly table: TableName;
  /** Of the entity's own table, where its rows can be named: the column that its tags are made of. */
  readonly key?: string | undefined;
  /** A table between two entities: what is written there is no row of the entity. */
  readonly joins?: true;
}

/** How long foreign keys, partitions and views are taken to be as they were, in ms. */
const catalogMs = 60_000;
/** How many texts of statements are remembered. */
const remembered = 1_000;

/** Which cached entities a statement changes: by the tables that it names, and by what foreign keys and views make of them. */
@Injectable()
export class CachedTables {
  readonly #known = new Map<string, readonly StatementChange[]>();
  readonly #named = new Map<EntityMetadata, readonly EntityRule<object>[]>();
  #watched: readonly Watched[] | undefined;
  #graph = new TableGraph(emptyCatalog);
  #readAtMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly dataSource: DataSource,
    private readonly rules: EntityRules,
    private readonly clock: Clock,
  ) {}

  /** The rules whose rows TypeORM's events of an entity name: of its class, and of classes of its table that it inherits from. */
  namedBy(metadata: EntityMetadata): readonly EntityRule<object>[] {
    let rules = this.#named.get(metadata);
    if (!rules) {
      rules = this.rules.all().filter(({ target }) => {
        const own = this.dataSource.getMetadata(target);
        const inherits = own === metadata || metadata.inheritanceTree.includes(own.target as never);
        return inherits && own.tablePath === metadata.tablePath && keyOf(own) !== undefined;
      });
      this.#named.set(metadata, rules);
    }
    return rules;
  }

  /** What a statement changes, as far as the catalogs are known. */
  changedBy(sql: string): readonly StatementChange[] {
    let changes = this.#known.get(sql);
    if (!changes) {
      changes = writesIn(sql).flatMap((write) => this.#changesOf(write));
      if (this.#known.size >= remembered) this.#known.clear();
      this.#known.set(sql, changes);
    }
    return changes;
  }

  /**
   * Before a statement that may write: reads the catalogs, where they have not been read lately or a cached table was not
   * there yet. On the statement's own connection, which sees what it sees.
   */
  async refresh(by: Pick<QueryRunner, 'query'>): Promise<void> {
    if (this.#isCurrent) return;
    const paths = [...new Set(this.#tables.map(({ path }) => path))];
    const [{ catalog }] = (await by.query(catalogSql, [paths])) as [{ catalog: Catalog }];
    this.#graph = new TableGraph(catalog);
    this.#known.clear();
    const complete = paths.every((path) => path in catalog.asked);
    this.#readAtMs = complete ? this.clock.monotonicMs() : Number.NEGATIVE_INFINITY;
  }

  /** Foreign keys may have changed. */
  defined(): void {
    this.#readAtMs = Number.NEGATIVE_INFINITY;
  }

  /** A rule's own table, as the catalogs have it. */
  relationOf(rule: EntityRule<object>): Relation | undefined {
    return this.#graph.catalog.asked[pathOf(this.dataSource.getMetadata(rule.target))];
  }

  get #isCurrent(): boolean {
    return this.clock.monotonicMs() - this.#readAtMs < catalogMs;
  }

  get #tables(): readonly Watched[] {
    return (this.#watched ??= this.rules.all().flatMap((rule) => {
      const metadata = this.dataSource.getMetadata(rule.target);
      const joining = metadata.manyToManyRelations.flatMap(
        ({ junctionEntityMetadata }) => junctionEntityMetadata ?? [],
      );
      return [
        { rule, path: pathOf(metadata), table: tableOf(metadata), key: keyOf(metadata)?.databaseName },
        ...joining.map((junction) => ({
          rule,
          path: pathOf(junction),
          table: tableOf(junction),
          joins: true as const,
        })),
      ];
    }));
  }

  #changesOf(write: SqlWrite): StatementChange[] {
    const named = this.#graph.named(write.table);
    return this.#tables.flatMap((watched): StatementChange[] => {
      const { rule, path } = watched;
      const relation = this.#graph.catalog.asked[path];
      const direct = relation ? named.some(({ oid }) => oid === relation.oid) : same(watched.table, write.table);
      const others = named.some((from) => relation && this.#graph.reached(from, write).has(relation.oid));
      return [...(direct ? directly(watched, write) : []), ...(others ? [{ rule }] : [])];
    });
  }
}

function directly({ rule, key, joins }: Watched, write: SqlWrite): StatementChange[] {
  const { operation, rows, keys, columns = [], onConflict } = write;
  if (joins || key === undefined) return [{ rule }];
  if (onConflict) return [{ rule, upserts: true }];
  if (operation === 'insert') return [{ rule, rows }];
  // With another key a row becomes one that nobody has named.
  return [columns.includes(key) ? { rule } : { rule, keys: keys?.get(key) }];
}

/** The column that tells an entity's rows apart, where tags can be made of what it has: one column, as the database has it. */
export function keyOf({ primaryColumns }: EntityMetadata) {
  const [column, ...others] = primaryColumns;
  return column && others.length === 0 && !column.transformer && !column.relationMetadata ? column : undefined;
}

const same = (a: TableName, b: TableName): boolean =>
  a.name === b.name && (a.schema === undefined || b.schema === undefined || a.schema === b.schema);

const tableOf = ({ schema, tableName }: EntityMetadata): TableName => ({ schema, name: tableName });

const pathOf = ({ schema, tableName }: EntityMetadata): string =>
  [schema, tableName].flatMap((part) => (part === undefined ? [] : `"${part.replaceAll('"', '""')}"`)).join('.');
