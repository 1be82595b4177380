import fc from 'fast-check';
import { sortNames } from '../../src/items/paging/sort.js';
import { startApp, type TestApp } from '../support/start-app.js';

interface Row {
  readonly id: number;
  readonly name: string;
  readonly description: string | null;
  readonly category: string;
  readonly price: number;
}

type Query = Readonly<Record<string, string | number | undefined>>;

const byCodePoint = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));
const orders: Readonly<Record<string, (a: Row, b: Row) => number>> = {
  id: (a, b) => a.id - b.id,
  '-id': (a, b) => b.id - a.id,
  price: (a, b) => a.price - b.price || a.id - b.id,
  '-price': (a, b) => b.price - a.price || a.id - b.id,
  name: (a, b) => byCodePoint(a.name, b.name) || a.id - b.id,
  '-name': (a, b) => byCodePoint(b.name, a.name) || a.id - b.id,
};

describe('the pages of a list', () => {
  let app: TestApp;
  let rows: Row[];
  beforeAll(async () => {
    app = await startApp();
    const names = ['Ä', 'a', 'A', 'Zange 50%', 'zange_', 'back\\slash', '😀', 'ﬁ', 'Éclair', 'straße', 'x'.repeat(200)];
    for (let n = 0; n < 60; n += 1)
      await app.http
        .post('/items')
        .send({
          name: names[n % names.length],
          description: n % 3 === 0 ? null : `Number ${n}`,
          category: ['tools', 'toys', 'a-b'][n % 3],
          price: [1.1, 9_999_999_999.99, 19.99, 0][n % 4],
          quantity: n,
        })
        .expect(201);
    rows = await all({});
  });
  afterAll(() => app.close());

  async function page(query: Query): Promise<{ data: Row[]; nextCursor: string | null }> {
    const parameters = Object.entries(query).flatMap(([name, value]): [string, string][] =>
      value === undefined ? [] : [[name, String(value)]],
    );
    return (await app.http.get(`/items?${new URLSearchParams(parameters).toString()}`).expect(200)).body as { data: Row[]; nextCursor: string | null };
  } // prettier-ignore

  async function all(query: Query): Promise<Row[]> {
    const found: Row[] = [];
    for (let cursor: string | null | undefined; cursor !== null;) {
      const { data, nextCursor } = await page({ limit: 100, ...query, ...(cursor !== undefined && { cursor }) });
      found.push(...data);
      cursor = nextCursor;
    }
    return found;
  }

  it('are together exactly what a sort of everything would be', async () => {
    const query = fc.record({
      sort: fc.option(fc.constantFrom(...sortNames), { nil: undefined }),
      limit: fc.integer({ min: 1, max: 25 }),
      category: fc.option(fc.constantFrom('tools', 'toys', 'none'), { nil: undefined }),
      q: fc.option(fc.constantFrom('a', 'ZANGE', '%', '_', '\\', 'é', 'ß', 'number 1', 'Number', 'xxx', '😀', '50%'), { nil: undefined }),
    }); // prettier-ignore
    await fc.assert(
      fc.asyncProperty(query, async (given) => {
        const contains = (text: string | null) => text?.toLowerCase().includes((given.q ?? '').toLowerCase()) ?? false;
        const expected = rows
          .filter(({ category }) => given.category === undefined || category === given.category)
          .filter(({ name, description }) => given.q === undefined || contains(name) || contains(description))
          .sort(orders[given.sort ?? 'id']);
        expect(await all(given)).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });

  it('are full until the last one, whose nextCursor is null', async () => {
    const last = await page({ limit: 100 });
    expect(last).toMatchObject({ nextCursor: null });
    const exact = await page({ limit: 60 });
    expect([exact.data.length, exact.nextCursor]).toEqual([60, null]);
    expect((await page({ limit: 59 })).nextCursor).not.toBeNull();
    expect((await page({})).data).toHaveLength(20);
    expect((await page({ limit: '020' })).data).toHaveLength(20);
    expect(await page({ category: 'none' })).toEqual({ data: [], nextCursor: null });
  });

  it('neither repeat nor skip an item when others appear and vanish in between', async () => {
    for (const sort of sortNames) {
      const before = (await all({ sort })).map(({ id }) => id);
      const seen: number[] = [];
      const born: number[] = [];
      let doomed: number | undefined;
      for (let cursor: string | null | undefined; cursor !== null;) {
        const { data, nextCursor } = await page({ sort, limit: 7, ...(cursor !== undefined && { cursor }) });
        seen.push(...data.map(({ id }) => id));
        cursor = nextCursor;
        const { body } = await app.http
          .post('/items')
          .send({ name: 'b', category: 'toys', price: 5, quantity: 0 })
          .expect(201);
        born.push(body.id as number);
        doomed ??= data.at(-1)?.id; // the very row that the cursor points at
        if (doomed === seen.at(-1)) await app.http.delete(`/items/${doomed}`).expect(204);
        if (born.length > 20) break;
      }
      const survivors = seen.filter((id) => !born.includes(id));
      expect(survivors).toEqual(before);
      expect(new Set(seen).size).toBe(seen.length);
      await app.dataSource.query('DELETE FROM items WHERE id = ANY($1)', [born]);
    }
  });

  it('refuse a cursor of another list, or one that was changed', async () => {
    const { nextCursor } = await page({ sort: 'price', category: 'tools', limit: 3 });
    const given = nextCursor ?? '';
    const status = async (query: Record<string, string>) =>
      (await app.http.get(`/items?${new URLSearchParams(query).toString()}`)).status;
    expect(await status({ sort: 'price', category: 'tools', cursor: given, limit: '50' })).toBe(200);
    for (const other of [
      { sort: '-price', category: 'tools' },
      { sort: 'price', category: 'toys' },
      { sort: 'price' },
      { sort: 'price', category: 'tools', q: 'x' },
    ])
      expect(await status({ ...other, cursor: given })).toBe(400);
    for (let at = 0; at < given.length; at += 1) {
      const changed = given.slice(0, at) + (given[at] === 'A' ? 'B' : 'A') + given.slice(at + 1);
      expect(await status({ sort: 'price', category: 'tools', cursor: changed })).toBe(400);
    }
    for (const changed of [`${given}A`, `${given}=`, given.slice(1), given.slice(0, -1), ` ${given}`])
      expect(await status({ sort: 'price', category: 'tools', cursor: changed })).toBe(400);
  });
});
