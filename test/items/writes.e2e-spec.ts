import fc from 'fast-check';
import { startApp, type TestApp } from '../support/start-app.js';

const hammer = { name: 'Hammer', description: null, category: 'tools', price: 19.99, quantity: 3 };

describe('a write', () => {
  let app: TestApp;
  let path: string;
  beforeAll(async () => {
    app = await startApp();
  });
  beforeEach(async () => {
    path = (await app.http.post('/items').send(hammer).expect(201)).headers['location'] as string;
  });
  afterAll(() => app.close());

  const row = async () =>
    (await app.http.get(path).expect(200)).body as {
      name: string;
      version: number;
      quantity: number;
      createdAt: string;
      updatedAt: string;
    };
  const sql = (text: string) => app.dataSource.query<unknown>(text, [Number(path.split('/').at(-1))]);

  it('gives back every value that is allowed, exactly', async () => {
    const text = (maxLength: number, minLength = 0) =>
      fc
        .string({ unit: 'grapheme', minLength, maxLength })
        .filter((s) => !s.includes('\0') && [...s].length <= maxLength && [...s].length >= minLength);
    const item = fc.record({
      name: text(200, 1),
      description: fc.option(text(200)),
      category: fc.stringMatching(/^[a-z0-9-]{1,64}$/),
      price: fc.oneof(
        fc.constantFrom(0, -0, 19.99, 0.01, 9_999_999_999.99, 4.35, 1.1),
        fc.nat(999_999_999).map((cents) => cents / 100),
      ),
      quantity: fc.oneof(fc.constantFrom(0, 2_147_483_647), fc.nat()),
    });
    await fc.assert(
      fc.asyncProperty(item, async (input) => {
        const { body } = await app.http.put(path).send(input).expect(200);
        expect(body).toMatchObject({ ...input, price: input.price + 0 });
        expect(await row()).toEqual(body);
      }),
      { numRuns: 60 },
    );
  });

  it('replaces the whole item: an omitted description is none', async () => {
    await app.http.put(path).send({ ...hammer, description: 'x' }).expect(200); // prettier-ignore
    const { body } = await app.http.put(path).send({ ...hammer, description: undefined }).expect(200); // prettier-ignore
    expect(body.description).toBeNull();
  });

  it('is a version, also when nothing differs', async () => {
    const before = await row();
    const { body } = await app.http.put(path).send(hammer).expect(200);
    expect(body).toMatchObject({ version: before.version + 1, createdAt: before.createdAt });
    expect(Date.parse(body.updatedAt)).toBeGreaterThanOrEqual(Date.parse(before.updatedAt));
  });

  it('from elsewhere is a version, too', async () => {
    const { version } = await row();
    await sql('UPDATE items SET price = 1 WHERE id = $1');
    await sql(`UPDATE items SET updated_at = '2020-01-01', price = price WHERE id = $1`);
    expect(await row()).toMatchObject({ version: version + 2, updatedAt: '2020-01-01T00:00:00.000Z' });
    await sql('UPDATE items SET version = 50 WHERE id = $1');
    expect((await row()).version).toBe(50);
  });

  it('of two at once ends as one of the bodies, whole, and counts both', async () => {
    const one = { name: 'One', description: 'one', category: 'tools', price: 1, quantity: 1 };
    const two = { name: 'Two', description: 'two', category: 'toys', price: 2, quantity: 1 };
    for (let round = 0; round < 20; round += 1) {
      const { version } = await row();
      const answers = await Promise.all([one, two].map((body) => app.http.put(path).send(body).expect(200)));
      const last = await row();
      expect([one, two]).toContainEqual(expect.objectContaining({ name: last.name }));
      expect(last).toMatchObject(last.name === 'One' ? one : two);
      expect(last.version).toBe(version + 2);
      expect(answers.map(({ body }) => body.version as number).sort()).toEqual([version + 1, version + 2]);
    }
  });

  it('with If-Match succeeds once among many that saw the same version', async () => {
    const { headers } = await app.http.get(path);
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, price) => app.http.put(path).set('If-Match', headers['etag']!).send({ ...hammer, price })),
    ); // prettier-ignore
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array.from({ length: 7 }, () => 412)]);
  });

  it('is not lost to a deadlock: the loser is run again', async () => {
    const other = (await app.http.post('/items').send(hammer).expect(201)).headers['location'] as string;
    const [first, second] = [path, other].map((location) => Number(location.split('/').at(-1)));
    const { inTransaction } = await import('../../src/database/index.js');
    let runs = 0;
    let arrived = 0;
    let bothHere: () => void;
    const together = new Promise<void>((resolve) => (bothHere = resolve));
    const cross = (ids: (number | undefined)[]) =>
      inTransaction(app.dataSource, async (manager) => {
        runs += 1;
        await manager.query('SET LOCAL deadlock_timeout = 10');
        await manager.query('UPDATE items SET quantity = quantity + 1 WHERE id = $1', [ids[0]]);
        if ((arrived += 1) === 2) bothHere();
        await together;
        await manager.query('UPDATE items SET quantity = quantity + 1 WHERE id = $1', [ids[1]]);
      });
    await Promise.all([cross([first, second]), cross([second, first])]);
    expect(runs).toBe(3);
    expect((await row()).quantity).toBe(hammer.quantity + 2);
  });
});
