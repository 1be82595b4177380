import { RdbmsSchemaBuilder } from 'typeorm/schema-builder/RdbmsSchemaBuilder.js';
import { createMigrationDataSource } from '../../src/data-source.js';
import { migrate } from '../../src/database/index.js';
import { seedCatalogue } from '../../src/items/index.js';
import { migrations } from '../../migrations/index.js';
import { createDatabase } from '../support/services.js';

describe('migrations', () => {
  let database: Awaited<ReturnType<typeof createDatabase>>;
  beforeEach(async () => {
    database = await createDatabase();
  });
  afterEach(() => database.drop());

  async function connected<T>(work: (dataSource: ReturnType<typeof createMigrationDataSource>) => Promise<T>) {
    const dataSource = await createMigrationDataSource(database.url).initialize();
    return work(dataSource).finally(() => dataSource.destroy());
  }

  it('run once, however many nodes start together, and the demo catalogue is put in once', async () => {
    let seeded = 0;
    const start = () =>
      connected(async (dataSource) =>
        migrate(dataSource, async () => {
          seeded += await seedCatalogue(dataSource);
        }),
      );
    const ran = await Promise.all([start(), start(), start(), start()]);
    expect(ran.flat()).toHaveLength(migrations.length);
    expect(seeded).toBe(1_000);
  });

  it('do not bring back a catalogue that was deleted', async () => {
    await connected(async (dataSource) => {
      await migrate(dataSource);
      expect(await seedCatalogue(dataSource)).toBe(1_000);
      await dataSource.query('DELETE FROM items');
      expect(await seedCatalogue(dataSource)).toBe(0);
    });
  });

  it('leave a table alone that somebody else has filled', async () => {
    await connected(async (dataSource) => {
      await migrate(dataSource);
      await dataSource.query(`INSERT INTO items (name, category, price, quantity) VALUES ('x', 'x', 1, 1)`);
      expect(await seedCatalogue(dataSource)).toBe(0);
    });
  });

  it('can be undone, all of them, and run again', async () => {
    await connected(async (dataSource) => {
      await migrate(dataSource);
      for (let undone = 0; undone < migrations.length; undone += 1) await dataSource.undoLastMigration();
      expect(await dataSource.query(`SELECT tablename FROM pg_tables WHERE schemaname = 'public'`)).toEqual([
        { tablename: 'migrations' },
      ]);
      expect(await migrate(dataSource)).toHaveLength(migrations.length);
    });
  });

  it('make what the entities describe, so that migration:generate finds nothing to do', async () => {
    await connected(async (dataSource) => {
      await migrate(dataSource);
      const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
      expect(upQueries.map(({ query }) => query)).toEqual([]);
    });
  });

  it('keep their indexes and checks when migration:generate compares, though no entity declares them', async () => {
    await connected(async (dataSource) => {
      await migrate(dataSource);
      const { upQueries } = await new RdbmsSchemaBuilder(dataSource).log();
      const dropped = upQueries.map(({ query }) => query.match(/^DROP INDEX|DROP CONSTRAINT/)?.[0]);
      expect(new Set(dropped)).toEqual(new Set(['DROP INDEX', 'DROP CONSTRAINT']));

      await dataSource.query(
        `ALTER TABLE items ALTER price TYPE numeric(14, 2), DROP quantity, ALTER category DROP NOT NULL`,
      );
      const ours = await dataSource.driver.createSchemaBuilder().log();
      const queries = ours.upQueries.map(({ query }) => query);
      expect(queries.length).toBeGreaterThanOrEqual(3);
      expect(queries.filter((query) => /INDEX|CONSTRAINT|CHECK/.test(query))).toEqual([]);
    });
  });
});
