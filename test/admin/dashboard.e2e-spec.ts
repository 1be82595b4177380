import { hostname } from 'node:os';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Response } from 'express';
import { type Counters } from '../../src/admin/dashboard/counters.js';
import { LiveCounters } from '../../src/admin/dashboard/live-counters.service.js';
import { EventStreams } from '../../src/admin/events/event-streams.js';
import { RedisConnection } from '../../src/cache/index.js';
import { Lifecycle } from '../../src/http/index.js';
import { hammer } from '../support/administered-nodes.js';
import { hear, SlowResponse } from '../support/event-listener.js';
import { sharedRedis, type SharedRedis } from '../support/services.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { Stopwatch } from '../support/stopwatch.js';
import { until } from '../support/until.js';

const token = 'correct-horse-battery-staple';
let redis: SharedRedis;
let app: TestApp;
beforeAll(async () => {
  redis = await sharedRedis();
  app = await startApp({ redis: redis.url, env: { ADMIN_TOKEN: token } });
});
afterAll(async () => {
  await app.close();
});

const page = async (): Promise<string> => (await app.http.get('/dashboard').expect(200)).text;
const assetsOf = (html: string) =>
  [...html.matchAll(/(?:src|href)="(\/dashboard\/assets\/[^"]+)"/g)].map(([, path]) => path!);
const policyOf = ({ headers }: { headers: Record<string, string> }) => headers['content-security-policy'];

describe('the page', () => {
  it('is there for everyone, and is asked for anew each time', async () => {
    const { headers } = await app.http.get('/dashboard').expect(200).expect('Content-Type', 'text/html; charset=utf-8');
    expect(headers['cache-control']).toBe('no-cache');
    await app.http.get('/dashboard').set('If-None-Match', headers['etag']!).expect(304);
    await app.http.get('/dashboard/').expect(200);
    await app.http.head('/dashboard').expect(200).expect('Content-Length', headers['content-length']!);
    await app.http.get('/dashboard?x=1').expect(400);
    await app.http.get('/dashboard').set('Accept', 'application/json').expect(406);
    await app.http.post('/dashboard').expect(405).expect('Allow', 'GET, HEAD, OPTIONS');
  });

  it('may run and load nothing but its own files', async () => {
    const policy = policyOf(await app.http.get('/dashboard'));
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
    expect(policy).not.toContain('unsafe');
    const html = await page();
    expect(html).not.toMatch(/<script(?![^>]* src=)|<style|\sstyle=|\son[a-z]+=|https?:/);
  });

  it('has every file that it names, and each of those has what it imports', async () => {
    const paths = new Set(assetsOf(await page()));
    expect(paths.size).toBeGreaterThan(4);
    for (const path of paths) {
      const { text, headers } = await app.http.get(path).expect(200).expect('X-Content-Type-Options', 'nosniff');
      const imports = path.endsWith('.js') && !path.endsWith('/uplot.js') ? [...text.matchAll(/from '\.\/([\w-]+\.js)'/g)] : [];
      for (const [, name] of imports) paths.add(`/dashboard/assets/${name}`);
      expect(headers['content-type']).toMatch(path.endsWith('.js') ? /^text\/javascript/ : /^(?:text\/css|image\/svg)/);
    }
    expect([...paths]).toContain('/dashboard/assets/uplot.js');
  });

  it('has no other file', async () => {
    for (const name of ['nothing.js', '..%2Fcounters.js', '..%2f..%2fadmin.module.ts', 'uplot.d.ts', '__proto__'])
      await app.http.get(`/dashboard/assets/${name}`).expect(404);
  });
}); // prettier-ignore

describe('the report of the policy lab', () => {
  const folder = mkdtempSync(join(tmpdir(), 'strata-lab-'));
  beforeEach(() => jest.spyOn(process, 'cwd').mockReturnValue(folder));
  afterEach(() => jest.restoreAllMocks());
  afterAll(() => rmSync(folder, { recursive: true }));

  it('is told how to be made where there is none', async () => {
    const answer = await app.http.get('/dashboard/lab').expect(404).expect('Content-Type', 'text/html; charset=utf-8');
    expect(answer.text).toContain('npm run lab');
    expect(policyOf(answer)).not.toContain('unsafe');
  });

  it('is no fault of the service where it cannot be read', async () => {
    mkdirSync(join(folder, 'lab', 'report.html'), { recursive: true });
    await app.http.get('/dashboard/lab').expect(404);
    rmSync(join(folder, 'lab'), { recursive: true });
  });

  it('is shown in a sandbox, where nothing runs', async () => {
    mkdirSync(join(folder, 'lab'));
    writeFileSync(join(folder, 'lab', 'report.html'), '<title>a report</title>');
    const answer = await app.http.get('/dashboard/lab').expect(200);
    expect(answer.text).toBe('<title>a report</title>');
    expect(policyOf(answer)).toContain("default-src 'none'");
    expect(policyOf(answer)).toMatch(/sandbox(?!.*allow-(same-origin|scripts))/);
    expect(policyOf(answer)).not.toContain('script-src');
  });
});

describe('the counters', () => {
  const latest = (listener: Awaited<ReturnType<typeof hear>>) => listener.events().at(-1) as Counters;

  it('are told at once, and again every second', async () => {
    const counters = app.app.get(LiveCounters);
    const read = jest.spyOn(counters, 'read');
    const connect = counters.connect.bind(counters);
    let readAtOnce = 0;
    jest.spyOn(counters, 'connect').mockImplementationOnce((res) => {
      connect(res);
      readAtOnce = read.mock.calls.length;
    });
    const watch = new Stopwatch();
    const listener = await hear(app, '/dashboard/events');
    expect(listener.answer.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
    });
    await until(() => listener.events().length > 0);
    // What was read as the client came, not when the second was over.
    expect(readAtOnce).toBe(1);
    expect(listener.events()[0]).toEqual(read.mock.results[0]!.value);
    jest.restoreAllMocks();
    expect(latest(listener)).toMatchObject({
      type: 'counters',
      state: 'ready',
      admin: true,
      l1: { enabled: true, leaseValid: true },
      l2: { enabled: true, breaker: 'closed' },
      feed: { state: 'off', lagSeconds: null },
      journal: { entries: 0 },
      policies: { items: 'write-through' },
    });
    await until(() => listener.events().length > 1);
    const [first, second] = listener.events() as Counters[];
    expect(second!.atMs - first!.atMs + watch.stalledMs).toBeGreaterThan(900);
    await until(() => latest(listener).queue !== null);
    expect(latest(listener).queue).toEqual({ waiting: 0, active: 0, delayed: 0, failed: 0, completed: 0 });
    listener.leave();
  });

  it('say which level answered, and how long it took', async () => {
    const listener = await hear(app, '/dashboard/events');
    await until(() => listener.events().length > 0);
    const answered = (origin: string) => latest(listener).answers[origin]?.counts.reduce((sum, n) => sum + n, 0) ?? 0;
    const levels = ['database', 'db-l2', 'api-l2', 'api-l1', 'lane'];
    const all = () => levels.reduce((sum, origin) => sum + answered(origin), 0);
    const before = { all: all(), lane: answered('lane') };
    const { body } = await app.http.post('/items').send(hammer).expect(201);
    for (let n = 0; n < 8; n += 1) await app.http.get(`/items/${body.id}`).expect(200);
    await until(() => answered('lane') >= before.lane + 3);
    await until(() => all() === before.all + 8);
    expect(latest(listener).requests.api.l1.hit).toBeGreaterThanOrEqual(4);
    const seconds = latest(listener).answers['lane']!.sumSeconds;
    expect(seconds).toBeGreaterThan(0);
    listener.leave();
  });

  it('never tell a key, a tag, a generation or a host', async () => {
    const listener = await hear(app, '/dashboard/events');
    const { body } = await app.http
      .post('/items')
      .send({ ...hammer, category: 'secretive' })
      .expect(201);
    for (const path of [`/items/${body.id}`, '/items?category=secretive']) await app.http.get(path).expect(200);
    await app.http
      .put(`/items/${body.id}`)
      .send({ ...hammer, name: 'Nobody knows' })
      .expect(200);
    await app.http.post('/admin/cache/invalidate').auth(token, { type: 'bearer' }).send({ keys: [`/items/${body.id}`] }).expect(200); // prettier-ignore
    const heard = listener.events().length;
    await until(() => listener.events().length > heard + 1);
    expect(latest(listener).invalidations).toMatchObject({ admin: expect.any(Number) });
    const secrets = [`items:${body.id}`, `/items`, 'items?', 'secretive', 'Nobody knows', hostname(), token];
    for (const secret of [...secrets, app.app.get(RedisConnection).gen]) expect(listener.text()).not.toContain(secret);
    listener.leave();
  });

  it('pile up for no client that is slow', async () => {
    const slow = new SlowResponse();
    slow.takes = false;
    const counters = app.app.get(LiveCounters);
    counters.connect(slow as unknown as Response);
    const brisk = await hear(app, '/dashboard/events');
    await until(() => brisk.events().length > 4);
    expect(slow.written).toHaveLength(1);
    slow.takeAgain();
    const sent = [...slow.written.join('').matchAll(/^data: \{"type":"counters"/gm)];
    expect(sent.length).toBeLessThanOrEqual(2);
    expect(slow.written.join('')).toContain('event: dropped');
    slow.emit('close');
    brisk.leave();
  });

  it('are told where there is no admin token, too; then there is nothing to sign in to', async () => {
    const open = await startApp();
    await open.http.get('/dashboard').expect(200);
    const listener = await hear(open, '/dashboard/events');
    await until(() => listener.events().length > 0);
    expect(latest(listener)).toMatchObject({ admin: false, queue: null, l2: { breaker: 'open' } });
    await open.http.get('/admin/events').expect(404);
    open.app.get(Lifecycle).drain();
    await until(() => listener.ended());
    await open.http.get('/dashboard/events').expect(503).expect('Retry-After', '1');
    await open.close();
  });
});

describe('streams', () => {
  it('are fed only while there is a client, and have a bound', () => {
    let feeding = 0;
    const options = { capacity: 1, gatherMs: 1, heartbeatMs: 60_000, maxClients: 2 };
    const streams = new EventStreams(new Lifecycle(), options, () => {
      feeding += 1;
      return () => (feeding -= 1);
    });
    const clients = [new SlowResponse(), new SlowResponse(), new SlowResponse()];
    const connect = (client: SlowResponse) => streams.connect(client as unknown as Response);
    expect(feeding).toBe(0);
    clients.slice(0, 2).forEach(connect);
    expect(feeding).toBe(1);
    expect(() => connect(clients[2]!)).toThrow('Too many clients listen already.');
    clients[0]!.emit('close');
    expect(feeding).toBe(1);
    connect(clients[2]!);
    clients[1]!.emit('close');
    clients[2]!.emit('close');
    expect(feeding).toBe(0);
  });

  it('of one client make room for those of others', () => {
    const options = { capacity: 1, gatherMs: 1, heartbeatMs: 60_000, maxClients: 3 };
    const streams = new EventStreams(new Lifecycle(), options, () => () => undefined);
    const left: string[] = [];
    const connect = (name: string, address: string) => {
      const client = new SlowResponse(address);
      client.once('close', () => left.push(name));
      streams.connect(client as unknown as Response);
    };
    for (const name of ['first', 'second', 'third']) connect(name, '192.0.2.1');
    connect('other', '192.0.2.2');
    expect(left).toEqual(['first']);
    expect(() => connect('fourth', '192.0.2.1')).toThrow('Too many clients listen already.');
    expect(() => connect('other again', '192.0.2.2')).toThrow('Too many clients listen already.');
    connect('another', '192.0.2.3');
    expect(left).toEqual(['first', 'second']);
    streams.end();
  });
});
