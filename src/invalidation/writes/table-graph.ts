import { type Operation, type SqlWrite } from './sql-writes.js';

/** A table, view or partition, as PostgreSQL's catalogs have it. */
export interface Relation {
  readonly oid: string;
  readonly schema: string;
  readonly name: string;
  /** `pg_class.relkind`. */
  readonly kind: string;
}

/** How a write of one relation becomes a write of another. */
export interface Edge {
  readonly source: string;
  readonly changed: string;
  /** Null where both have the same rows: partitions, views, rules. Otherwise the actions of a foreign key (`pg_constraint`). */
  readonly onDelete: string | null;
  readonly onUpdate: string | null;
  /** The columns that the foreign key refers to, and those that it consists of. */
  readonly keys: readonly string[] | null;
  readonly columns: readonly string[] | null;
}

export interface Catalog {
  /** The relations that were asked for, by the path they were asked by; absent where there is none. */
  readonly asked: Readonly<Record<string, Relation>>;
  /** Everything from which writes reach those. */
  readonly relations: readonly Relation[];
  readonly edges: readonly Edge[];
}

export const emptyCatalog: Catalog = { asked: {}, relations: [], edges: [] };

/** $1: paths of relations. Answers everything that a write could reach them from, at whatever distance. */
export const catalogSql = `
WITH RECURSIVE asked AS (
  SELECT path, to_regclass(path)::oid AS oid FROM unnest($1::text[]) AS path
), edges AS (
  SELECT f.confrelid AS source, f.conrelid AS changed, f.confdeltype::text AS on_delete, f.confupdtype::text AS on_update,
         (SELECT json_agg(attname) FROM pg_attribute WHERE attrelid = f.confrelid AND attnum = ANY (f.confkey)) AS keys,
         (SELECT json_agg(attname) FROM pg_attribute WHERE attrelid = f.conrelid AND attnum = ANY (f.conkey)) AS columns
    FROM pg_constraint f WHERE f.contype = 'f'
  UNION ALL SELECT inhparent, inhrelid, NULL, NULL, NULL, NULL FROM pg_inherits
  UNION ALL SELECT inhrelid, inhparent, NULL, NULL, NULL, NULL FROM pg_inherits
  UNION ALL
  SELECT r.ev_class, d.refobjid, NULL, NULL, NULL, NULL
    FROM pg_rewrite r
    JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
   WHERE d.refobjid <> r.ev_class
), reached AS (
  SELECT oid FROM asked WHERE oid IS NOT NULL
  UNION SELECT edges.source FROM edges JOIN reached ON edges.changed = reached.oid
), relations AS (
  SELECT c.oid, json_build_object('oid', c.oid::text, 'schema', n.nspname, 'name', c.relname, 'kind', c.relkind) AS relation
    FROM reached JOIN pg_class c USING (oid) JOIN pg_namespace n ON n.oid = c.relnamespace
)
SELECT json_build_object(
  'asked', (SELECT coalesce(json_object_agg(path, relation), '{}') FROM asked JOIN relations USING (oid)),
  'relations', (SELECT coalesce(json_agg(relation), '[]') FROM relations),
  'edges', (SELECT coalesce(json_agg(json_build_object('source', source::text, 'changed', changed::text,
      'onDelete', on_delete, 'onUpdate', on_update, 'keys', keys, 'columns', columns)), '[]')
    FROM edges WHERE changed IN (SELECT oid FROM reached))
) AS catalog`;

/** What becomes of a row that refers to another one: the foreign key's action, as an operation; undefined for none. */
const cascaded: Readonly<Record<string, Operation>> = { c: 'delete', n: 'update', d: 'update' };

interface Step {
  readonly relation: string;
  readonly operation: Operation;
  readonly columns: readonly string[] | undefined;
}

/** What a write of a relation writes besides: partitions, tables behind views, rows that foreign keys delete or change. */
export class TableGraph {
  readonly #bySource = new Map<string, Edge[]>();

  constructor(readonly catalog: Catalog) {
    for (const edge of catalog.edges)
      this.#bySource.set(edge.source, [...(this.#bySource.get(edge.source) ?? []), edge]);
  }

  /** The relations that a name may mean. Without a schema the search path decides, hence any of that name. */
  named({ schema, name }: SqlWrite['table']): readonly Relation[] {
    return this.catalog.relations.filter(
      (relation) => relation.name === name && (schema === undefined || relation.schema === schema),
    );
  }

  /** The other relations whose rows a write of this one changes. */
  reached(from: Relation, { operation, columns }: SqlWrite): ReadonlySet<string> {
    const changed = new Set<string>();
    const seen = new Set<string>();
    const steps: Step[] = [{ relation: from.oid, operation, columns }];
    for (const step of steps) {
      const name = `${step.relation} ${step.operation} ${step.columns?.join() ?? '*'}`;
      if (seen.has(name)) continue;
      seen.add(name);
      for (const edge of this.#bySource.get(step.relation) ?? []) {
        const next = along(edge, step);
        if (!next) continue;
        steps.push(next);
        // A foreign key changes further rows, even of the table itself; a partition or a view has the very same.
        if (edge.onDelete !== null || next.relation !== from.oid) changed.add(next.relation);
      }
    }
    return changed;
  }
}

function along({ changed, onDelete, onUpdate, keys, columns }: Edge, step: Step): Step | undefined {
  const { operation } = step;
  const fromKey = { relation: changed, columns: columns ?? undefined };
  // A view may have other names for its columns.
  if (onDelete === null || onUpdate === null || operation === 'truncate')
    return { relation: changed, operation, columns: undefined };
  if (operation === 'delete') {
    const action = cascaded[onDelete];
    return action && { ...fromKey, operation: action };
  }
  const touchesKey = step.columns === undefined || (keys ?? []).some((key) => step.columns!.includes(key));
  return operation === 'update' && onUpdate in cascaded && touchesKey ? { ...fromKey, operation: 'update' } : undefined;
}
