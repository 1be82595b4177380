import { startApp, type TestApp } from '../support/start-app.js';

const hammer = { name: 'Hammer', description: null, category: 'tools', price: 19.99, quantity: 3 };

describe('entity tags', () => {
  let app: TestApp;
  let path: string;
  let etag: string;
  beforeAll(async () => {
    app = await startApp();
  });
  beforeEach(async () => {
    const { headers } = await app.http.post('/items').send(hammer).expect(201);
    path = headers['location'] as string;
    etag = headers['etag'] as string;
  });
  afterAll(() => app.close());

  it('are strong, and the same on POST, GET, HEAD and PUT of the same version', async () => {
    expect(etag).toMatch(/^"[\w-]{22,}"$/);
    await app.http.get(path).expect('ETag', etag);
    await app.http.head(path).expect('ETag', etag);
    const { headers } = await app.http.put(path).send(hammer).expect(200);
    expect(headers['etag']).not.toBe(etag);
    await app.http.get(path).expect('ETag', headers['etag']!);
    await app.http.get(`${path}/`).expect('ETag', headers['etag']!);
  });

  it('make a GET or HEAD 304, without a body, as long as they are current', async () => {
    for (const tag of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
      const { text } = await app.http.get(path).set('If-None-Match', tag).expect(304).expect('ETag', etag);
      expect(text).toBe('');
      await app.http.head(path).set('If-None-Match', tag).expect(304);
    }
    await app.http.get(path).set('If-None-Match', '"x"').expect(200);
    await app.http.get(path).set('If-None-Match', etag).set('Cache-Control', 'no-cache').expect(304);
    await app.http.put(path).send(hammer).expect(200);
    await app.http.get(path).set('If-None-Match', etag).expect(200);
  });

  it('a list has one, too', async () => {
    const { headers } = await app.http.get('/items').expect(200);
    await app.http.get('/items').set('If-None-Match', headers['etag']!).expect(304);
    await app.http.put(path).send(hammer).expect(200);
    await app.http.get('/items').set('If-None-Match', headers['etag']!).expect(200);
  });

  it.each([
    ['the tag', (tag: string) => tag],
    ['a list with it', (tag: string) => `"a,b" , ${tag}, W/"c"`],
    ['*', () => '*'],
    ['the tag of the compressed form', (tag: string) => tag.replace(/"$/, '-gzip"')],
    ['the tag of another compressed form', (tag: string) => tag.replace(/"$/, '-br"')],
  ])('If-Match lets a change through for %s', async (_what, ifMatch) => {
    const { headers } = await app.http.put(path).set('If-Match', ifMatch(etag)).send(hammer).expect(200);
    await app.http.delete(path).set('If-Match', ifMatch(headers['etag']!)).expect(204);
  });

  it.each([
    ['another tag', () => '"x"'],
    ['a weak tag', (tag: string) => `W/${tag}`],
    ['a tag of an unknown encoding', (tag: string) => tag.replace(/"$/, '-x"')],
    ['the empty tag', () => '""'],
  ])('412 for %s', async (_what, ifMatch) => {
    await app.http
      .put(path)
      .set('If-Match', ifMatch(etag))
      .send({ ...hammer, price: 1 })
      .expect(412);
    await app.http.delete(path).set('If-Match', ifMatch(etag)).expect(412);
    await app.http.get(path).expect('ETag', etag);
  });

  it.each(['x', '"', '"a" "b"', 'W/*', '*, "a"', '', ',', '"a"x', "'a'"])('400 for If-Match: %s', async (ifMatch) => {
    await app.http.put(path).set('If-Match', ifMatch).send(hammer).expect(400);
    const { body } = await app.http.delete(path).set('If-Match', ifMatch).expect(400);
    expect(body.errors).toEqual([{ in: 'header', field: 'If-Match', message: expect.any(String) }]);
  });
});
