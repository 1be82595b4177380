import { Injectable, Logger } from '@nestjs/common';
import { type EntityManager, type EntityTarget } from 'typeorm';
import { type Settings } from '../config/index.js';
import { type PolicyName } from '../policies/index.js';
import { CachedEntityError, UnknownTagError } from './cache.errors.js';
import {
  anyRowTag,
  coarseTag,
  entityOf,
  faultOfName,
  filterNamesOf,
  filterTag,
  isTag,
  rowTag,
  type Tag,
} from './core/tags.js';
import { type Loaded } from './loaded.js';
import { probe } from './row-probe.js';

export type RowId = string | number;

/** Everything the cache needs to know about one entity. The engine itself never names one. */
export interface EntityRule<Row extends object> {
  /** Prefix of all its tags: `items`. */
  readonly entity: string;
  /** As the service's data source knows it: a class, or an `EntitySchema`. */
  readonly target: EntityTarget<Row>;
  readonly idOf: (row: Row) => RowId;
  /** The equality filters whose lists contain the row: a write makes exactly these lists invalid, old and new. */
  readonly filtersOf: (row: Row) => readonly Readonly<Record<string, string | number>>[];
  /** What is cached for a row; it must print the same JSON as what a load of the row returns. */
  readonly view: (row: Row) => unknown;
  /**
   * Loads rows as readers get them, by the manager given, with the proof of the load ({@link loadProof}). Write-through
   * and strict store what this loads after COMMIT. Without it, that is the view of the row as a plain SELECT reads it; of an entity
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
  readonly #logger = new Logger('Cache');
  readonly #byName = new Map<string, EntityRule<object>>();
  readonly #spellings = new Map<string, (id: RowId) => string>();
  /** By entity: the attributes of the filters that its rows are told to be in, as far as they are known. */
  readonly #filters = new Map<string, ReadonlySet<string>>();
  readonly #warned = new Set<string>();

  /** @throws {CachedEntityError} */
  add<Row extends object>(rule: EntityRule<Row>): EntityRule<Row> {
    const { entity } = rule;
    const fault = faultOfName(entity);
    if (fault) throw new CachedEntityError([`${JSON.stringify(entity)} ${fault}`]);
    const known = this.#byName.get(entity) as EntityRule<Row> | undefined;
    if (known && known !== rule)
      throw new CachedEntityError([`two rules are called ${entity}: give each a name of its own`]);
    this.#byName.set(entity, rule as unknown as EntityRule<object>);
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
    return [...this.#byName.values()];
  }

  named(entity: string): EntityRule<object> | undefined {
    return this.#byName.get(entity);
  }

  /** @throws {UnknownTagError} where no rule is there that would fence it */
  assertNamed(entity: string): void {
    if (!this.#byName.has(entity)) throw new UnknownTagError(entity);
  }

  /**
   * What a query is to depend on, so that whatever a write fences makes it invalid: besides its tags, the coarse one of each
   * entity; and any row of it, where `filtersOf` has no filter of those attributes.
   * @throws {UnknownTagError}
   */
  dependenciesOf(tags: readonly Tag[]): readonly Tag[] {
    const all = new Set(tags);
    for (const tag of tags) {
      const entity = entityOf(tag);
      if (!isTag(tag) || !this.#byName.has(entity)) throw new UnknownTagError(tag);
      all.add(coarseTag(entity));
      const names = filterNamesOf(tag);
      if (names === undefined || this.#filtersOf(entity).has(names)) continue;
      all.add(anyRowTag(entity));
      this.#warnOf(entity, names);
    }
    return [...all];
  }

  #warnOf(entity: string, names: string): void {
    const filter = `${entity}?${names}`;
    if (this.#warned.has(filter)) return;
    this.#warned.add(filter);
    this.#logger.warn(
      `a query depends on ${filter}, and filtersOf of ${entity} has no such filter: any change of ${entity} makes it invalid`,
    );
  }

  #filtersOf(entity: string): ReadonlySet<string> {
    let filters = this.#filters.get(entity);
    if (!filters) {
      filters = probe(this.#byName.get(entity)!.filtersOf).filters;
      this.#filters.set(entity, filters);
    }
    return filters;
  }
}
