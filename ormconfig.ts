import 'reflect-metadata';
import { loadSettings } from './src/config/index.js';
import { createMigrationDataSource, migrationUrl } from './src/data-source.js';

/** For TypeORM's command line: `npm run typeorm -- migration:show`. */
export default createMigrationDataSource(migrationUrl(loadSettings()));
