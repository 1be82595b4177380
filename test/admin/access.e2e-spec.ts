import crypto from 'node:crypto';
import { Controller, Get, Module } from '@nestjs/common';
import { type Test } from 'supertest';
import { Credentials } from '../../src/admin/guard/credentials.js';
import { FakeClock } from '../support/fake-clock.js';
import { startApp, type TestApp } from '../support/start-app.js';

const token = 'correct-horse-battery-staple';
const env = { ADMIN_TOKEN: token };
const bearer = `Bearer ${token}`;
const large = { token: 'x'.repeat(200_000) };

/** A colleague's route below `/admin`, whose module knows nothing of the guard. */
@Controller('admin/elsewhere')
class ElsewhereController {
  @Get()
  find(): object {
    return { secret: 42 };
  }
}

@Module({ controllers: [ElsewhereController] })
class ElsewhereModule {}

describe('the admin routes', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startApp({ env, imports: [ElsewhereModule] });
  });
  afterAll(() => app.close());

  const signIn = async (): Promise<string> => {
    const { headers } = await app.http.post('/admin/session').send({ token }).expect(204);
    return String(headers['set-cookie']).split(';')[0]!;
  };
  const refused = (request: Test) =>
    request
      .expect(401)
      .expect('WWW-Authenticate', 'Bearer realm="strata"')
      .expect('Content-Type', 'application/problem+json')
      .expect('Cache-Control', 'no-store');

  it('are there for the bearer of the token, and never stored by anyone', async () => {
    for (const path of ['/admin/cache/stats', '/admin/elsewhere', '/admin/cache/stats/'])
      await app.http.get(path).set('Authorization', bearer).expect(200).expect('Cache-Control', 'no-store');
    await app.http.get('/admin/cache/stats').set('Authorization', `bearer  ${token}`).expect(200);
    await app.http.head('/admin/cache/stats').set('Authorization', bearer).expect(200);
  });

  it('are there for nobody else, whichever module serves them', async () => {
    for (const path of ['/admin/cache/stats', '/admin/elsewhere', '/admin/cache/entries', '/admin/events']) {
      await refused(app.http.get(path));
      await refused(app.http.head(path));
      for (const wrong of ['', 'Bearer', 'Bearer ', `Bearer ${token}x`, `Bearer ${token.slice(1)}`, `Basic ${token}`, token])
        await refused(app.http.get(path).set('Authorization', wrong));
    }
  }); // prettier-ignore

  it('do not tell one failure from another', async () => {
    const bodies = await Promise.all([
      app.http.get('/admin/cache/stats'),
      app.http.get('/admin/cache/stats').set('Authorization', 'Bearer nope'),
      app.http.get('/admin/cache/stats').set('Cookie', 'strata_session=1.2.3'),
      app.http.post('/admin/session').send({ token: 'nope' }),
      app.http.post('/admin/session').send({ token: token.slice(0, -1) }),
    ]);
    expect(new Set(bodies.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
  });

  it('compare what is secret in constant time', async () => {
    const compare = jest.spyOn(crypto, 'timingSafeEqual');
    await refused(app.http.get('/admin/cache/stats').set('Authorization', 'Bearer x'));
    await refused(app.http.get('/admin/cache/stats').set('Cookie', 'strata_session=1.2.3'));
    await refused(app.http.post('/admin/session').send({ token: 'x' }));
    expect(compare.mock.calls.map(([a, b]) => [a.byteLength, b.byteLength])).toEqual([[32, 32], [32, 32], [32, 32]]); // prettier-ignore
    compare.mockRestore();
  });

  it('are checked in this order: path, method, token, body, type, content', async () => {
    const post = (path: string) => app.http.post(path).type('text/plain').send(JSON.stringify(large));
    await post('/admin/nowhere').expect(404);
    await post('/admin').expect(404);
    await post('/ADMIN/cache/clear').expect(404);
    await post('/admin/cache/stats').expect(405).expect('Allow', 'GET, HEAD, OPTIONS');
    await refused(post('/admin/cache/invalidate'));
    await refused(app.http.put('/admin/cache/policies/items').send({ policy: 'nope' }));
    const signed = (request: Test) => request.set('Authorization', bearer);
    await signed(post('/admin/cache/invalidate')).expect(413);
    await post('/admin/session').expect(413);
    await signed(app.http.post('/admin/cache/invalidate').type('text/plain').send('{')).expect(415);
    await signed(app.http.post('/admin/cache/invalidate').accept('text/html').send({})).expect(406);
    await signed(app.http.post('/admin/cache/invalidate').send({})).expect(400);
    await signed(app.http.get('/admin/cache/stats?x=1')).expect(400);
    await app.http.post('/admin/session').send({}).expect(400);
    await app.http.post('/admin/session').send({ token: 5 }).expect(400);
    await app.http.post('/admin/session').send({ token, more: 1 }).expect(400);
    await app.http.options('/admin/cache/clear').expect(204).expect('Allow', 'OPTIONS, POST');
  });

  it('take a session instead, whose cookie a script cannot read and another site cannot send', async () => {
    const answer = await app.http.post('/admin/session').send({ token }).expect(204);
    const cookie = String(answer.headers['set-cookie']);
    expect(cookie).toMatch(
      /^strata_session=[\w.-]+; Max-Age=28800; Path=\/admin; Expires=[^;]+; HttpOnly; SameSite=Strict$/,
    );
    expect(cookie).not.toContain(token);
    await app.http.get('/admin/cache/stats').set('Cookie', cookie.split(';')[0]!).expect(200);
    await app.http
      .get('/admin/elsewhere')
      .set('Cookie', `a=b; ${await signIn()}; c=d`)
      .expect(200);
  });

  it('mark the cookie secure where the browser came by https', async () => {
    const host = new URL(app.url).host;
    const { headers } = await app.http.post('/admin/session').set('Origin', `https://${host}`).send({ token }).expect(204);
    expect(String(headers['set-cookie'])).toContain('; Secure');
  }); // prettier-ignore

  it('with a session, change something for pages of this host only', async () => {
    const cookie = await signIn();
    const change = () => app.http.put('/admin/cache/policies/items').set('Cookie', cookie).send({ policy: 'invalidate' });
    await change().set('Origin', app.url).expect(200);
    for (const origin of ['http://evil.example', 'null', `${app.url}0`, 'x', `http://127.0.0.1`])
      await change().set('Origin', origin).expect(403).expect('Content-Type', 'application/problem+json');
    await change().expect(403);
    await app.http.get('/admin/cache/stats').set('Cookie', cookie).set('Origin', 'http://evil.example').expect(200);
    await change().set('Authorization', bearer).set('Origin', 'http://evil.example').expect(200);
    await app.http.post('/admin/session').set('Origin', 'http://evil.example').send({ token }).expect(403);
  }); // prettier-ignore

  it('take the cookie back on signing out', async () => {
    const cookie = await signIn();
    await app.http.delete('/admin/session').expect(401);
    const { headers } = await app.http.delete('/admin/session').set('Cookie', cookie).set('Origin', app.url).expect(204);
    expect(String(headers['set-cookie'])).toMatch(/^strata_session=; Path=\/admin; Expires=Thu, 01 Jan 1970/);
  }); // prettier-ignore

  it('know a session that another node with the same token has opened, and no other', async () => {
    const [other, stranger] = await Promise.all([
      startApp({ env, database: app.databaseUrl }),
      startApp({ env: { ADMIN_TOKEN: `${token}!` }, database: app.databaseUrl }),
    ]);
    const cookie = await signIn();
    await other.http.get('/admin/cache/stats').set('Cookie', cookie).expect(200);
    await refused(stranger.http.get('/admin/cache/stats').set('Cookie', cookie));
    await Promise.all([other.close(), stranger.close()]);
  });

  it('are documented', async () => {
    const { body } = await app.http.get('/docs-json').expect(200);
    expect(Object.keys(body.paths)).toEqual(
      expect.arrayContaining([
        '/admin/session',
        '/admin/cache/stats',
        '/admin/cache/entries',
        '/admin/cache/invalidate',
        '/admin/cache/clear',
        '/admin/cache/policies/{entity}',
        '/admin/events',
      ]),
    );
    expect(body.paths['/admin/cache/clear'].post.security).toEqual(
      expect.arrayContaining([{ admin: [] }, { session: [] }]),
    );
    expect(Object.keys(body.paths['/admin/cache/invalidate'].post.responses)).toEqual(
      expect.arrayContaining(['200', '400', '401', '403', '413', '415', '503']),
    );
  });
});

describe('without a token', () => {
  it('the admin routes do not exist, whatever is asked', async () => {
    const app = await startApp({ imports: [ElsewhereModule] });
    for (const path of ['/admin/cache/stats', '/admin/session', '/admin/queues', '/admin/warming/jobs', '/admin/cache/clear'])
      for (const method of ['get', 'post', 'put', 'delete', 'head', 'options'] as const)
        await app.http[method](path).set('Authorization', 'Bearer undefined').expect(404);
    await app.http.get('/admin/elsewhere').set('Authorization', 'Bearer undefined').expect(404);
    const { body } = await app.http.get('/docs-json').expect(200);
    expect(Object.keys(body.paths).filter((path) => path.startsWith('/admin'))).toEqual(['/admin/elsewhere']);
    await app.close();
  }); // prettier-ignore
});

describe('a session', () => {
  const clock = new FakeClock();
  const credentials = new Credentials(token, clock);

  it('ends after eight hours', () => {
    const session = credentials.openSession();
    clock.advance(8 * 3_600_000 - 1);
    expect(credentials.acceptsSession(session)).toBe(true);
    clock.advance(1);
    expect(credentials.acceptsSession(session)).toBe(false);
  });

  it('cannot be prolonged or made up', () => {
    const [expiry, nonce, signature] = credentials.openSession().split('.');
    for (const forged of [
      `${Number(expiry) + 1}.${nonce}.${signature}`,
      `${expiry}.${nonce}.${'A'.repeat(43)}`,
      `${expiry}.${nonce}.`,
      `${expiry}.${nonce}`,
      '',
      '..',
    ])
      expect(credentials.acceptsSession(forged)).toBe(false);
  });

  it('is not the same twice', () => {
    expect(credentials.openSession()).not.toBe(credentials.openSession());
  });
});
