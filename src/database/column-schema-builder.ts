import { type DataSource } from 'typeorm';
import { RdbmsSchemaBuilder } from 'typeorm/schema-builder/RdbmsSchemaBuilder.js';

/**
 * Compares entities with tables by their columns only. Indexes, checks, unique and exclusion constraints belong to the
 * migrations; TypeORM would drop every one that no entity declares.
 */
class ColumnSchemaBuilder extends RdbmsSchemaBuilder {
  protected override dropOldIndices(): Promise<void> {
    return Promise.resolve();
  }

  protected override dropOldChecks(): Promise<void> {
    return Promise.resolve();
  }

  protected override dropOldExclusions(): Promise<void> {
    return Promise.resolve();
  }

  protected override dropCompositeUniqueConstraints(): Promise<void> {
    return Promise.resolve();
  }

  protected override dropColumnCompositeIndices(): Promise<void> {
    return Promise.resolve();
  }

  protected override dropColumnCompositeUniques(): Promise<void> {
    return Promise.resolve();
  }
}

/** Makes TypeORM's command line (`migration:generate`, `schema:sync`) leave alone what entities do not declare. */
export function compareColumnsOnly(dataSource: DataSource): DataSource {
  dataSource.driver.createSchemaBuilder = () => new ColumnSchemaBuilder(dataSource);
  return dataSource;
}
