import { type Response } from 'express';
import { heldValidators, LevelUnavailableError, RedisTags } from '../../src/cache/index.js';
import { cacheStatus } from '../support/cache-status.js';
import { saying, type Script, startScripted, write } from '../support/scripted.js';
import { type TestApp } from '../support/start-app.js';
import { until } from '../support/until.js';

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
    await until(async () => (await b.http.get(route.path)).body.version === 2);
    expect(await apiOf(other.path, {}, b)).toMatch(/^hit/);
  });

  it('makes them invalid although Redis could not be told at once', async () => {
    let version = 1;
    const route = write((req, res) => {
      if (req.method === 'POST') version += 1;
      else res.set('Cache-Control', 'max-age=60');
      return { version };
    });
    for (const node of [a, b]) await node.http.get(route.path);
    const lost = new LevelUnavailableError('redis', 'the connection broke');
    const invalidate = jest.spyOn(a.app.get(RedisTags), 'invalidate').mockRejectedValueOnce(lost);
    await a.http.post(route.path).expect(201);
    invalidate.mockRestore();
    for (const node of [a, b]) await until(async () => (await node.http.get(route.path)).body.version === 2);
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
    expect(await apiOf(route.path)).toMatch(/^hit; ttl=[1-5]\d/);
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
