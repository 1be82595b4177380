import { StreamableFile } from '@nestjs/common';
import { cacheStatus } from '../support/cache-status.js';
import { saying, startScripted, write } from '../support/scripted.js';
import { type TestApp } from '../support/start-app.js';

let nodes: Awaited<ReturnType<typeof startScripted>>;
let a: TestApp;
let b: TestApp;

beforeAll(async () => {
  nodes = await startScripted();
  ({ a, b } = nodes);
});

afterAll(() => nodes.close());

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
    const dates = new Set<number>();
    for (const node of [a, b, b]) {
      const again = await node.http.get(route.path).expect(410);
      expect(cacheStatus(again).api).toMatch(
        /^hit; ttl=[1-5]\d; detail=l[12]; strata-policy=ttl(?:; strata-lane=no-key)?$/,
      );
      expect(again.text).toBe('gone');
      const { 'cache-control': control, 'x-own': own, link, 'content-type': type, etag } = again.headers;
      expect([control, own, link, type, etag]).toEqual([
        'max-age=60',
        'kept',
        '</a>, </b>',
        'text/plain; charset=utf-8',
        undefined,
      ]);
      dates.add(Date.parse(again.headers['date']!));
    }
    // When it was made: the miss may have been sent in the next second.
    expect(dates.size).toBe(1);
    expect(Math.max(...dates)).toBeLessThanOrEqual(Date.parse(first.headers['date']!));
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
    expect(headers['cache-status']).toMatch(/ttl=[1-3]\d/);
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
  /** The client, which keeps cookies, sends it nowhere here. */
  const cookieOf = (user: unknown) => `session=${String(user)}; Path=/elsewhere`;

  it.each([
    ['no-store', { 'Cache-Control': 'no-store' }],
    ['private', { 'Cache-Control': 'private, max-age=60' }],
    ['a cookie', { 'Cache-Control': 'max-age=60', 'Set-Cookie': 'session=1; Path=/elsewhere' }],
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
      res.set({ 'Set-Cookie': cookieOf(req.headers['x-user']), 'Cache-Control': 'max-age=60' });
      return { user: req.headers['x-user'] };
    });
    const users = Array.from({ length: 20 }, (_, n) => `user${n}`);
    const answers = await Promise.all(users.map((user) => a.http.get(route.path).set('X-User', user)));
    expect(answers.map(({ body }) => body.user)).toEqual(users);
    expect(answers.map(({ headers }) => headers['set-cookie'])).toEqual(users.map((user) => [cookieOf(user)]));
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

  it.each([
    ['keyed', 4],
    ['open', 1],
  ])(
    'for a request with Authorization also where the route has a key, unless it ignores that: %s',
    async (way, runs) => {
      const route = write((req) => ({ to: req.headers.authorization ?? null }), way);
      for (const name of ['Bearer a', 'Bearer b', undefined, 'Bearer a', undefined]) {
        const asked = a.http.get(route.path);
        const { body } = await (name === undefined ? asked : asked.set('Authorization', name));
        if (way === 'keyed') expect(body.to).toBe(name ?? null);
      }
      expect(route.runs).toBe(runs);
    },
  );

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
    expect(await apiOf(route.path)).toMatch(/^hit; ttl=[1-5]\d/);
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
