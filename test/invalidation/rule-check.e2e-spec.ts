import { type DynamicModule, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import {
  Column,
  Entity,
  ManyToMany,
  OneToMany,
  ManyToOne,
  PrimaryColumn,
  ViewColumn,
  ViewEntity,
  VirtualColumn,
} from 'typeorm';
import { CacheModule, type EntityRule, ReadThrough } from '../../src/cache/index.js';
import { ruleOf } from '../support/changing-entities.js';
import { createMigratedDatabase, startApp } from '../support/start-app.js';
import { sqlFromElsewhere } from '../support/sql-from-elsewhere.js';

@Entity('rc_shelf')
class Shelf {
  @PrimaryColumn('int') id!: number;
  @Column('text', { default: '' }) name!: string;
  @OneToMany(() => Book, (book) => book.shelf) books!: Book[];
  @VirtualColumn({ query: (alias) => `SELECT count(*) FROM rc_book WHERE "shelfId" = ${alias}.id` }) count!: number;
}
@Entity('rc_book')
class Book {
  @PrimaryColumn('int') id!: number;
  @ManyToOne(() => Shelf, (shelf) => shelf.books) shelf!: Shelf;
  @ManyToMany(() => Shelf) shelves!: Shelf[];
}
@ViewEntity({ name: 'rc_names', expression: 'SELECT 1 AS id' })
class Names {
  @ViewColumn() id!: number;
}
@Entity('rc_summary')
class Summary {
  @PrimaryColumn('int') id!: number;
}

let database: Awaited<ReturnType<typeof createMigratedDatabase>>;
beforeAll(async () => {
  database = await createMigratedDatabase();
  await sqlFromElsewhere(database.url, 'CREATE VIEW rc_summary AS SELECT 1 AS id');
});
afterAll(() => database.drop());

@Module({})
class Declared {}
const declaring = (rules: readonly EntityRule<never>[], entities: readonly (new () => object)[]): DynamicModule => ({
  module: Declared,
  imports: [TypeOrmModule.forFeature([...entities]), ...rules.map((rule) => CacheModule.forEntity(rule))],
});
const start = async (rules: readonly unknown[], entities: readonly (new () => object)[] = [Shelf, Book]) => {
  const app = await startApp({ database: database.url, imports: [declaring(rules as EntityRule<never>[], entities)] });
  await app.close();
};
/** The message of a start that is refused. */
const refusal = async (...rules: unknown[]): Promise<string> => {
  const entities = [Shelf, Book, Names, Summary];
  const used = entities.filter(
    (target) => target !== Summary || rules.some((one) => (one as { target: unknown }).target === Summary),
  );
  return start(rules, used).then(
    () => 'started',
    (error: Error & { code?: string }) => `${error.code}: ${error.message}`,
  );
};

describe('a start is refused', () => {
  it.each(['uri', 'values', 'a:b', 'a?b', 'a*', 'a b', 'a\nb', '', 'a/b', 'é'])(
    'for an entity called %j',
    async (name) => {
      const message = await refusal(ruleOf(name, Shelf));
      expect(message).toMatch(/^CACHE_ENTITY/);
      expect(message).toContain(JSON.stringify(name));
    },
  );

  it('for two rules of one name', async () => {
    expect(await refusal(ruleOf('shelves', Shelf), ruleOf('shelves', Book))).toContain('two rules are called shelves');
  });

  it('for a class that the data source does not know', async () => {
    class Stranger {}
    expect(await refusal(ruleOf('strangers', Stranger))).toMatch(/strangers: .* does not know Stranger; register it/);
  });

  it('for a view, however it is mapped', async () => {
    expect(await refusal(ruleOf('names', Names))).toMatch(/names: rc_names is a view.*; cache the tables/);
    expect(await refusal(ruleOf('summaries', Summary))).toMatch(/summaries: rc_summary is a view/);
  });

  it('for filters and ids that other tables decide, all of them in one message', async () => {
    const shelves = ruleOf('shelves', Shelf, { filtersOf: ({ books, count }) => [{ n: books.length }, { count }] });
    const books = ruleOf('books', Book, { filtersOf: ({ shelf }) => [{ shelf: shelf.name }] });
    const message = await refusal(shelves, books);
    expect(message).toMatch(/shelves: filtersOf reads books, which is in another table/);
    expect(message).toMatch(/shelves: filtersOf reads count, a virtual column/);
    expect(message).toMatch(/books: filtersOf reads shelf\.name, which is in another table/);
  });

  it('for an entity whose table another data source of the same database writes', async () => {
    const url = database.url;
    const other = TypeOrmModule.forRoot({ type: 'postgres', name: 'other', url, entities: [Shelf, Book] });
    const started = startApp({
      database: url,
      imports: [declaring([ruleOf('shelves', Shelf)] as never, [Shelf, Book]), other],
    });
    await expect(started).rejects.toThrow(/shelves: the data source other.* has its table too/);
  });
});

it('a start is not refused for the key of a relation, nor for two entities of one table', async () => {
  const rules = [
    ruleOf('books', Book, { filtersOf: ({ shelf }) => [{ shelf: shelf.id }] }),
    ruleOf('shelves', Shelf),
    ruleOf('racks', Shelf),
  ];
  await expect(start(rules)).resolves.toBeUndefined();
});

it('what no rule names is not cached: the read says so', async () => {
  const app = await startApp({ database: database.url });
  const cache = app.app.get(ReadThrough);
  const load = () => Promise.resolve({ value: null, proof: null });
  const unknown = { code: 'CACHE_UNKNOWN_TAG' };
  await expect(cache.row('itemz', 1, load)).rejects.toMatchObject(unknown);
  await expect(cache.query('items', 'q', ['itemz?a=b'], load)).rejects.toMatchObject(unknown);
  await expect(cache.query('items', 'q', ['items:x:*'], load)).rejects.toMatchObject(unknown);
  await app.close();
});
