import { cacheStatus } from '../support/cache-status.js';
import { impatiently } from '../support/clocks.js';
import { createGadgets, Gadget, Gadgets, GadgetsModule } from '../support/gadgets.js';
import { ScriptedModule, scripts } from '../support/scripted.js';
import { sharedRedis, type SharedRedis } from '../support/services.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { until } from '../support/until.js';

let redis: SharedRedis;
let a: TestApp;

beforeAll(async () => {
  redis = await sharedRedis();
  a = await startApp({ redis: redis.url, imports: [GadgetsModule, ScriptedModule] });
  await a.dataSource.query(createGadgets);
});

afterAll(async () => {
  await a.close();
});

const save = (gadget: Partial<Gadget>): Promise<Gadget> => a.dataSource.manager.save(Gadget, gadget as Gadget);
const gadgets = () => a.app.get(Gadgets);

describe('a response made of entities', () => {
  it('is as fresh as it says, but not for longer than what it was made of is fresh and unchanged', async () => {
    const gadget = await save({ name: 'Abacus', kind: 'sums' });
    scripts.set('own-terms', async (_, res) => {
      res.set('Cache-Control', 'max-age=3600');
      return gadgets().find(gadget.id);
    });
    await a.http.get('/said/own-terms');
    const hit = await a.http.get('/said/own-terms');
    expect(cacheStatus(hit).api).toMatch(
      /^hit; ttl=[1-6]\d; detail=l1; strata-policy=write-through; strata-lane=no-key$/,
    );
    await save({ ...gadget, name: 'Slide rule' });
    expect((await a.http.get('/said/own-terms')).body).toMatchObject({ name: 'Slide rule' });
  });

  it('is validated against them: what its handler has not changed goes on depending on them', async () => {
    const gadget = await save({ name: 'Compass', kind: 'way' });
    let reads = true;
    scripts.set('validated', async (_, res) => {
      res.set({ 'Cache-Control': reads ? 'no-cache' : 'max-age=30', ETag: '"1"' });
      if (reads) return gadgets().find(gadget.id);
      return void res.status(304);
    });
    await a.http.get('/said/validated');
    reads = false;
    expect(cacheStatus(await a.http.get('/said/validated')).api).toMatch(/^fwd=stale; fwd-status=304; stored/);
    expect(cacheStatus(await a.http.get('/said/validated')).api).toMatch(/^hit/);
    await save({ ...gadget, name: 'Sextant' });
    reads = true;
    expect((await a.http.get('/said/validated')).body).toMatchObject({ name: 'Sextant' });
  });

  it('names them, and tells CDNs a lifetime, where its route wants that', async () => {
    const { id } = await save({ name: 'Dividers', kind: 'way' });
    scripts.set('told', () => gadgets().find(id));
    for (let n = 0; n < 3; n += 1) {
      const { headers } = await a.http.get('/told/told');
      expect(headers['cache-groups']).toBe(`"gadgets:${id}", "gadgets:*"`);
      expect(headers).toMatchObject({ 'cache-control': 'no-cache', 'cdn-cache-control': 'max-age=30' });
    }
    const { headers } = await a.http.get(`/gadgets/${id}`);
    expect([headers['cache-groups'], headers['cdn-cache-control']]).toEqual([undefined, undefined]);
  });

  it('that is renewed behind an answer has the tag of its own bytes', async () => {
    let n = 0;
    const { id } = await save({ name: 'Escapement', kind: 'time' });
    scripts.set('renewed', async (_, res) => {
      await gadgets().find(id);
      n += 1;
      if (n === 1) res.set({ 'Cache-Control': 'max-age=1, stale-while-revalidate=60', Age: '5', ETag: '"first"' });
      return { n };
    });
    const first = await a.http.get('/said/renewed');
    expect(first.headers['etag']).toBe('"first"');
    await until(async () => (await a.http.get('/said/renewed')).body.n > 1);
    const later = await a.http.get('/said/renewed');
    expect(later.headers['etag']).not.toBe('"first"');
    expect(later.headers['cache-control']).toBe('no-cache');
  });
});

describe('under strict', () => {
  it('nobody downstream is given a lifetime, whatever the handler says', async () => {
    const b = await startApp({
      redis: redis.url,
      database: a.databaseUrl,
      imports: [GadgetsModule, ScriptedModule],
      env: { CACHE_POLICY: 'strict' },
      override: impatiently,
    });
    try {
      await b.http.get('/health/ready').expect(200);
      scripts.set('strict', async (_, res) => {
        res.set({
          'Cache-Control': 'public, max-age=30',
          'CDN-Cache-Control': 'max-age=30',
          Expires: 'x',
          'X-Own': '1',
        });
        return b.app.get(Gadgets).find(1);
      });
      for (let n = 0; n < 2; n += 1) {
        const { headers } = await b.http.get('/told/strict').expect(200);
        expect(headers['cache-status']).toContain('strata-policy=strict');
        expect(headers).toMatchObject({ 'cache-control': 'no-cache', 'x-own': '1' });
        for (const name of ['expires', 'cdn-cache-control']) expect(headers).not.toHaveProperty(name);
      }
    } finally {
      await b.close();
    }
  });
});
