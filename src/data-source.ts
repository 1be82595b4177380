import { DataSource } from 'typeorm';
import { migrations } from '../migrations/index.js';
import { compareColumnsOnly, dataSourceOptions } from './database/index.js';
import { Item } from './items/index.js';

/** A connection for work on the schema: no statement deadline (an index on a large table takes its time), few clients. */
export function createMigrationDataSource(databaseUrl: string): DataSource {
  return compareColumnsOnly(
    new DataSource({
      ...dataSourceOptions({ databaseUrl, databaseTimeoutMs: 0, databasePoolSize: 2, databaseQueueSize: 100 }),
      entities: [Item],
      migrations,
    }),
  );
}
