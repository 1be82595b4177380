import { StreamableFile } from '@nestjs/common';
import { type Response } from 'express';
import request from 'supertest';
import { heldValidators } from '../src/cache/index.js';
import { cacheStatus } from './support/cache-status.js';
import { type Script, ScriptedModule, scripts } from './support/scripted.js';
import { startRedis, type TestRedis } from './support/services.js';
import { startApp, type TestApp } from './support/start-app.js';
import { until } from './support/until.js';

let redis: TestRedis;
let a: TestApp;
let b: TestApp;

beforeAll(async () => {
  redis = await startRedis();
  a = byName(await startApp({ redis: redis.url, imports: [ScriptedModule] }));
  b = byName(await startApp({ redis: redis.url, imports: [ScriptedModule], database: a.databaseUrl }));
});

afterAll(async () => {
  await b.close();
  await a.close();
  await redis.stop();
});

/** Nodes of one service are asked for by its name, not by their own. */
function byName(node: TestApp): TestApp {
  return { ...node, http: request.agent(node.url).set('Host', 'service.test') };
}

let names = 0;

/** A path whose handler is the script; `runs` counts how often it ran. */
function write(script: Script, route = 'said') {
  const name = `n${(names += 1)}`;
  const written = { path: `/${route}/${name}`, runs: 0 };
  scripts.set(name, (req, res) => {
    written.runs += 1;
    return script(req, res);
  });
  return written;
}

const saying = (fields: Record<string, string>, value: unknown = { n: 1 }) =>
  write((_, res) => {
    res.set(fields);
    return value;
  });

const apiOf = async (path: string, fields: Record<string, string> = {}, node = a) =>
  cacheStatus(await node.http.get(path).set(fields)).api;

describe('a response that says how long it is fresh', () => {
  it('is stored and replayed with its status and its header fields, on every node', async () => {
    const route = write((_, res) => {
      res
        .status(410)
        .set({ 'Cache-Control': 'max-age=60', 'X-Own': 'kept', 'Last-Modified': 'Sun, 06 Nov 1994 08:49:37 GMT' });
      res.append('Link', ['</a>', '</b>']).type('text/plain');
      return 'gone';
    });
    const first = await a.http.get(route.path).expect(410);
    expect(cacheStatus(first).api).toBe('fwd=uri-miss; stored; strata-policy=ttl');
    for (const node of [a, b, b]) {
      const again = await node.http.get(route.path).expect(410);
      expect(cacheStatus(again).api).toMatch(/^hit; ttl=5\d; detail=l[12]; strata-policy=ttl$/);
      expect(again.text).toBe('gone');
      const { 'cache-control': control, 'x-own': own, link, 'content-type': type, etag } = again.headers;
      expect([control, own, link, type, etag]).toEqual([
        'max-age=60',
        'kept',
        '</a>, </b>',
        'text/plain; charset=utf-8',
        undefined,
      ]);
      expect(again.headers['date']).toBe(first.headers['date']);
    }
    expect(route.runs).toBe(1);
  });

  it('is stored as bytes where it is made of bytes', async () => {
    const bytes = Buffer.from([0, 255, 128, 10]);
    const route = saying({ 'Cache-Control': 'max-age=60', 'Content-Type': 'image/x' }, bytes);
    for (let n = 0; n < 2; n += 1) {
      const { body, headers } = await a.http.get(route.path).buffer(true).parse(binary);
      expect(body).toEqual(bytes);
      expect(headers['content-type']).toBe('image/x');
    }
    expect(route.runs).toBe(1);
  });

  it('tells its age, that of the caches before it included', async () => {
    const route = saying({ 'Cache-Control': 'max-age=60', Age: '20' });
    expect((await a.http.get(route.path)).headers['age']).toBe('20');
    const { headers } = await a.http.get(route.path);
    expect(Number(headers['age'])).toBeGreaterThanOrEqual(20);
    expect(headers['cache-status']).toMatch(/ttl=3\d/);
  });

  it('gets a tag if it is JSON without a validator, and answers conditions, HEAD and only-if-cached', async () => {
    const route = saying({ 'Cache-Control': 'max-age=60' });
    await a.http.get(route.path).set('Cache-Control', 'only-if-cached').expect(504);
    const { headers } = await a.http.get(route.path).expect(200);
    expect(headers['etag']).toMatch(/^"[\w-]{22}"$/);
    await a.http.get(route.path).set('If-None-Match', `"x", W/${headers['etag']}`).expect(304);
    await a.http.get(route.path).set('If-Modified-Since', headers['date']!).expect(304);
    const head = await a.http.head(route.path).expect(200);
    expect(head.headers['content-length']).toBe(headers['content-length']);
    await a.http.get(route.path).set('Cache-Control', 'only-if-cached').expect(200);
    expect(route.runs).toBe(1);
  });
});

describe('a response that is not to be stored', () => {
  it.each([
    ['no-store', { 'Cache-Control': 'no-store' }],
    ['private', { 'Cache-Control': 'private, max-age=60' }],
    ['a cookie', { 'Cache-Control': 'max-age=60', 'Set-Cookie': 'session=1' }],
    ['Vary: *', { 'Cache-Control': 'max-age=60', Vary: '*' }],
    ['nothing said', {}],
  ])('is not: %s', async (_, fields) => {
    const route = saying(fields);
    for (let n = 0; n < 2; n += 1) expect(await apiOf(route.path)).toMatch(/^fwd=uri-miss/);
    expect(route.runs).toBe(2);
  });

  it('is not handed to anybody who waited for it', async () => {
    const route = write(async (req, res) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      res.set({ 'Set-Cookie': `session=${req.headers['x-user'] as string}`, 'Cache-Control': 'max-age=60' });
      return { user: req.headers['x-user'] };
    });
    const users = Array.from({ length: 20 }, (_, n) => `user${n}`);
    const answers = await Promise.all(users.map((user) => a.http.get(route.path).set('X-User', user)));
    expect(answers.map(({ body }) => body.user)).toEqual(users);
    expect(answers.map(({ headers }) => headers['set-cookie'])).toEqual(users.map((user) => [`session=${user}`]));
  });

  it('for a request with Authorization, nor is what is stored given to one, unless it says so', async () => {
    const mine = saying({ 'Cache-Control': 'max-age=60' });
    const all = saying({ 'Cache-Control': 'public, max-age=60' });
    for (const { path } of [mine, all]) {
      await a.http.get(path).set('Authorization', 'Bearer x');
      await a.http.get(path);
      await a.http.get(path).set('Authorization', 'Bearer x');
    }
    expect([mine.runs, all.runs]).toEqual([3, 1]);
  });

  it('for another host', async () => {
    const route = write((req, res) => {
      res.set('Cache-Control', 'max-age=60');
      return { link: `http://${req.headers.host}/` };
    });
    for (const host of ['one.test', 'two.test', 'ONE.test', 'two.test']) {
      const { body } = await a.http.get(route.path).set('Host', host);
      expect(body.link).toBe(`http://${host.toLowerCase()}/`);
    }
    expect(route.runs).toBe(2);
  });

  it('and a stream, or what a handler sends itself, is sent once', async () => {
    const stream = write((_, res) => {
      res.status(201).set('X-Own', 'yes');
      return new StreamableFile(Buffer.from('streamed'));
    }, 'timed');
    const sent = write((_, res) => void res.status(202).set('X-Own', 'yes').json({ sent: true }), 'sent');
    for (const [{ path }, status, text] of [
      [stream, 201, 'streamed'],
      [sent, 202, '{"sent":true}'],
    ] as const)
      for (let n = 0; n < 2; n += 1) {
        const answer = await a.http.get(path).buffer(true).parse(binary).expect(status);
        expect([String(answer.body), answer.headers['x-own']]).toEqual([text, 'yes']);
      }
    expect([stream.runs, sent.runs]).toEqual([2, 2]);
  });
});

describe('a route with a lifetime', () => {
  it('keeps answers that say nothing, and lets clients ask again', async () => {
    const route = write(() => ({ at: 1 }), 'timed');
    const { headers } = await a.http.get(route.path);
    expect(headers['cache-control']).toBe('no-cache');
    expect(await apiOf(route.path)).toMatch(/^hit; ttl=5\d/);
    expect(route.runs).toBe(1);
  });

  it('still obeys those that say something', async () => {
    const route = write((_, res) => void res.set('Cache-Control', 'no-store'), 'timed');
    for (let n = 0; n < 2; n += 1) await a.http.get(route.path);
    expect(route.runs).toBe(2);
  });

  it('serves ranges of whole answers, where it wants that', async () => {
    const route = write((_, res) => (res.type('text/plain'), '0123456789'), 'timed');
    const answer = await a.http.get(route.path).set('Range', 'bytes=2-4').expect(206);
    expect([answer.text, answer.headers['content-range']]).toEqual(['234', 'bytes 2-4/10']);
    expect((await a.http.get(route.path).set('Range', 'bytes=10-').expect(416)).headers['content-range']).toBe(
      'bytes */10',
    );
    expect(route.runs).toBe(1);
  });
});

describe('a response that varies', () => {
  const kind = (route: { path: string }, value: string) => a.http.get(route.path).set('X-Kind', value);
  const byKind: Script = (req, res) => {
    res.set({ 'Cache-Control': 'max-age=60', Vary: 'X-Kind' });
    return { kind: req.headers['x-kind'] };
  };

  it.each(['said', 'selected'])('is stored for each selecting value (%s)', async (how) => {
    const route = how === 'said' ? write(byKind) : write((req) => ({ kind: req.headers['x-kind'] }), 'selected');
    for (const value of ['x', 'y', 'x', 'y', 'x']) expect((await kind(route, value)).body).toEqual({ kind: value });
    expect(route.runs).toBe(2);
    expect((await kind(route, 'x')).headers['vary']).toContain('X-Kind');
    expect(cacheStatus(await kind(route, 'z')).api).toMatch(/^fwd=vary-miss; stored/);
    expect((await a.http.get(route.path)).body).toEqual({});
  });

  it('is not given to a request of another variant that waited for it', async () => {
    const route = write(async (req, res) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return byKind(req, res);
    });
    const values = Array.from({ length: 30 }, (_, n) => `k${n % 3}`);
    const answers = await Promise.all(values.map((value) => kind(route, value)));
    expect(answers.map(({ body }) => body.kind)).toEqual(values);
    expect(route.runs).toBe(3);
  });
});

describe('an unsafe request', () => {
  it('makes the responses of its URI invalid on every node before it is answered, others not', async () => {
    let version = 1;
    const route = write((req, res) => {
      if (req.method === 'POST') version += 1;
      else res.set('Cache-Control', 'max-age=60');
      return { version };
    });
    const other = saying({ 'Cache-Control': 'max-age=60' });
    for (const node of [a, b]) for (const { path } of [route, other]) await node.http.get(path);
    await a.http.post(route.path).expect(201);
    expect((await a.http.get(route.path)).body).toEqual({ version: 2 });
    await until(async () => (await b.http.get(route.path)).body.version === 2, 1_000);
    expect(await apiOf(other.path, {}, b)).toMatch(/^hit/);
  });

  it('makes those invalid that its answer names, and none if it fails', async () => {
    const named = saying({ 'Cache-Control': 'max-age=60' });
    const creating = write((_, res) => void res.location(named.path));
    const failing = write((_, res) => void res.status(500).location(named.path));
    await a.http.get(named.path);
    await a.http.post(failing.path).expect(500);
    expect(await apiOf(named.path)).toMatch(/^hit/);
    await a.http.post(creating.path).expect(201);
    expect(await apiOf(named.path)).toMatch(/^fwd=uri-miss/);
  });

  it('during a GET keeps its answer out of the cache', async () => {
    let goOn = (): void => undefined;
    const held = new Promise<void>((resolve) => (goOn = resolve));
    const route = write(async (req, res) => {
      res.set('Cache-Control', 'max-age=60');
      if (req.method === 'GET') await held;
      return {};
    });
    const reading = a.http.get(route.path).then((answer) => answer);
    await until(() => route.runs === 1);
    await b.http.post(route.path).expect(201);
    goOn();
    expect(cacheStatus(await reading).api).toMatch(/^fwd=uri-miss; strata/);
    expect(await apiOf(route.path)).toMatch(/^fwd=uri-miss; stored/);
  });
});

describe('what is past its lifetime', () => {
  /** Stale from the beginning: five seconds old when it comes. */
  const old = (control: string, value: () => unknown = () => ({}), answer: (res: Response) => void = () => undefined) =>
    write((_, res) => {
      res.set({ 'Cache-Control': `max-age=1, ${control}`, Age: '5', ETag: '"v1"' });
      answer(res);
      return value();
    });

  it('is validated with what is held, and a 304 renews it', async () => {
    const seen: unknown[] = [];
    const route = write((_, res) => {
      const held = heldValidators();
      seen.push(held);
      res.set({ 'Cache-Control': held ? 'max-age=60' : 'no-cache', ETag: '"v1"', 'X-Run': String(seen.length) });
      return held ? void res.status(304) : { body: 'of the first' };
    });
    await a.http.get(route.path).expect(200);
    const second = await a.http.get(route.path).expect(200);
    expect(cacheStatus(second).api).toBe('fwd=stale; fwd-status=304; stored; strata-policy=ttl');
    expect(second.body).toEqual({ body: 'of the first' });
    expect(second.headers).toMatchObject({ 'x-run': '2', 'cache-control': 'max-age=60' });
    expect(await apiOf(route.path)).toMatch(/^hit; ttl=5\d/);
    expect(seen).toEqual([undefined, { etag: '"v1"' }]);
  });

  it('is served while one renewal is under way, if it allows that', async () => {
    let goOn = (): void => undefined;
    const held = new Promise<void>((resolve) => (goOn = resolve));
    let first = true;
    const route = old('stale-while-revalidate=60', async () => {
      if (!first) await held;
      first = false;
      return {};
    });
    await a.http.get(route.path);
    for (let n = 0; n < 20; n += 1)
      expect(cacheStatus(await a.http.get(route.path)).api).toMatch(/^hit; ttl=-\d+; detail=l1/);
    await until(() => route.runs === 2);
    goOn();
  });

  it('stands in for a handler that fails, marked, unless it must not', async () => {
    let broken = false;
    const failing = () => {
      if (broken) throw new Error('unreachable');
      return { ok: true };
    };
    const [may, must] = [old('stale-if-error=60', failing), old('must-revalidate', failing)];
    for (const { path } of [may, must]) await a.http.get(path).expect(200);
    broken = true;
    const answer = await a.http.get(may.path).expect(200);
    expect(cacheStatus(answer).api).toBe('fwd=stale; fwd-status=503; strata-policy=ttl');
    expect(answer.body).toEqual({ ok: true });
    await a.http.get(must.path).expect(500);
  });

  it('stands in for an answer of 503 only if it says so', async () => {
    let broken = false;
    const failing = (res: Response) => void (broken && res.status(503));
    const [may, silent] = [old('stale-if-error=60', undefined, failing), old('x', undefined, failing)];
    for (const { path } of [may, silent]) await a.http.get(path).expect(200);
    broken = true;
    await a.http.get(may.path).expect(200);
    await a.http.get(silent.path).expect(503);
  });
});

describe('a client that wants a fresh answer', () => {
  it('gets one, but a flood of such clients does not get round the cache', async () => {
    const route = saying({ 'Cache-Control': 'max-age=60' });
    await a.http.get(route.path);
    expect(await apiOf(route.path, { 'Cache-Control': 'no-cache' })).toMatch(/^fwd=request; stored/);
    expect(await apiOf(route.path, { 'Cache-Control': 'max-age=0, no-cache' })).toMatch(/^fwd=request; stored/);
    const startedMs = performance.now();
    for (let n = 0; n < 20; n += 1)
      await Promise.all(Array.from({ length: 10 }, () => a.http.get(route.path).set('Cache-Control', 'no-cache')));
    const seconds = (performance.now() - startedMs) / 1_000;
    expect(route.runs).toBeLessThanOrEqual(3 + 10 * (1 + seconds));
  });

  it('and one that wants nothing stored leaves nothing behind', async () => {
    const route = saying({ 'Cache-Control': 'max-age=60' });
    await a.http.get(route.path).set('Cache-Control', 'no-store');
    expect(await apiOf(route.path)).toMatch(/^fwd=uri-miss; stored/);
  });
});

function binary(response: unknown, done: (error: Error | null, body: Buffer) => void): void {
  const chunks: Buffer[] = [];
  (response as NodeJS.ReadableStream)
    .on('data', (chunk: Buffer) => chunks.push(chunk))
    .on('end', () => done(null, Buffer.concat(chunks)));
}
