import { DataSource } from 'typeorm';
import { pageStatement } from '../src/items/paging/page.sql.js';
import { type SortName, sortNames } from '../src/items/paging/sort.js';
import { createMigratedDatabase } from './support/start-app.js';

const rowCount = 1_000_000;

/** A row from the middle of everything, as a key of each order. */
const deepKeys: Readonly<Record<SortName, readonly (string | number)[]>> = {
  id: [500_000],
  '-id': [500_000],
  price: ['500.00', 500_000],
  '-price': ['500.00', -500_000],
  name: ['item 500000', 500_000],
  '-name': ['item 500000', -500_000],
};

function keyOf(sort: SortName, category: string | undefined): readonly (string | number)[] {
  return category !== undefined && sort.endsWith('id') ? [-500_000] : deepKeys[sort];
}

interface Plan {
  readonly 'Node Type': string;
  readonly 'Actual Rows'?: number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly Plan[];
}

describe(`with ${rowCount} items`, () => {
  let database: Awaited<ReturnType<typeof createMigratedDatabase>>;
  let dataSource: DataSource;
  beforeAll(async () => {
    database = await createMigratedDatabase();
    dataSource = await new DataSource({ type: 'postgres', url: database.url }).initialize();
    await fillWithoutIndexes();
  }, 900_000);
  afterAll(async () => {
    await dataSource.destroy();
    await database.drop();
  });

  /** Indexes are built far faster afterwards, from their own definitions. */
  async function fillWithoutIndexes(): Promise<void> {
    const indexes = await dataSource.query<{ name: string; definition: string }[]>(
      `SELECT indexname AS name, indexdef AS definition FROM pg_indexes WHERE tablename = 'items' AND indexname <> 'items_pkey'`,
    );
    await dataSource.query('ALTER PUBLICATION strata_feed DROP TABLE items');
    await dataSource.query('ALTER TABLE items SET UNLOGGED');
    await dataSource.query(`DROP INDEX ${indexes.map(({ name }) => name).join(', ')}`);
    await dataSource.query('ALTER TABLE items DROP CONSTRAINT items_name_check, DROP CONSTRAINT items_category_check');
    await dataSource.query(`
      INSERT INTO items (id, name, description, category, price, quantity)
      SELECT n, 'item ' || n, CASE WHEN n % 50 = 0 THEN 'part ' || md5(n::text) END, 'c' || n % 20, n % 1000, 1
      FROM generate_series(1, ${rowCount}) n`);
    await dataSource.query(`SET maintenance_work_mem = '256MB'`);
    for (const { definition } of indexes) await dataSource.query(definition);
    await dataSource.query('ANALYZE items');
  }

  async function nodesOf(scope: Parameters<typeof pageStatement>[0], after?: readonly (string | number)[]) {
    const { text, parameters } = pageStatement(scope, after, 20);
    const [row] = await dataSource.query<{ 'QUERY PLAN': { Plan: Plan }[] }[]>(
      `EXPLAIN (ANALYZE, FORMAT JSON) ${text}`,
      [...parameters],
    );
    const nodes: Plan[] = [];
    const visit = (plan: Plan) => {
      nodes.push(plan);
      plan.Plans?.forEach(visit);
    };
    visit(row!['QUERY PLAN'][0]!.Plan);
    return nodes;
  }

  const lists = sortNames.flatMap((sort) =>
    [undefined, 'c0'].flatMap((category) => [
      { sort, category, deep: false },
      { sort, category, deep: true },
    ]),
  );

  it.each(lists)('an index leads to a page of %o', async ({ sort, category, deep }) => {
    const nodes = await nodesOf({ sort, category }, deep ? keyOf(sort, category) : undefined);
    expect(nodes.map((node) => node['Node Type'])).not.toContain('Seq Scan');
    for (const node of nodes) {
      expect(node['Actual Rows']).toBeLessThanOrEqual(21);
      expect(node['Rows Removed by Filter'] ?? 0).toBe(0);
    }
  });

  it.each(['ITEM 777777', 'part 00a', '77777'])('the trigram index leads to what contains %s', async (q) => {
    const nodes = await nodesOf({ sort: 'price', q });
    expect(nodes.map((node) => node['Node Type'])).toContain('Bitmap Index Scan');
    expect(nodes.map((node) => node['Node Type'])).not.toContain('Seq Scan');
  });

  it.each(['zq', '%', '_', '--', 'ü'])('a search for %s looks at a bounded number of items', async (q) => {
    for (const node of await nodesOf({ sort: 'name', q })) {
      expect(node['Node Type']).not.toBe('Seq Scan');
      expect(node['Actual Rows']).toBeLessThanOrEqual(20_000);
    }
  });

  it.each(['SELECT id FROM items WHERE id > 500000 ORDER BY id LIMIT 1000', 'SELECT id FROM items ORDER BY updated_at DESC, id DESC LIMIT 1000'])(
    'an index leads to %s', async (sql) => {
      const plan = JSON.stringify(await dataSource.query(`EXPLAIN (FORMAT JSON) ${sql}`));
      expect(plan).toMatch(/Index/);
      expect(plan).not.toMatch(/Seq Scan|"Sort"/);
    },
  ); // prettier-ignore
});
