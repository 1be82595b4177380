import { startApp, type TestApp } from '../support/start-app.js';
import { untimed } from '../support/untimed.js';

const hammer = { name: 'Hammer', description: null, category: 'tools', price: 19.99, quantity: 3 };

describe('a POST with an Idempotency-Key', () => {
  let app: TestApp;
  let key: string;
  let keys = 0;
  beforeAll(async () => {
    app = await startApp();
  });
  beforeEach(() => {
    key = `key-${(keys += 1)}`;
  });
  afterAll(() => app.close());

  const post = (body: object, idempotencyKey = key) =>
    app.http.post('/items').set('Idempotency-Key', idempotencyKey).send(body);

  async function countOf(name: string): Promise<number> {
    const [row] = await app.dataSource.query<{ n: number }[]>('SELECT count(*)::int AS n FROM items WHERE name = $1', [
      name,
    ]);
    return row?.n ?? 0;
  }

  it('is answered once, and repeated word for word, also after the item has changed or gone', async () => {
    const first = await post({ ...hammer, name: key }).expect(201);
    const location = first.headers['location'] as string;
    const same = async () => {
      const { headers, text } = await post({ quantity: 3, price: 19.99, category: 'tools', name: key }).expect(201);
      expect({ text, ...untimed(headers) }).toEqual({ text: first.text, ...untimed(first.headers) });
    };
    await same();
    await app.http.put(location).send(hammer).expect(200);
    await same();
    await app.http.delete(location).expect(204);
    await same();
    expect(await countOf(key)).toBe(0);
  });

  it('is refused when the body is another one', async () => {
    await post(hammer).expect(201);
    for (const change of [{ price: 20 }, { description: '' }, { name: 'hammer' }]) {
      const { body } = await post({ ...hammer, ...change }).expect(422);
      expect(body.errors).toEqual([{ in: 'header', field: 'Idempotency-Key', message: expect.any(String) }]);
    }
  });

  it('makes one item, however many of them arrive at once', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => post({ ...hammer, name: key })));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(await countOf(key)).toBe(1);
  });

  it('does not keep the key when the request was refused', async () => {
    await post({ ...hammer, price: 'x' }).expect(400);
    await post(hammer).expect(201);
  });

  it('is a new request after 24 hours, and old keys are cleared away', async () => {
    const first = await post(hammer).expect(201);
    await post(hammer, `${key}-other`).expect(201);
    await app.dataSource.query(`UPDATE idempotency_keys SET created_at = now() - interval '24 hours 1 second'`);
    const second = await post({ ...hammer, price: 1 }).expect(201);
    expect(second.headers['location']).not.toBe(first.headers['location']);
    const left = await app.dataSource.query<{ key: string }[]>('SELECT key FROM idempotency_keys');
    expect(left).toEqual([{ key }]);
  });

  it.each([['', 400], ['x'.repeat(256), 400], ['a b', 400], ['ä', 400], ['x'.repeat(255), 201], ['"!~"', 201]])(
    'has a key of 1 to 255 visible characters: %s is %i', (value, status) => post(hammer, value).expect(status),
  ); // prettier-ignore

  it('without a key makes an item each time', async () => {
    const [one, two] = await Promise.all([0, 1].map(() => app.http.post('/items').send(hammer).expect(201)));
    expect(one?.headers['location']).not.toBe(two?.headers['location']);
  });
});
