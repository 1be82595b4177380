import { type Response, type Test } from 'supertest';
import { startApp, type TestApp } from '../support/start-app.js';

const hammer = { name: 'Hammer', description: 'Steel', category: 'tools', price: 19.99, quantity: 3 };

describe('a request that cannot be served is answered with a problem', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startApp();
    await app.http.post('/items').send(hammer).expect(201);
  });
  afterAll(() => app.close());

  /** The status, and the fields that the problem names. */
  async function problemOf(request: Test) {
    const { status, body, headers }: Response = await request;
    expect(headers['content-type']).toBe('application/problem+json');
    expect(headers['etag']).toBeUndefined();
    expect(body).toMatchObject({ type: 'about:blank', title: expect.any(String), status, detail: expect.any(String) });
    expect(JSON.stringify(body)).not.toMatch(/node_modules|SELECT|\bat \w+\.|QueryFailed/);
    const errors = (body.errors ?? []) as { in: string; field: string; message: string }[];
    for (const { message } of errors) expect(message).not.toBe('');
    return { status, fields: errors.map((error) => `${error.in} ${error.field}`), headers };
  }

  it.each([
    '0', '-1', '+1', '007', '1e3', '1.0', '0x1', 'abc', '2147483648', '999999999999999999999', '1%20', '%31%00', 'null',
  ])('400 for the id %s, whatever is done with it', async (id) => {
    for (const request of [
      app.http.get(`/items/${id}`),
      app.http.put(`/items/${id}`).send(hammer),
      app.http.delete(`/items/${id}`),
    ])
      expect(await problemOf(request)).toMatchObject({ status: 400, fields: ['path id'] });
  }); // prettier-ignore

  it.each([
    ['no name', { name: undefined }, 'name'],
    ['an empty name', { name: '' }, 'name'],
    ['a name of 201 code points', { name: '😀'.repeat(201) }, 'name'],
    ['U+0000', { name: 'a\0b' }, 'name'],
    ['an unpaired surrogate', { name: '\ud800' }, 'name'],
    ['a number for a name', { name: 5 }, 'name'],
    ['null for a name', { name: null }, 'name'],
    ['a description of 2001', { description: 'x'.repeat(2001) }, 'description'],
    ['a list for a description', { description: [] }, 'description'],
    ['an upper-case category', { category: 'Tools' }, 'category'],
    ['a category of 65', { category: 'x'.repeat(65) }, 'category'],
    ['a category that ends in a line break', { category: 'tools\n' }, 'category'],
    ['a price with 3 decimals', { price: 1.005 }, 'price'],
    ['a negative price', { price: -0.01 }, 'price'],
    ['a price of 1e21', { price: 1e21 }, 'price'],
    ['a price beyond numeric(12,2)', { price: 10_000_000_000 }, 'price'],
    ['text for a price', { price: '5' }, 'price'],
    ['a boolean for a price', { price: true }, 'price'],
    ['half an item', { quantity: 0.5 }, 'quantity'],
    ['a quantity beyond integer', { quantity: 2_147_483_648 }, 'quantity'],
    ['text for a quantity', { quantity: '5' }, 'quantity'],
    ['an unknown field', { colour: 'red' }, 'colour'],
    ['an id', { id: 5 }, 'id'],
    ['a version', { version: 5 }, 'version'],
    ['constructor', { constructor: 'x' }, 'constructor'],
    ['toString', { toString: 'x' }, 'toString'],
  ])('400 for %s', async (_what, change, field) => {
    const body = JSON.stringify({ ...hammer, ...change });
    for (const request of [app.http.post('/items'), app.http.put('/items/1')])
      expect(await problemOf(request.type('json').send(body))).toMatchObject({
        status: 400,
        fields: [`body ${field}`],
      });
  });

  it('400 names every field at once', async () => {
    const { fields } = await problemOf(app.http.post('/items').send({ price: 'x', colour: 1 }));
    expect(fields.sort()).toEqual(['body category', 'body colour', 'body name', 'body price', 'body quantity']);
  });

  it('400 names the first errors of very many, and says how many there are', async () => {
    const names = Array.from({ length: 2_000 }, (_, n) => `x${n}`);
    const body = Object.fromEntries(names.map((name) => [name, 1]));
    for (const request of [app.http.get(`/items?${names.join('&')}`), app.http.post('/items').send(body)]) {
      const answer = await request.expect(400);
      expect(answer.body.errors).toHaveLength(20);
      expect(answer.body.detail).toMatch(/^The request is not valid. 20\d\d errors; the first 20 are named.$/);
      expect(answer.text.length).toBeLessThan(4_000);
    }
  });

  it.each([
    ['nothing', ''],
    ['half of it', '{"name":'],
    ['a list', '[]'],
    ['a list with an item', JSON.stringify([hammer])],
    ['a number', '5'],
    ['text', '"x"'],
    ['null', 'null'],
    ['__proto__', '{"__proto__":{"name":"x"},"name":"x","category":"x","price":1,"quantity":1}'],
    ['a price of 1e999', '{"name":"x","category":"x","price":1e999,"quantity":1}'],
    ['a very deep value', `{"name":${'['.repeat(40_000)}${']'.repeat(40_000)}}`],
    ['bytes that are no UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
  ])('400 for a body that is %s', async (_what, body) => {
    for (const request of [app.http.post('/items'), app.http.put('/items/1')])
      expect(await problemOf(request.type('json').serialize((raw: unknown) => raw as string).send(body as string)))
        .toMatchObject({ status: 400 }); // prettier-ignore
  });

  it.each([
    'text/plain', 'application/xml', 'application/json; charset=utf-16', 'application/x-www-form-urlencoded', 'nonsense',
  ])('415 for a body of type %s', async (type) => {
    const request = app.http.post('/items').set('Content-Type', type).send(JSON.stringify(hammer));
    expect(await problemOf(request)).toMatchObject({ status: 415 });
  }); // prettier-ignore

  it('415 for a content encoding that nobody knows', async () => {
    const request = app.http.post('/items').type('json').set('Content-Encoding', 'compress').send('x');
    expect(await problemOf(request)).toMatchObject({ status: 415 });
  });

  it.each([['declared', 'json'], ['of a wrong type, too', 'text/plain']])('413 for 200 kB %s', async (_what, type) => {
    const request = app.http.post('/items').type(type).send(JSON.stringify({ ...hammer, name: 'x'.repeat(200_000) }));
    expect(await problemOf(request)).toMatchObject({ status: 413 });
  }); // prettier-ignore

  it.each(['gzip', 'x-gzip'])('a body in %s is read', async (name) => {
    const { gzipSync } = await import('node:zlib');
    const short = app.http.post('/items').type('json').set('Content-Encoding', name);
    short.write(gzipSync(JSON.stringify(hammer)));
    await short.expect(201);
  });

  it('413 for a body that is large once it is inflated, or comes in chunks', async () => {
    const { gzipSync } = await import('node:zlib');
    const zipped = app.http.post('/items').type('json').set('Content-Encoding', 'gzip');
    zipped.write(gzipSync(' '.repeat(200_000)));
    expect(await problemOf(zipped)).toMatchObject({ status: 413 });
    const chunked = app.http.put('/items/1').type('json');
    for (let sent = 0; sent < 20; sent += 1) chunked.write(' '.repeat(10_000));
    expect(await problemOf(chunked)).toMatchObject({ status: 413 });
  });

  it('a body of exactly 100 kB is read', async () => {
    const body = JSON.stringify(hammer);
    await app.http.put('/items/1').type('json').send(body + ' '.repeat(102_400 - body.length)).expect(200); // prettier-ignore
    await app.http.put('/items/1').type('json').send(body + ' '.repeat(102_401 - body.length)).expect(413); // prettier-ignore
  });

  it.each([
    ['limit=0', 'limit'], ['limit=101', 'limit'], ['limit=-1', 'limit'], ['limit=1e1', 'limit'], ['limit=', 'limit'],
    ['limit=1.5', 'limit'], ['limit=%2B5', 'limit'], ['limit=abc', 'limit'], ['sort=', 'sort'], ['sort=Name', 'sort'],
    ['sort=quantity', 'sort'], ['sort=--id', 'sort'], ['category=', 'category'], ['category=A', 'category'],
    ['q=', 'q'], [`q=${'x'.repeat(101)}`, 'q'], ['q=a%00b', 'q'], ['q=%E0%A4%A', 'q'], ['q=%ff', 'q'], ['cursor=', 'cursor'],
    ['cursor=abc', 'cursor'], ['cursor=%00', 'cursor'], [`cursor=${'A'.repeat(3000)}`, 'cursor'],
    ['limit=1&limit=1', 'limit'], ['q=a&q=b', 'q'], ['page=2', 'page'], ['limit[]=5', 'limit[]'], ['Limit=5', 'Limit'],
    ['__proto__=1', '__proto__'], ['constructor=1', 'constructor'], ['=1', ''], ['_=1700000000', '_'],
  ])('400 for the query %s', async (query, field) => {
    for (const request of [app.http.get(`/items?${query}`)])
      expect(await problemOf(request)).toMatchObject({ status: 400, fields: [`query ${field}`] });
    expect((await app.http.head(`/items?${query}`)).status).toBe(400);
  }); // prettier-ignore

  it('400 for any query parameter where there are none', async () => {
    const requests = [
      app.http.get('/items/1?x=1'),
      app.http.get('/items/1?limit=5'),
      app.http.post('/items?x=1').send(hammer),
      app.http.put('/items/1?x=1').send(hammer),
      app.http.delete('/items/1?x=1'),
    ];
    for (const request of requests) expect(await problemOf(request)).toMatchObject({ status: 400 });
    await app.http.get('/items/1?').expect(200);
  });

  it('406 for a client that accepts no JSON', async () => {
    for (const path of ['/items', '/items/1', '/items/abc'])
      expect(await problemOf(app.http.get(path).set('Accept', 'text/html'))).toMatchObject({ status: 406 });
    await app.http.get('/items/1').set('Accept', 'text/html, */*;q=0.1').expect(200);
  });

  it('404 for a path that nobody knows, before anything else', async () => {
    for (const path of ['/', '/nope', '/items/1/x', '/ITEMS', '//items', '/items//', '/nope/%E0%A4%A'])
      for (const method of ['get', 'post', 'put', 'delete', 'patch', 'options'] as const)
        expect(await problemOf(app.http[method](path))).toMatchObject({ status: 404 });
  });

  it('400 for a path that is no UTF-8', async () => {
    expect(await problemOf(app.http.get('/items/%E0%A4%A'))).toMatchObject({ status: 400 });
  });

  it('405 for another method, with Allow, before the body is looked at', async () => {
    const large = app.http.post('/items/1').type('text/plain').send('x'.repeat(200_000));
    for (const request of [app.http.patch('/items/1'), large]) {
      const { status, headers } = await problemOf(request);
      expect([status, headers['allow']]).toEqual([405, 'DELETE, GET, HEAD, OPTIONS, PUT']);
    }
    expect((await problemOf(app.http.delete('/items'))).headers['allow']).toBe('GET, HEAD, OPTIONS, POST');
    expect((await problemOf(app.http.post('/docs-json'))).headers['allow']).toBe('GET, HEAD, OPTIONS');
  });

  it('404 for a row that is not there', async () => {
    for (const request of [
      app.http.get('/items/2147483647'),
      app.http.put('/items/2147483647').set('If-Match', '"x"').send(hammer),
      app.http.delete('/items/2147483647').set('If-Match', '*'),
    ])
      expect(await problemOf(request)).toMatchObject({ status: 404 });
  });
});
