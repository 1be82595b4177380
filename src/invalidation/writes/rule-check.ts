import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { DataSource, type EntityMetadata } from 'typeorm';
import { type ColumnMetadata } from 'typeorm/metadata/ColumnMetadata.js';
import {
  CachedEntityError,
  type EntityRule,
  EntityRules,
  keySpelling,
  probe,
  spellableTypes,
} from '../../cache/index.js';
import { CachedTables, keyOf } from './cached-tables.js';

const kinds: Readonly<Record<string, string>> = { v: 'a view', m: 'a materialized view', f: 'a foreign table' };

/** Refuses, at start, entities whose changes could not be noticed: each with the reason and what to do about it. */
@Injectable()
export class RuleCheck implements OnModuleInit {
  readonly #logger = new Logger('Invalidation');

  constructor(
    private readonly dataSource: DataSource,
    private readonly rules: EntityRules,
    private readonly tables: CachedTables,
    private readonly discovery: DiscoveryService,
  ) {}

  async onModuleInit(): Promise<void> {
    const rules = this.rules.all();
    const strangers = rules.filter(({ target }) => !this.dataSource.hasMetadata(target));
    const faults = strangers.map(
      ({ entity, target }) =>
        `${entity}: the service's data source does not know ${nameOf(target)}; ` +
        'register it there, by TypeOrmModule.forFeature without a name',
    );
    if (faults.length > 0) throw new CachedEntityError(faults);
    await this.#readCatalog();
    for (const rule of rules) faults.push(...this.#faultsOf(rule, this.dataSource.getMetadata(rule.target)));
    faults.push(...(await this.#shared()));
    if (faults.length > 0) throw new CachedEntityError(faults);
  }

  async #readCatalog(): Promise<void> {
    const runner = this.dataSource.createQueryRunner();
    await this.tables.refresh(runner).finally(() => runner.release());
  }

  #faultsOf(rule: EntityRule<object>, metadata: EntityMetadata): string[] {
    const { entity } = rule;
    const kind = metadata.tableType === 'view' ? 'v' : (this.tables.relationOf(rule)?.kind ?? '');
    if (kinds[kind])
      return [
        `${entity}: ${metadata.tableName} is ${kinds[kind]}, and what changes its rows cannot be noticed; ` +
          'cache the tables that it reads',
      ];
    const key = keyOf(metadata);
    if (!key)
      this.#logger.warn(
        `${entity}: its primary key is not one plain column, so that every write of it makes all of it invalid`,
      );
    return [
      ...(key ? this.#spell(entity, key) : []),
      ...unreadable(rule, metadata, 'idOf'),
      ...unreadable(rule, metadata, 'filtersOf'),
    ];
  }

  /** All spellings of one key are to be one tag, so that what is kept under any of them is found by every writer. */
  #spell(entity: string, key: ColumnMetadata): string[] {
    const type = this.dataSource.driver.normalizeType(key);
    const spelling = keySpelling(type);
    if (spelling) this.rules.spellKeys(entity, spelling);
    return spelling
      ? []
      : [
          `${entity}: its primary key ${key.propertyName} has the type ${type}, of which one key has several spellings; ` +
            `give it a key of another type (${spellableTypes.join(', ')})`,
        ];
  }

  /** Tables of cached entities that another data source of this application writes, too. */
  async #shared(): Promise<string[]> {
    const named = this.discovery
      .getProviders()
      .map(({ name, instance }) => [instance as unknown, String(name)] as const);
    const faults: string[] = [];
    for (const [other, name] of new Map(named)) {
      if (!(other instanceof DataSource) || other === this.dataSource) continue;
      if (!other.isInitialized || other.options.type !== 'postgres') continue;
      const mapped = this.rules.all().filter(({ target }) => {
        const { tablePath } = this.dataSource.getMetadata(target);
        return other.entityMetadatas.some((metadata) => metadata.tablePath === tablePath);
      });
      if (mapped.length === 0 || (await identityOf(other)) !== (await identityOf(this.dataSource))) continue;
      faults.push(
        ...mapped.map(
          ({ entity }) =>
            `${entity}: the data source ${name} has its table too, and what is written through that ` +
            'one would not be noticed; take the entity out of it, or its rule out of the cache',
        ),
      );
    }
    return faults;
  }
}

/** What a rule reads of a row that a row does not have by itself. */
function unreadable(rule: EntityRule<object>, metadata: EntityMetadata, name: 'idOf' | 'filtersOf'): string[] {
  const { read } = probe(rule[name]);
  return metadata.relations
    .filter(({ propertyPath }) => read.has(propertyPath))
    .flatMap(({ propertyPath, isOwning, isManyToMany, joinColumns }) => {
      const held = isOwning && !isManyToMany ? joinColumns.map((column) => column.referencedColumn?.propertyPath) : [];
      const others = [...read].filter((path) => path.startsWith(`${propertyPath}.`));
      if (held.length > 0 && others.every((path) => held.includes(path.slice(propertyPath.length + 1)))) return [];
      return [
        `${rule.entity}: ${name} reads ${held.length > 0 ? others.join(', ') : propertyPath}, which is in another table; ` +
          'read columns of its own, or the key of a relation that it holds',
      ];
    })
    .concat(
      metadata.columns
        .filter(({ isVirtualProperty, propertyPath }) => isVirtualProperty && read.has(propertyPath))
        .map(
          ({ propertyPath }) =>
            `${rule.entity}: ${name} reads ${propertyPath}, a virtual column, which no write of it changes; ` +
            'read columns of its own',
        ),
    );
}

const nameOf = (target: EntityRule<object>['target']): string => {
  if (typeof target === 'function') return target.name;
  if (typeof target === 'string') return target;
  return 'options' in target ? (target.options as { readonly name: string }).name : target.name;
};

/** The same for two data sources of one database on one server, and for no others. */
async function identityOf(dataSource: DataSource): Promise<string> {
  const [{ identity }] = await dataSource.query<[{ identity: string }]>(
    `SELECT pg_postmaster_start_time() || ' ' || oid AS identity FROM pg_database WHERE datname = current_database()`,
  );
  return identity;
}
