import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { type EntityRule, EntityRules, type RowId } from '../../cache/index.js';

type Raw = Readonly<Record<string, unknown>>;

/** A cached entity's table, and its rows as the entity's rule reads them; or a table that joins it to another entity. */
export interface FeedTable {
  readonly rule: EntityRule<object>;
  /** `schema.name`, or the name alone where the schema is whatever comes first. */
  readonly path: string;
  /** Not of a join table: which rows of the entity it changes is not known. */
  readonly read?: (row: Raw) => object;
}

/** Which tables the feed is about. */
@Injectable()
export class FeedTables {
  readonly #known = new Map<string, readonly FeedTable[]>();

  constructor(
    private readonly dataSource: DataSource,
    private readonly rules: EntityRules,
  ) {}

  readonly spell = (entity: string, id: RowId): string => this.rules.spell(entity, id);

  all(): readonly FeedTable[] {
    return this.rules.all().flatMap((rule) => [this.#tableOf(rule), ...this.#joiningTablesOf(rule)]);
  }

  /** Several, where entities share a table. */
  of({ schema, name }: { readonly schema: string; readonly name: string }): readonly FeedTable[] {
    const full = `${schema}.${name}`;
    let tables = this.#known.get(full);
    if (!tables) {
      tables = this.all().filter(({ path }) => path === name || path === full);
      this.#known.set(full, tables);
    }
    return tables;
  }

  #joiningTablesOf(rule: EntityRule<object>): FeedTable[] {
    const { manyToManyRelations } = this.dataSource.getMetadata(rule.target);
    return manyToManyRelations.flatMap(({ junctionEntityMetadata: table }) =>
      table ? { rule, path: table.tablePath } : [],
    );
  }

  #tableOf(rule: EntityRule<object>): FeedTable {
    const { columns, tablePath } = this.dataSource.getMetadata(rule.target);
    const { driver } = this.dataSource;
    return {
      rule,
      path: tablePath,
      read: (row) => {
        const entity = {};
        for (const column of columns) {
          const raw = row[column.databaseName];
          if (raw === undefined || (raw === null && column.relationMetadata)) continue;
          // As TypeORM has it: embedded columns inside their objects, and of a relation the key that the row holds.
          column.setEntityValue(entity, driver.prepareHydratedValue(raw, column));
        }
        return entity;
      },
    };
  }
}
