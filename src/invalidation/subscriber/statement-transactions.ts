import { type DataSource, DeleteQueryBuilder, InsertQueryBuilder, UpdateQueryBuilder } from 'typeorm';
import { SoftDeleteQueryBuilder } from 'typeorm/query-builder/SoftDeleteQueryBuilder.js';
import { type EntityRules } from '../../cache/index.js';

/*
 * A statement of a query builder outside of a transaction (`repository.update()`, `insert()`, `upsert()`, `delete()`, …)
 * would commit by itself: no lock could hold the policy that it is written under, and nothing could be fenced before. For
 * cached entities TypeORM's own switch makes a transaction of it, with its rollback. No event comes early enough to turn it,
 * hence `execute` does.
 */

type WritingBuilder =
  DeleteQueryBuilder<object> | InsertQueryBuilder<object> | SoftDeleteQueryBuilder<object> | UpdateQueryBuilder<object>;

const cachedBy = new WeakMap<DataSource, EntityRules>();
let extended = false;

/** From now on every such statement on a cached entity of the data source is a transaction. */
export function makeStatementsTransactions(dataSource: DataSource, rules: EntityRules): void {
  cachedBy.set(dataSource, rules);
  if (extended) return;
  extended = true;
  for (const { prototype } of [DeleteQueryBuilder, InsertQueryBuilder, SoftDeleteQueryBuilder, UpdateQueryBuilder]) {
    const execute = Reflect.get(prototype, 'execute') as (this: WritingBuilder) => Promise<unknown>;
    Reflect.set(prototype, 'execute', function (this: WritingBuilder) {
      if (isCached(this)) this.useTransaction(true);
      return execute.call(this);
    });
  }
}

function isCached({ dataSource, expressionMap: { mainAlias } }: WritingBuilder): boolean {
  if (!mainAlias?.hasMetadata) return false;
  return cachedBy.get(dataSource)?.of(mainAlias.metadata.target) !== undefined;
}
