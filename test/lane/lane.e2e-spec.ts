import { Lease, MemoryLevel, PolicySource } from '../../src/cache/index.js';
import { cacheStatus } from '../support/cache-status.js';
import { exchange, LaneWatch } from '../support/lane.js';
import { sharedRedis, type SharedRedis } from '../support/services.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { untimed } from '../support/untimed.js';

const token = 'correct-horse-battery-staple';
const item = (name: string) => ({ name, category: 'tools', price: 1.5, quantity: 2 });

let redis: SharedRedis;
let node: TestApp;
let lane: LaneWatch;
let path: string;

beforeAll(async () => {
  redis = await sharedRedis();
  node = await startApp({ redis: redis.url, env: { ADMIN_TOKEN: token, CACHE_L1_LEASE_MS: '30000' } });
  lane = new LaneWatch(node);
});

beforeEach(async () => {
  path = (await node.http.post('/items').send(item('Hammer')).expect(201)).headers['location'] as string;
});

afterAll(async () => {
  await node.close();
});

/** Everything that does not tell the time. */
const timeless = ({ headers, status, text }: Awaited<ReturnType<LaneWatch['warm']>>) => ({
  status,
  text,
  headers: { ...headers, date: '', age: '', 'cache-status': '' },
});

describe('the fast lane', () => {
  it('answers a hit as Nest does, header by header', async () => {
    await lane.get(path);
    const { answer: byNest, byLane } = await lane.ask(lane.get(path));
    expect(byLane).toBe(false);
    expect(timeless(await lane.warm(path))).toEqual(timeless(byNest));
    expect(cacheStatus(await lane.get(path)).api).toMatch(/^hit; ttl=\d+; detail=l1; strata-policy=write-through$/);
  });

  it('answers HEAD and 304', async () => {
    const { headers } = await lane.warm(path);
    const head = await lane.ask(node.http.head(path).set('Accept-Encoding', 'identity'));
    expect(head.byLane).toBe(true);
    expect(untimed(head.answer.headers)).toEqual(untimed(headers));
    for (const tag of [headers['etag']!, `W/${headers['etag']}`, `"x", ${headers['etag']}`, '*']) {
      const known = await lane.warm(path, { 'If-None-Match': tag });
      expect([tag, known.status, known.text, known.headers['etag']]).toEqual([tag, 304, '', headers['etag']]);
      expect(known.headers).not.toHaveProperty('content-length');
    }
    const other = await lane.ask(lane.get(path, { 'If-None-Match': '"x"' }));
    expect([other.answer.status, other.byLane]).toEqual([200, true]);
  });

  describe.each([
    ['GET', '200'],
    ['HEAD', '200'],
    ['GET', '304'],
  ])('with %s and %s', (method, status) => {
    it.each([
      ['keeps its connection', 'HTTP/1.1', ''],
      ['keeps it under HTTP/1.0', 'HTTP/1.0', 'Connection: keep-alive\r\n'],
      ['closes it', 'HTTP/1.1', 'Connection: close\r\n'],
      ['closes it under HTTP/1.0', 'HTTP/1.0', ''],
    ])('says of the connection what Node says, to a client that %s', async (_what, version, fields) => {
      const etag = (await lane.warm(path)).headers['etag']!;
      const known = status === '304' ? { 'If-None-Match': etag } : undefined;
      await lane.warm(path, known);
      const text = (more: string) =>
        `${method} ${path} ${version}\r\nHost: x\r\nAccept-Encoding: identity\r\n${known ? `If-None-Match: ${etag}\r\n` : ''}${fields}${more}\r\n`;
      const heads: string[][] = [];
      for (const more of ['Cookie: a=b\r\n', '', '']) {
        const before = lane.answers;
        const [head, body] = (await exchange(node.url, [text(more)])).split('\r\n\r\n');
        expect([lane.answers - before, head!.slice(9, 12)]).toEqual([more ? 0 : 1, status]);
        if (method === 'GET' && !known) expect(JSON.parse(body!)).toMatchObject({ name: 'Hammer' });
        else expect(body).toBe('');
        heads.push(head!.split('\r\n').filter((line) => !/^(?:Age|Cache-Status):/.test(line)));
      }
      expect(heads[1]).toEqual(heads[0]);
      expect(heads[2]).toEqual(heads[0]);
    });
  });

  it('knows a URL by every spelling that it has been asked in, up to a few', async () => {
    for (const url of [path, `${path}/`, `${path}?`]) {
      await lane.warm(url);
      expect((await lane.get(url)).headers['etag']).toBe((await lane.get(path)).headers['etag']);
    }
    await lane.warm('/items?category=t%6fols&limit=020');
    const spellings = Array.from({ length: 9 }, (_, at) => `${path}${'?'.padEnd(at + 1, '&')}`);
    for (const url of spellings) await lane.warm(url);
    const known = async (url: string) => (await lane.ask(lane.get(url).expect(200))).byLane;
    expect(await known(spellings[8]!)).toBe(true);
    expect(await known(spellings[0]!)).toBe(false);
    expect(await known(spellings[0]!)).toBe(true);
  });

  it.each([
    ['authorization', 'Authorization', 'Basic eDp5'],
    ['cookie', 'Cookie', 'a=b'],
    ['range', 'Range', 'bytes=0-1'],
    ['body', 'Content-Length', '0'],
    ['body', 'Content-Type', 'application/json'],
    ['directives', 'Cache-Control', 'max-stale=1'],
    ['directives', 'Pragma', 'x'],
    ['conditional', 'If-Modified-Since', 'Mon, 01 Jan 2024 00:00:00 GMT'],
    ['conditional', 'If-Match', '"x"'],
    ['request-id', 'X-Request-Id', 'one'],
    ['header', 'X-Something', 'one'],
    ['header', 'Origin', 'http://example.org'],
  ])('leaves a request to Nest because of %s (%s), and says so', async (reason, name, value) => {
    await lane.warm(path);
    const { answer, byLane } = await lane.ask(lane.get(path, { [name]: value }));
    expect([answer.status, byLane]).toEqual([200, false]);
    expect(cacheStatus(answer).api).toMatch(new RegExp(`^hit; .*; strata-lane=${reason}$`));
    expect((await lane.ask(lane.get(path))).byLane).toBe(true);
  });

  it('leaves to Nest what asks for a fresh answer, or accepts no JSON', async () => {
    await lane.warm(path);
    const fresh = await lane.ask(lane.get(path, { 'Cache-Control': 'no-cache' }));
    expect([fresh.byLane, cacheStatus(fresh.answer).api]).toEqual([false, expect.stringContaining('fwd=request')]);
    await lane.warm(path);
    for (const accept of ['text/html', 'application/json;q=0']) {
      const { answer, byLane } = await lane.ask(lane.get(path, { Accept: accept }));
      expect([accept, answer.status, byLane]).toEqual([accept, 406, false]);
    }
    for (const accept of ['application/*', 'text/html, */*;q=0.1'])
      expect((await lane.ask(lane.get(path, { Accept: accept }))).byLane).toBe(true);
  });

  it('never answers other methods, or a path that it was not asked for', async () => {
    await lane.warm(path);
    const before = lane.answers;
    await node.http.post(path).expect(405);
    await node.http.options(path).expect(204);
    await node.http.get(`${path}?x=1`).expect(400);
    await node.http.get(`/${path}`).expect(404);
    expect(lane.answers).toBe(before);
  });

  it('counts in the metrics like any other hit, at once', async () => {
    const grown = async (pattern: RegExp) => Number(pattern.exec((await node.http.get('/metrics')).text)?.[1]);
    const hits = /^cache_requests_total\{layer="api",level="l1",result="hit"\} (\d+)$/m;
    const times = /^http_request_duration_seconds_count\{route="\/items\/:id",method="GET",status="200"\} (\d+)$/m;
    await lane.warm(path);
    const before = [await grown(hits), await grown(times)] as const;
    for (let n = 0; n < 3; n += 1) expect((await lane.ask(lane.get(path))).byLane).toBe(true);
    expect([await grown(hits), await grown(times)]).toEqual([before[0] + 3, before[1] + 3]);
  });
});

describe('what the fast lane has', () => {
  it('is gone with the entry, in the same step', async () => {
    await lane.warm(path);
    node.app.get(MemoryLevel).invalidate([path.slice(1).replace('/', ':')]);
    expect((await lane.ask(lane.get(path))).byLane).toBe(false);
  });

  it('is never older than a write that has been answered', async () => {
    for (let n = 0; n < 20; n += 1) {
      await lane.warm(path);
      await node.http
        .put(path)
        .send(item(`Hammer ${n}`))
        .expect(200);
      expect((await lane.get(path)).body.name).toBe(`Hammer ${n}`);
    }
  });

  it('is not given without the lease, nor in another term of it', async () => {
    const lease = node.app.get(Lease);
    await lane.warm(path);
    jest.spyOn(lease, 'isValidAt').mockReturnValue(false);
    expect((await lane.ask(lane.get(path))).byLane).toBe(false);
    jest.restoreAllMocks();
    await lane.warm(path);
    jest.spyOn(lease, 'term', 'get').mockReturnValue(Symbol('another'));
    expect((await lane.ask(lane.get(path))).byLane).toBe(false);
    jest.restoreAllMocks();
  });

  it('is not given from the moment that a policy forbids it, and again once it does not', async () => {
    await lane.warm(path);
    jest.spyOn(node.app.get(PolicySource), 'rulesOf').mockReturnValue('strict');
    expect((await lane.ask(lane.get(path))).byLane).toBe(false);
    jest.restoreAllMocks();
    await lane.warm(path);
  });
});
