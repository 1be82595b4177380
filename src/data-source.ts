import { DataSource } from 'typeorm';
import { migrations } from '../migrations/index.js';
import { type Settings } from './config/index.js';
import { compareColumnsOnly, dataSourceOptions } from './database/index.js';
import { Item } from './items/index.js';

/** Where migrations run: past a pooler, if there is one. */
export const migrationUrl = ({ databaseUrl, databaseDirectUrl }: Settings): string => databaseDirectUrl ?? databaseUrl;

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
