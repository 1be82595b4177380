import { Injectable } from '@nestjs/common';
import { type PolicyName, type Settings } from '../config/index.js';
import { type EntityManager } from 'typeorm';
import { anyRowTag, coarseTag, filterTag, rowTag, type Tag } from './core/tags.js';
import { type Loaded } from './loaded.js';

export type RowId = string | number;

/** Everything the cache needs to know about one entity. The engine itself never names one. */
export interface EntityRule<Row extends object> {
  /** Prefix of all its tags: `items`. */
  readonly entity: string;
  readonly target: new () => Row;
  readonly idOf: (row: Row) => RowId;
  /** The equality filters whose lists contain the row: a write makes exactly these lists invalid, old and new. */
  readonly filtersOf: (row: Row) => readonly Readonly<Record<string, string | number>>[];
  /** What is cached for a row; it must print the same JSON as what a load of the row returns. */
  readonly view: (row: Row) => unknown;
  /**
   * Loads rows as readers get them, by the manager given, with the proof of the load ({@link loadProof}). Write-through
   * stores what this loads after COMMIT. Without it, that is the view of the row as a plain SELECT reads it; of an entity
   * with relations, or with columns that are not selected, nothing is stored then, because its view may need them.
   */
  readonly load?: (ids: readonly RowId[], manager: EntityManager) => Promise<Loaded<ReadonlyMap<RowId, unknown>>>;
  readonly initialPolicy: (settings: Settings) => PolicyName;
}

/** The tags of every list that may contain the row. */
export function listTags<Row extends object>(rule: EntityRule<Row>, row: Row): Tag[] {
  return [anyRowTag(rule.entity), ...rule.filtersOf(row).map((filter) => filterTag(rule.entity, filter))];
}

/** The tags that a list depends on: those of its equality filter, else any row; and always the coarse one. */
export function queryTags(entity: string, filter: Readonly<Record<string, string | number>>): Tag[] {
  const any = Object.keys(filter).length === 0;
  return [any ? anyRowTag(entity) : filterTag(entity, filter), coarseTag(entity)];
}

/** @param id as {@link EntityRules.spell} spells it */
export function rowTags(entity: string, id: RowId): { readonly tag: Tag; readonly coarse: Tag } {
  return { tag: rowTag(entity, id), coarse: coarseTag(entity) };
}

/** Which entities are cached. Modules add theirs with `CacheModule.forEntity(rule)`. */
@Injectable()
export class EntityRules {
  readonly #byTarget = new Map<unknown, EntityRule<object>>();
  readonly #spellings = new Map<string, (id: RowId) => string>();

  add<Row extends object>(rule: EntityRule<Row>): EntityRule<Row> {
    const clash = this.all().find(({ entity, target }) => entity === rule.entity && target !== rule.target);
    if (clash) throw new Error(`two cached entities are called ${rule.entity}`);
    this.#byTarget.set(rule.target, rule as unknown as EntityRule<object>);
    return rule;
  }

  /** @param spelling gives every spelling of one key the same text */
  spellKeys(entity: string, spelling: (id: RowId) => string): void {
    this.#spellings.set(entity, spelling);
  }

  /** A key in the one spelling that tags use: PostgreSQL takes `A0EE…` and `a0ee…` for one uuid, `07` and `7` for one bigint. */
  spell(entity: string, id: RowId): string {
    return this.#spellings.get(entity)?.(id) ?? String(id);
  }

  all(): readonly EntityRule<object>[] {
    return [...this.#byTarget.values()];
  }

  /** By the class that TypeORM maps. */
  of(target: unknown): EntityRule<object> | undefined {
    return this.#byTarget.get(target);
  }

  named(entity: string): EntityRule<object> | undefined {
    return this.all().find((rule) => rule.entity === entity);
  }
}
