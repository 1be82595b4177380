import { mayChange, type SqlWrite, writesIn } from '../../src/invalidation/writes/sql-writes.js';

/** `operation schema.table`, with what else is known of it. */
const told = (sql: string): string[] =>
  writesIn(sql).map(({ operation, table: { schema, name }, rows, keys }: SqlWrite) =>
    [
      `${operation} ${schema === undefined ? '' : `${schema}.`}${name}`,
      ...(rows === undefined ? [] : [`${rows} rows`]),
      ...[...(keys ?? [])].map(([column, parameters]) => `${column} in ${parameters.join()}`),
    ].join(', '),
  );

describe('the tables that a statement writes', () => {
  it.each([
    ['INSERT INTO "items"("name") VALUES ($1) RETURNING "id"', ['insert items, 1 rows']],
    ["INSERT INTO items AS i (a, b) VALUES (f($1), (2)), ($2, '),(')", ['insert items, 2 rows']],
    ['INSERT INTO items DEFAULT VALUES', ['insert items, 1 rows']],
    ['INSERT INTO items SELECT * FROM others', ['insert items']],
    ['UPDATE "items" SET "name" = $1, "version" = "version" + 1 WHERE "id" = $2', ['update items, id in 2']],
    ['UPDATE ONLY public.items * SET name = $1', ['update public.items']],
    ['UPDATE i SET a = 1 WHERE ( "id" = $2 ) AND ( "type" IN ($3) )', ['update i, type in 3, id in 2']],
    ['UPDATE i SET a = $1 WHERE id = $2 OR name = $3', ['update i']],
    ['UPDATE i SET a = $1 WHERE NOT (id = $2)', ['update i']],
    ['UPDATE i SET a = $1 WHERE id = $2 + 1', ['update i']],
    ['UPDATE i SET a = $1 WHERE (id = $2) IS NOT TRUE', ['update i']],
    ['UPDATE i SET a = $1 WHERE id = $2 AND b OR true', ['update i']],
    ['DELETE FROM "items" WHERE ("id" = $1 OR "id" = $2)', ['delete items, id in 1,2']],
    ['DELETE FROM items i WHERE i.id = $1 RETURNING *', ['delete items, id in 1']],
    ['DELETE FROM items i USING o WHERE o.id = $1', ['delete items']],
    ['UPDATE items i SET a = 1 FROM o WHERE o.id = $1', ['update items']],
    ['UPDATE i SET a = 1 WHERE CASE WHEN x AND id = $1 AND y THEN z ELSE w END', ['update i']],
    ['UPDATE i SET a = 1 WHERE x BETWEEN y AND id = $1', ['update i']],
    ['TRUNCATE TABLE "a", ONLY s.b CASCADE', ['truncate a', 'truncate s.b']],
    ['TRUNCATE a', ['truncate a']],
    ['COPY items (a, b) FROM STDIN', ['insert items']],
    [
      'MERGE INTO items i USING o ON i.id = o.id WHEN MATCHED THEN UPDATE SET a = 1',
      ['insert items', 'update items', 'delete items'],
    ],
    ['WITH x AS (DELETE FROM a WHERE id = $1 RETURNING *) UPDATE b SET c = 1', ['delete a, id in 1', 'update b']],
    ['SELECT 1; DELETE FROM a; /* later */ UPDATE b SET c = 1', ['delete a', 'update b']],
    ['UPDATE/* a /* nested */ comment */items -- and another\n SET a = 1', ['update items']],
    ['update "Items""s" set a = 1', ['update Items"s']],
    ['UPDATE ITEMS SET a = 1', ['update items']],
    [`DO $do$ BEGIN UPDATE items SET a = 1; EXECUTE 'DELETE FROM b'; END $do$`, ['update items', 'delete b']],
    ['INSERT INTO a VALUES (1) ON CONFLICT (id) DO UPDATE SET name = excluded.name', ['insert a, 1 rows', 'update a']],
  ])('%s', (sql, expected) => {
    expect(mayChange(sql)).toBe(true);
    expect(told(sql)).toEqual(expected);
  });

  it.each([
    'SELECT * FROM items FOR UPDATE',
    'SELECT * FROM items FOR NO KEY UPDATE OF items SKIP LOCKED',
    `SELECT 'UPDATE items SET a = 1', $$DELETE FROM items$$, E'\\'; DELETE FROM items'`,
    'SELECT "update items" FROM "delete from items"',
    '-- UPDATE items\nSELECT 1 /* DELETE FROM items */',
    'COPY items TO STDOUT',
    'CREATE FUNCTION f() RETURNS trigger AS $$ BEGIN UPDATE items SET a = 1; END $$ LANGUAGE plpgsql',
    'CREATE TRIGGER t AFTER UPDATE ON items EXECUTE FUNCTION f()',
  ])('none: %s', (sql) => expect(told(sql)).toEqual([]));

  it('most reads are not looked at any closer', () => {
    expect(mayChange('SELECT "updatedAt", deleted FROM items WHERE id = $1')).toBe(false);
  });

  it('the columns that an update assigns are known, wherever they stand', () => {
    const columns = (sql: string) => writesIn(sql).at(-1)!.columns;
    expect(columns('UPDATE a SET "x" = f(y, z), (v, w) = ($1, $2) FROM b WHERE u = 1')).toEqual(['x', 'v', 'w']);
    expect(columns('INSERT INTO a VALUES (1) ON CONFLICT (id) DO UPDATE SET n = excluded.m RETURNING k')).toEqual([
      'n',
    ]);
  });
});
