import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { type EntityRule, EntityRules, type RowId } from '../../cache/index.js';

type Raw = Readonly<Record<string, unknown>>;

/** A cached entity's table, and its rows as the entity's rule reads them. */
export interface FeedTable {
  readonly rule: EntityRule<object>;
  /** `schema.name`, or the name alone where the schema is whatever comes first. */
  readonly path: string;
  read(row: Raw): object;
}

/** Which tables the feed is about. */
@Injectable()
export class FeedTables {
  readonly #known = new Map<string, FeedTable | undefined>();

  constructor(
    private readonly dataSource: DataSource,
    private readonly rules: EntityRules,
  ) {}

  readonly spell = (entity: string, id: RowId): string => this.rules.spell(entity, id);

  all(): readonly FeedTable[] {
    return this.rules.all().map((rule) => this.#tableOf(rule));
  }

  of({ schema, name }: { readonly schema: string; readonly name: string }): FeedTable | undefined {
    const full = `${schema}.${name}`;
    if (!this.#known.has(full))
      this.#known.set(
        full,
        this.all().find(({ path }) => path === name || path === full),
      );
    return this.#known.get(full);
  }

  #tableOf(rule: EntityRule<object>): FeedTable {
    const { columns, tablePath } = this.dataSource.getMetadata(rule.target);
    const { driver } = this.dataSource;
    return {
      rule,
      path: tablePath,
      read: (row) =>
        Object.fromEntries(
          columns
            .filter(({ databaseName }) => row[databaseName] !== undefined)
            .map((column) => [
              column.propertyName,
              driver.prepareHydratedValue(row[column.databaseName], column) as unknown,
            ]),
        ),
    };
  }
}
