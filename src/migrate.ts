import 'reflect-metadata';
import { ConfigurationError, loadSettings } from './config/index.js';
import { createMigrationDataSource, migrationUrl } from './data-source.js';
import { migrate } from './database/index.js';
import { seedCatalogue } from './items/index.js';
import { withoutPasswords } from './logging/index.js';

/** `node dist/src/migrate.js [--seed]`: brings the schema up to date and, if told, puts the demo catalogue in once. */
try {
  const dataSource = createMigrationDataSource(migrationUrl(loadSettings()));
  await dataSource.initialize();
  try {
    const seed = async () => console.log(`demo items: ${await seedCatalogue(dataSource)}`);
    const ran = await migrate(dataSource, process.argv.includes('--seed') ? seed : undefined);
    console.log(`migrations: ${ran.length > 0 ? ran.join(', ') : 'none pending'}`);
  } finally {
    await dataSource.destroy();
  }
} catch (error) {
  const message = error instanceof Error ? withoutPasswords(error.message || error.name) : String(error);
  console.error(error instanceof ConfigurationError ? message : `the migration failed: ${message}`);
  process.exitCode = 1;
}
