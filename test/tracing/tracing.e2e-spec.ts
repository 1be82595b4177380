import { randomBytes } from 'node:crypto';
import { steps } from '../../src/cache/index.js';
import { sharedRedis, type SharedRedis } from '../support/services.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { until } from '../support/until.js';
import { type CollectedSpan, type Collector, startCollector } from './collector.js';

const saw = { name: 'Saw', category: 'tools', price: 20, quantity: 3 };
/** OpenTelemetry reads its own variables from the real environment. */
const own = { OTEL_BSP_SCHEDULE_DELAY: '20', OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment=test' };

describe('without a word in the environment', () => {
  it('nothing of OpenTelemetry is loaded, and nobody listens', async () => {
    const app = await startApp();
    await app.http.get('/items/1').expect(404);
    expect(steps.start.hasSubscribers).toBe(false);
    // But for the interface, which prom-client brings.
    const loaded = Object.keys(require.cache).filter((path) => /@opentelemetry\/(?!api\/)/.test(path));
    expect(loaded).toEqual([]);
    await app.close();
  });
});

describe('traces', () => {
  let redis: SharedRedis;
  let collector: Collector;
  let app: TestApp;
  let path: string;
  beforeAll(async () => {
    [redis, collector] = await Promise.all([sharedRedis(), startCollector()]);
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
    Object.assign(process.env, own, env);
    app = await startApp({ redis: redis.url, env: { ...env, CACHE_POLICY: 'invalidate' } });
    path = (await app.http.post('/items').send(saw).expect(201)).headers['location'] as string;
  });
  afterAll(async () => {
    await app.close();
    for (const name of [...Object.keys(own), 'OTEL_EXPORTER_OTLP_ENDPOINT']) delete process.env[name];
    await collector.stop();
    expect(steps.start.hasSubscribers).toBe(false);
  });

  const caller = () => {
    const traceId = randomBytes(16).toString('hex');
    return { traceId, traceparent: `00-${traceId}-${randomBytes(8).toString('hex')}-01` };
  };

  /** What a request in a trace of its own leaves. */
  const traced = async (method: 'get' | 'put', at: string, send?: object) => {
    const { traceId, traceparent } = caller();
    const { status } = await app.http[method](at).set('traceparent', traceparent).send(send);
    await until(() => collector.of(traceId).some(({ attributes }) => 'http.route' in attributes));
    const spans = collector.of(traceId);
    const named = (name: string) => spans.find((span) => span.name === name)?.attributes;
    return { status, spans, named, tree: treeOf(spans) };
  };

  it('show a miss from the request down to the load and the fills', async () => {
    const { tree, named } = await traced('get', path);
    expect(tree).toEqual([
      'GET /items/:id',
      'GET /items/:id > layer api',
      'GET /items/:id > layer api > fill l2',
      'GET /items/:id > layer api > layer db',
      'GET /items/:id > layer api > layer db > fill l2',
      'GET /items/:id > layer api > layer db > level l2',
      'GET /items/:id > layer api > layer db > load',
      'GET /items/:id > layer api > level l2',
    ]);
    expect(named('GET /items/:id')).toEqual({
      'http.request.method': 'GET',
      'http.route': '/items/:id',
      'http.response.status_code': 200,
      'url.path': path,
    });
    const result = { 'strata.result': 'uri-miss', 'strata.stored': true, 'strata.collapsed': false };
    const layer = { 'strata.step': 'layer', 'strata.policy': 'invalidate', ...result };
    expect(named('layer api')).toEqual({ ...layer, 'strata.layer': 'api', 'strata.key': path });
    expect(named('layer db')).toMatchObject({ ...layer, 'strata.layer': 'db' });
    expect(named('level l2')).toMatchObject({ 'strata.level': 'l2', 'strata.result': 'miss' });
    expect(named('fill l2')).toMatchObject({ 'strata.level': 'l2', 'strata.result': 'stored' });
  });

  it('show a hit, and what answered it', async () => {
    const { tree, named } = await traced('get', path);
    expect(tree).toEqual(['GET /items/:id', 'GET /items/:id > layer api']);
    expect(named('layer api')).toMatchObject({ 'strata.result': 'hit', 'strata.level': 'l1' });
  });

  it('leave hits of the fast lane alone; show what a write fences', async () => {
    await app.http.get(path).expect(200);
    const lane = caller();
    const { headers } = await app.http.get(path).set('traceparent', lane.traceparent).expect(200);
    expect(headers['cache-status']).toMatch(/^strata-api; hit; ttl=\d+; detail=l1; strata-policy=invalidate$/);
    const { tree, named } = await traced('put', path, { ...saw, price: 30 });
    expect(tree).toEqual(['PUT /items/:id', 'PUT /items/:id > fence l2']);
    // The row, its lists and those of its category.
    expect(named('fence l2')).toEqual({ 'strata.step': 'fence', 'strata.level': 'l2', 'strata.tags': 3 });
    expect(collector.of(lane.traceId)).toEqual([]);
  });

  it('show what failed', async () => {
    await app.dataSource.query('ALTER TABLE items RENAME TO elsewhere');
    const { status, spans } = await traced('get', '/items/77');
    await app.dataSource.query('ALTER TABLE elsewhere RENAME TO items');
    expect(status).toBe(500);
    expect(spans.flatMap(({ name, failed }) => (failed ? [name] : [])).sort()).toEqual([
      'GET /items/:id',
      'layer db',
      'load',
    ]);
  });

  it('go where the environment says, under the name that it gives', () => {
    expect([...collector.paths]).toEqual(['/v1/traces']);
    expect(collector.resource()).toMatchObject({ 'service.name': 'strata', 'deployment.environment': 'test' });
  });
});

/** `GET /items/:id > layer api > level l2`, sorted. */
function treeOf(spans: readonly CollectedSpan[]): string[] {
  const way = (span: CollectedSpan): string => {
    const parent = spans.find(({ spanId }) => spanId === span.parentSpanId);
    return parent ? `${way(parent)} > ${span.name}` : span.name;
  };
  return spans.map(way).sort();
}
