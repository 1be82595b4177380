import { connect } from 'node:net';
import { Controller, Get, Module, Post, UnauthorizedException, UseGuards } from '@nestjs/common';
import { startApp, type TestApp } from '../support/start-app.js';
import { untimed } from '../support/untimed.js';

@Controller('guarded')
@UseGuards({
  canActivate() {
    throw new UnauthorizedException();
  },
})
class GuardedController {
  @Post()
  change(): void {}
}

@Controller('broken')
class BrokenController {
  @Get()
  fail(): void {
    throw new Error('SELECT secret FROM somewhere');
  }
}

@Module({ controllers: [GuardedController, BrokenController] })
class TestModule {}

const hammer = { name: 'Hammer', description: null, category: 'tools', price: 19.99, quantity: 3 };

describe('every answer', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startApp({ imports: [TestModule] });
    await app.http.post('/items').send(hammer).expect(201);
  });
  afterAll(() => app.close());

  it.each(['/items', '/items/1', '/items/999', '/docs-json', '/docs'])('to HEAD has the headers of GET: %s', async (path) => {
    const { headers: get, status } = await app.http.get(path).set('Accept-Encoding', 'identity');
    const { headers: head, text } = await app.http.head(path).set('Accept-Encoding', 'identity').expect(status);
    expect(untimed(head)).toEqual(untimed(get));
    expect(head['content-length']).toMatch(/^\d+$/);
    expect(text ?? '').toBe('');
  }); // prettier-ignore

  it('to OPTIONS is 204 with Allow', async () => {
    await app.http.options('/items').expect(204).expect('Allow', 'GET, HEAD, OPTIONS, POST');
    await app.http.options('/items/1').expect(204).expect('Allow', 'DELETE, GET, HEAD, OPTIONS, PUT');
    await app.http.options('/items/abc/').expect(204);
    await app.http.options('/docs-json').expect(204).expect('Allow', 'GET, HEAD, OPTIONS');
  });

  it('does not mind a trailing slash', async () => {
    await app.http.get('/items/').expect(200);
    await app.http.put('/items/1/').send(hammer).expect(200);
  });

  it('has no header of its own', async () => {
    const answers = await Promise.all([app.http.get('/items/1'), app.http.get('/items/1')]);
    const [one, two] = answers.map(({ headers }) => untimed(headers));
    expect(one).toEqual(two);
    expect(one).not.toHaveProperty('x-powered-by');
    expect(one).not.toHaveProperty('x-request-id');
  });

  it('repeats the id of a request that has one, if it is harmless', async () => {
    await app.http.get('/items/1').set('X-Request-Id', 'a-1').expect('X-Request-Id', 'a-1');
    await app.http.get('/nope').set('X-Request-Id', 'a-1').expect('X-Request-Id', 'a-1');
    for (const id of ['x'.repeat(129), 'a b', '<script>']) {
      const { headers } = await app.http.get('/items/1').set('X-Request-Id', id).expect(200);
      expect(headers).not.toHaveProperty('x-request-id');
    }
  });

  it('of a guard comes before the body is looked at, and after 404 and 405', async () => {
    const large = { name: 'x'.repeat(200_000) };
    await app.http.post('/guarded').send(large).expect(401).expect('Content-Type', 'application/problem+json');
    await app.http.put('/guarded').send(large).expect(405);
    await app.http.post('/guarded/x').send(large).expect(404);
  });

  it('to an error that nobody foresaw is a 500 that tells nothing', async () => {
    const { text, headers } = await app.http.get('/broken').expect(500);
    expect(headers['content-type']).toBe('application/problem+json');
    expect(text).not.toMatch(/secret|SELECT|at /);
  });

  it('to what is no HTTP, or has too large a head, is a problem, too', async () => {
    const { port, hostname } = new URL(app.url);
    const send = async (text: string) => {
      const socket = connect(Number(port), hostname).end(text);
      const chunks: Buffer[] = [];
      for await (const chunk of socket) chunks.push(chunk as Buffer);
      return Buffer.concat(chunks).toString();
    };
    expect(await send('hello\r\n\r\n')).toMatch(/^HTTP\/1.1 400 Bad Request\r\n[^]*application\/problem\+json/);
    const large = `GET /items?q=${'x'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`;
    expect(await send(large)).toMatch(/^HTTP\/1.1 431 [^]*"status":431/);
  });

  it('is documented: every route, status and header', async () => {
    await app.http.get('/docs-yaml').expect(404);
    const { body } = await app.http.get('/docs-json').expect(200);
    expect(body.info.title).toBe('Strata');
    expect(Object.keys(body.paths)).toEqual(expect.arrayContaining(['/items', '/items/{id}']));
    const put = body.paths['/items/{id}'].put;
    expect(Object.keys(put.responses)).toEqual(
      expect.arrayContaining(['200', '400', '404', '406', '412', '413', '415', '503']),
    );
    expect(put.parameters).toContainEqual(expect.objectContaining({ name: 'If-Match', in: 'header' }));
    expect(put.responses['200'].headers).toHaveProperty('ETag');
    const get = body.paths['/items/{id}'].get;
    expect(get.responses['200'].headers).toHaveProperty('Cache-Status');
    expect(get.parameters).toContainEqual(expect.objectContaining({ name: 'If-None-Match', in: 'header' }));
    expect(body.paths['/items'].post.responses['201'].headers).toHaveProperty('Location');
    await app.http.get('/docs').expect(200).expect('Content-Type', /html/);
    await app.http.get('/docs/swagger-ui-bundle.js').expect(200);
  });
});
