import { CacheCounters, CacheEvents } from '../../src/cache/index.js';
import { AppRegistry } from '../../src/metrics/registry.js';
import { WarmingQueue } from '../../src/warming/index.js';
import { sharedRedis, type SharedRedis } from '../support/services.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { insist, until } from '../support/until.js';

const token = 'correct-horse-battery-staple';
const hammer = { name: 'Hammer', description: null, category: 'tools', price: 19.99, quantity: 3 };

/** Of the contract: every name with its type and its labels. */
const contract: Readonly<Record<string, { type: string; labels: string[] }>> = {
  cache_requests_total: { type: 'counter', labels: ['layer', 'level', 'result'] },
  cache_load_seconds: { type: 'histogram', labels: [] },
  cache_loads_joined_total: { type: 'counter', labels: [] },
  cache_invalidations_total: { type: 'counter', labels: ['source'] },
  cache_invalidation_seconds: { type: 'histogram', labels: [] },
  cache_staleness_seconds: { type: 'histogram', labels: [] },
  cache_inconsistent_total: { type: 'counter', labels: ['layer'] },
  cache_l1_bytes: { type: 'gauge', labels: [] },
  cache_l1_max_bytes: { type: 'gauge', labels: [] },
  cache_l1_evictions_total: { type: 'counter', labels: [] },
  cache_part_enabled: { type: 'gauge', labels: ['part'] },
  cache_l1_entries: { type: 'gauge', labels: [] },
  cache_lease_valid: { type: 'gauge', labels: [] },
  cache_earlier_writers: { type: 'gauge', labels: [] },
  cache_breaker_state: { type: 'gauge', labels: ['level'] },
  cache_journal_entries: { type: 'gauge', labels: [] },
  warming_jobs_total: { type: 'counter', labels: ['result'] },
  warming_queue_jobs: { type: 'gauge', labels: ['state'] },
  database_pool_connections: { type: 'gauge', labels: ['state'] },
  database_pool_waiting: { type: 'gauge', labels: [] },
  http_request_duration_seconds: { type: 'histogram', labels: ['method', 'route', 'status'] },
};

interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Reads the text format, and refuses whatever is none: https://prometheus.io/docs/instrumenting/exposition_formats */
function parse(text: string) {
  expect(text.endsWith('\n')).toBe(true);
  const types = new Map<string, string>();
  const helps = new Map<string, string>();
  const samples: Sample[] = [];
  for (const line of text.split('\n').filter((each) => each !== '')) {
    const [, kind, named, rest] = /^# (HELP|TYPE) ([a-z_][a-z0-9_]*) (.+)$/.exec(line) ?? [];
    if (kind && named && rest) {
      const known = kind === 'TYPE' ? types : helps;
      expect(known.has(named)).toBe(false);
      known.set(named, rest);
      continue;
    }
    const [, name = line, labels = '', value] =
      /^([a-z_][a-z0-9_]*)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\.)*",?)*)\})? (\S+)$/.exec(line) ?? [];
    const isNumber = Number.isFinite(Number(value)) || (value === 'NaN' && name.startsWith('nodejs_eventloop_lag'));
    expect([line, isNumber]).toEqual([line, true]);
    const pairs = [...labels.matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, text]) => [key, text] as const);
    samples.push({ name, labels: Object.fromEntries(pairs) as Record<string, string>, value: Number(value) });
  }
  const keys = samples.map(({ name, labels }) => name + JSON.stringify(labels));
  expect(new Set(keys).size).toBe(keys.length);
  const valueOf = (name: string, labels: Record<string, string> = {}) =>
    samples.find(
      (sample) => sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
    )?.value;
  return { types, helps, samples, valueOf };
}

const familyOf = (name: string, types: ReadonlyMap<string, string>) =>
  types.has(name) ? name : name.replace(/_(?:bucket|sum|count)$/, '');

describe('the metrics', () => {
  let redis: SharedRedis;
  let app: TestApp;
  beforeAll(async () => {
    redis = await sharedRedis();
    app = await startApp({ redis: redis.url, env: { ADMIN_TOKEN: token } });
  });
  afterAll(async () => {
    await app.close();
  });

  const read = async () => parse((await app.http.get('/metrics').expect(200)).text);

  it('are Prometheus text that nobody stores', async () => {
    await app.http
      .get('/metrics')
      .expect('Content-Type', 'text/plain; version=0.0.4; charset=utf-8')
      .expect('Cache-Control', 'no-store');
    await app.http.head('/metrics').expect(200);
    await app.http.post('/metrics').expect(405);
  });

  it('cost no more when many ask than when a few do, and are never older than the question', async () => {
    const print = jest.spyOn(app.app.get(AppRegistry), 'print');
    const startedMs = performance.now();
    await Promise.all(Array.from({ length: 100 }, () => app.http.get('/metrics').expect(200)));
    const { length: printed } = print.mock.calls;
    print.mockRestore();
    // One at once, and one for each tenth of a second that the machine has taken.
    expect(printed).toBeLessThanOrEqual(2 + Math.floor((performance.now() - startedMs) / 100));
    const joined = async () => (await read()).samples.find(({ name }) => name === 'cache_loads_joined_total')!.value;
    for (let n = 0; n < 3; n += 1) {
      const before = await joined();
      app.app.get(CacheCounters).joined += 1;
      expect(await joined()).toBe(before + 1);
    }
  });

  it('have the names, types and labels of the contract, and a help text each', async () => {
    await app.http.get('/items/1');
    const { types, helps, samples } = await read();
    for (const [name, { type, labels }] of Object.entries(contract)) {
      expect([name, types.get(name)]).toEqual([name, type]);
      const own = samples.filter((sample) => familyOf(sample.name, types) === name);
      const used = new Set(own.flatMap((sample) => Object.keys(sample.labels)).filter((label) => label !== 'le'));
      expect([name, [...used].sort()]).toEqual([name, labels]);
    }
    for (const [name, type] of types) {
      expect(helps.has(name)).toBe(true);
      if (type === 'counter' && !name.startsWith('nodejs_')) expect(name).toMatch(/_total$/);
    }
    for (const { name } of samples) expect(types.has(familyOf(name, types))).toBe(true);
  });

  it('have a value for every series that can occur, before it does', async () => {
    const { samples, valueOf } = await read();
    const series = (name: string) => samples.filter((sample) => sample.name === name).length;
    expect(series('cache_requests_total')).toBe(2 * 2 * 5);
    expect(series('cache_invalidations_total')).toBe(4);
    expect(series('cache_inconsistent_total')).toBe(2);
    expect(series('warming_jobs_total')).toBe(3);
    expect(valueOf('cache_staleness_seconds_count')).toBe(0);
    expect(valueOf('cache_inconsistent_total', { layer: 'api' })).toBe(0);
  });

  it('claim no lag of a feed that does not exist', async () => {
    const { types, samples } = await read();
    expect(types.get('cache_feed_lag_seconds')).toBe('gauge');
    expect(samples.filter(({ name }) => name === 'cache_feed_lag_seconds')).toEqual([]);
  });

  it("contain Node's own, once", async () => {
    const { types } = await read();
    for (const name of [
      'process_cpu_user_seconds_total',
      'nodejs_eventloop_lag_seconds',
      'nodejs_heap_size_used_bytes',
    ])
      expect(types.has(name)).toBe(true);
  });

  it('count reads, loads and invalidations', async () => {
    const path = (await app.http.post('/items').send(hammer).expect(201)).headers['location'] as string;
    await app.http.put(path).send({ ...hammer, price: 1 });
    const before = await read();
    for (let i = 0; i < 3; i += 1) await app.http.get(path).expect(200);
    const after = await read();
    const grown = (name: string, labels = {}) => after.valueOf(name, labels)! - before.valueOf(name, labels)!;
    expect(grown('cache_requests_total', { layer: 'api', level: 'l1', result: 'hit' })).toBe(2);
    expect(grown('cache_requests_total', { layer: 'api', level: 'l1', result: 'miss' })).toBe(1);
    expect(grown('cache_requests_total', { layer: 'api', level: 'l2', result: 'miss' })).toBe(1);
    expect(grown('cache_requests_total', { layer: 'db', level: 'l2', result: 'hit' })).toBe(1);
    expect(before.valueOf('cache_invalidations_total', { source: 'write' })).toBe(2);
    expect(after.valueOf('cache_l1_entries')).toBeGreaterThan(0);
    expect(after.valueOf('cache_l1_bytes')).toBeGreaterThan(0);
    expect(after.valueOf('cache_lease_valid')).toBe(1);
    expect(after.valueOf('cache_breaker_state', { level: 'l2' })).toBe(0);
    expect(after.valueOf('cache_invalidation_seconds_count')).toBeGreaterThan(0);
    await app.http.get('/items').expect(200);
    expect((await read()).valueOf('cache_load_seconds_count')).toBeGreaterThan(0);
  });

  it('tell which parts are switched on', async () => {
    const { valueOf } = await read();
    const parts = ['api', 'db', 'l1', 'l2', 'feed'].map((part) => valueOf('cache_part_enabled', { part }));
    expect(parts).toEqual([1, 1, 1, 1, 0]);
    expect(valueOf('cache_l1_max_bytes')).toBe(67_108_864);
  });

  it('tell how the pool is used, and how many wait for it', async () => {
    const idle = await read();
    const runners = Array.from({ length: 11 }, () => app.dataSource.createQueryRunner());
    const connecting = runners.map((runner) => runner.connect());
    await Promise.all(connecting.slice(0, 10));
    const full = await read();
    await Promise.all(runners.slice(0, 10).map((runner) => runner.release()));
    await connecting[10];
    await runners[10]!.release();
    expect(idle.valueOf('database_pool_waiting')).toBe(0);
    expect(full.valueOf('database_pool_connections', { state: 'busy' })).toBe(10);
    expect(full.valueOf('database_pool_connections', { state: 'idle' })).toBe(0);
    expect(full.valueOf('database_pool_waiting')).toBeGreaterThanOrEqual(1);
  });

  it('count the jobs that wait', async () => {
    const queue = app.app.get(WarmingQueue);
    const waiting = async () => (await read()).valueOf('warming_queue_jobs', { state: 'waiting' });
    const shown = (count: number) => until(async () => (await waiting()) === count);
    await shown(0);
    await insist(() => queue.call((bull) => bull.pause()));
    const request = { entity: 'items', strategy: 'recent' } as const;
    await insist(() => queue.call((bull) => bull.add('warm', { request }, { jobId: 'one' })));
    await shown(1);
    await insist(() => queue.call((bull) => bull.empty()));
    await insist(() => queue.call((bull) => bull.resume()));
    await shown(0);
  });

  it('count warming jobs by how they ended', async () => {
    app.app.get(CacheEvents).emit({ type: 'warmed', result: 'completed' });
    expect((await read()).valueOf('warming_jobs_total', { result: 'completed' })).toBe(1);
  });

  it('know answers by the pattern of their route, and never by their path', async () => {
    const requests = ['/items/1', '/items/2', '/items/abc', '/items/3/', '/items?limit=5', '/nope/1', '/nope/2', '/docs'];
    for (const path of requests) await app.http.get(path);
    await app.http.head('/items/1');
    await app.http.patch('/items/1').expect(405);
    await app.http.get('/admin/cache/policies/items').expect(401);
    await app.http.get('/admin/cache/policies/items').auth(token, { type: 'bearer' }).expect(200);
    const { samples } = await read();
    const own = samples.filter(({ name }) => name === 'http_request_duration_seconds_count');
    const routes = new Set(own.map(({ labels: { route } }) => route));
    expect([...routes].filter((route) => !['other', '/docs'].includes(route!)).sort()).toEqual(
      ['/admin/cache/policies/:entity', '/items', '/items/:id', '/metrics'].sort(),
    );
    const series = own.map(({ labels: { route, method, status } }) => `${method} ${route} ${status}`);
    expect(series).toEqual(
      expect.arrayContaining(['GET /items/:id 400', 'HEAD /items/:id 200', 'GET other 404', 'PATCH other 405']),
    );
  }); // prettier-ignore

  it('never have a key, an id or a path as a label', async () => {
    const { samples } = await read();
    const values = new Set(samples.flatMap(({ labels }) => Object.entries(labels)).flatMap(([, value]) => value));
    expect([...values].filter((value) => /items:\d|items\/\d|\?|nope/.test(value))).toEqual([]);
  });

  it('belong to one application: another one in the process begins at zero', async () => {
    const other = await startApp();
    const { valueOf } = parse((await other.http.get('/metrics').expect(200)).text);
    expect(valueOf('cache_requests_total', { layer: 'api', level: 'l1', result: 'hit' })).toBe(0);
    expect(valueOf('cache_breaker_state', { level: 'l2' })).toBe(2);
    expect(valueOf('cache_lease_valid')).toBe(0);
    // Without Redis nobody knows of a queue.
    expect(valueOf('warming_queue_jobs')).toBeUndefined();
    await other.close();
  });
});
