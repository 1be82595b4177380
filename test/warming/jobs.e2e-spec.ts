import { getQueueToken } from '@nestjs/bull';
import { type Queue } from 'bull';
import { CacheEvents } from '../../src/cache/index.js';
import { ItemsReader } from '../../src/items/index.js';
import { cacheStatus } from '../support/cache-status.js';
import { sharedRedis, type SharedRedis } from '../support/services.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { until } from '../support/until.js';
import { adminEnv, adminToken, GatedWarmer, insertItems, type JobBody, warmingOf } from '../support/warming.js';

describe('a warming job', () => {
  let redis: SharedRedis;
  let app: TestApp;
  let gated: GatedWarmer;
  let failedAttempts = 0;
  beforeAll(async () => {
    redis = await sharedRedis();
    app = await startApp({ redis: redis.url, env: adminEnv });
    await insertItems(app, 1_001);
    gated = GatedWarmer.on(app, 4);
    app.app.get<Queue>(getQueueToken('warming')).on('failed', () => (failedAttempts += 1));
  });
  afterAll(async () => {
    gated.open();
    await app.close();
  });

  const items = (body: object) => ({ entity: 'items', ...body });
  /** What an attempt has warmed that failed, since Redis did not answer in time, is cached already for the next one. */
  const expectTally = (
    { warmed = 0, alreadyCached = 0 }: JobBody,
    expected: [warmed: number, alreadyCached: number],
  ) => {
    if (failedAttempts === 0) expect([warmed, alreadyCached]).toEqual(expected);
    else expect(warmed + alreadyCached).toBe(expected[0] + expected[1]);
  };
  const status = async (path: string) => cacheStatus(await app.http.get(path));

  it('is accepted at once, and found under its Location', async () => {
    const { post, find, asked, reaches } = warmingOf(app);
    const accepted = await asked(() => post(items({ strategy: 'recent', limit: 3 })));
    expect(accepted.status).toBe(202);
    expect(accepted.body).toMatchObject({
      state: expect.any(String),
      progress: expect.any(Number),
      strategy: 'recent',
    });
    expect(accepted.headers['location']).toBe(`/admin/warming/jobs/${accepted.body.id}`);
    await reaches(accepted.body.id, 'completed');
    const job = await find(accepted.body.id);
    expect(job).toMatchObject({ progress: 100, refused: 0, entity: 'items', limit: 3 });
    expectTally(job, [3, 0]);
  });

  it('for all makes the next read of any row a hit of the shared level, and is at 100 only when it is', async () => {
    const { start, find } = warmingOf(app);
    const reader = app.app.get(ItemsReader);
    const load = reader.loadItems.bind(reader);
    const seen = [0];
    // No batch is loaded before somebody has seen how far the ones before it were.
    let looks = 0;
    jest.spyOn(reader, 'loadItems').mockImplementation(async (ids) => {
      const before = looks;
      await until(() => looks > before + 1);
      return load(ids);
    });
    const { id } = await start(items({ strategy: 'all' }));
    await until(async () => {
      const { progress, state } = await find(id);
      looks += 1;
      seen.push(progress);
      if (state !== 'completed') expect(progress).toBeLessThanOrEqual(100);
      return state === 'completed';
    });
    jest.restoreAllMocks();
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(seen.at(-1)).toBe(100);
    expect(seen.some((progress) => progress > 0 && progress < 100)).toBe(true);
    const job = await find(id);
    expect(job.refused).toBe(0);
    expectTally(job, [998, 3]);
    for (const n of [1, 200, 201, 1_001]) expect((await status(`/items/${n}`)).db).toContain('hit; detail=l2');
  });

  it('for recent goes through the rows that were changed last', async () => {
    await app.dataSource.query(`UPDATE items SET quantity = 2 WHERE id IN (7, 400)`);
    await app.http.post('/admin/cache/clear').auth(adminToken, { type: 'bearer' });
    const load = jest.spyOn(app.app.get(ItemsReader), 'loadItems');
    await warmingOf(app).done(items({ strategy: 'recent', limit: 2 }));
    const asked = load.mock.calls.flatMap(([ids]) => [...ids]);
    load.mockRestore();
    expect(asked.every((id) => [7, 400].includes(id))).toBe(true);
  });

  it('for lists warms the first page of every category in every order, and those of all items', async () => {
    const job = await warmingOf(app).done(items({ strategy: 'lists' }));
    expect(job.warmed! + job.alreadyCached!).toBe((1 + 3) * 6);
    for (const path of ['/items', '/items?sort=-price', '/items?category=category-1&sort=name'])
      expect((await status(path)).db).toContain('hit; detail=l2');
  });

  it('for ids keeps what it finds, and that there is nothing', async () => {
    const job = await warmingOf(app).done(items({ strategy: 'ids', ids: [5_000, 5_001, 5_000] }));
    expectTally(job, [2, 0]);
    const absent = await app.http.get('/items/5000').expect(404);
    expect(cacheStatus(absent).db ?? 'hit; detail=l2').toContain('hit; detail=l2');
    const load = jest.spyOn(app.app.get(ItemsReader), 'loadItem');
    await app.http.get('/items/5001').expect(404);
    expect(load).not.toHaveBeenCalled();
    load.mockRestore();
  });

  it('is the one that is under way when the same is asked again, and a new one afterwards', async () => {
    const { start, reaches } = warmingOf(app);
    const wish = { entity: 'gated', strategy: 'ids', ids: [1, 2] };
    const first = await start(wish);
    expect((await start({ ...wish, ids: [2, 1, 2] })).id).toBe(first.id);
    const other = await start({ ...wish, ids: [1] });
    expect(other.id).not.toBe(first.id);
    expect((await start({ ...wish, ids: [1] })).id).toBe(other.id);
    gated.open();
    await reaches(first.id, 'completed');
    await reaches(other.id, 'completed');
    const again = await start(wish);
    expect(again.id).not.toBe(first.id);
    await reaches(again.id, 'completed');
  });

  it.each([
    ['without a strategy', {}, 'strategy'],
    ['with an unknown one', { strategy: 'some' }, 'strategy'],
    ['with a limit of 0', { strategy: 'all', limit: 0 }, 'limit'],
    ['with a limit above a million', { strategy: 'all', limit: 1_000_001 }, 'limit'],
    ['with a limit in quotes', { strategy: 'all', limit: '5' }, 'limit'],
    ['for ids without any', { strategy: 'ids' }, 'ids'],
    ['for no ids', { strategy: 'ids', ids: [] }, 'ids'],
    ['for 10,001 ids', { strategy: 'ids', ids: Array.from({ length: 10_001 }, () => 1) }, 'ids'],
    ['for the id 0', { strategy: 'ids', ids: [1, 0], entity: 'items' }, 'ids'],
    ['for an id in quotes', { strategy: 'ids', ids: ['1'], entity: 'items' }, 'ids'],
    ['with ids that nothing is done with', { strategy: 'all', ids: [1] }, 'ids'],
    ['for an unknown entity', { strategy: 'all', entity: 'nothing' }, 'entity'],
    ['with an unknown field', { strategy: 'all', force: true }, 'force'],
  ])('is refused %s', async (_, body, field) => {
    const answer = await warmingOf(app).post(body).expect(400).expect('Content-Type', 'application/problem+json');
    expect(answer.body.errors.map((error: { field: string }) => error.field)).toEqual([field]);
  });

  it.each(['999999', '0', 'abc', 'wait', 'id'])('%s is a 404, also to cancel', async (id) => {
    const { asked, get, remove } = warmingOf(app);
    const { status: found, headers } = await asked(() => get(id));
    expect([found, headers['content-type']]).toEqual([404, 'application/problem+json']);
    expect((await asked(() => remove(id))).status).toBe(404);
  });

  it('can be looked at on the board, which loads only what this service has', async () => {
    const get = (path: string) => app.http.get(path).auth(adminToken, { type: 'bearer' });
    const page = await get('/admin/queues')
      .expect(200)
      .expect('Content-Type', /text\/html/);
    expect(page.headers['x-powered-by']).toBeUndefined();
    const scripts = [...page.text.matchAll(/<script[^>]* src="([^"]+)"/g)].map(([, path]) => path!);
    expect(scripts.length).toBeGreaterThan(0);
    for (const path of scripts)
      await get(`/admin/queues/${path}`)
        .expect(200)
        .expect('Content-Type', /javascript/);
    const { body } = await get('/admin/queues/api/queues?activeQueue=warming&page=1').expect(200);
    expect(body.queues[0]).toMatchObject({ name: 'warming', type: 'bull' });
  });

  it.each(['/admin/queues', '/admin/queues/api/queues', '/admin/warming/jobs/1'])(
    '%s is for operators',
    async (path) => {
      await app.http.get(path).expect(401);
    },
  );

  it('says how it ended to whoever counts', async () => {
    const ended: string[] = [];
    const stop = app.app.get(CacheEvents).on('warmed', ({ result }) => ended.push(result));
    await warmingOf(app).done(items({ strategy: 'ids', ids: [1] }));
    await until(() => ended.length > 0);
    stop();
    expect(ended).toEqual(['completed']);
  });
});

describe('cancelling', () => {
  let redis: SharedRedis;
  let app: TestApp;
  let gated: GatedWarmer;
  beforeEach(async () => {
    redis = await sharedRedis();
    app = await startApp({ redis: redis.url, env: adminEnv });
    gated = GatedWarmer.on(app, 4);
  });
  afterEach(async () => {
    gated.open();
    await app.close();
  });

  it('ends an active job behind its batch', async () => {
    const { start, cancel, reaches, find } = warmingOf(app);
    const job = await start({ entity: 'gated', strategy: 'all' });
    await until(() => gated.begun.length === 1);
    await cancel(job.id);
    expect((await find(job.id)).state).toBe('active');
    gated.letThrough();
    expect(await reaches(job.id, 'cancelled')).toMatchObject({ progress: 25, warmed: 1 });
    expect(gated.begun).toEqual([1]);
    await cancel(job.id);
  });

  it('removes a waiting job, and the same may be asked anew', async () => {
    const { start, cancel, asked, get } = warmingOf(app);
    await start({ entity: 'gated', strategy: 'all' });
    await until(() => gated.begun.length === 1);
    const waiting = await start({ entity: 'gated', strategy: 'all', limit: 2 });
    expect(waiting.state).toBe('waiting');
    await cancel(waiting.id);
    expect((await asked(() => get(waiting.id))).status).toBe(404);
    expect((await start({ entity: 'gated', strategy: 'all', limit: 2 })).id).not.toBe(waiting.id);
  });
});

describe.each(['invalidate', 'write-through', 'strict'])('under %s', (policy) => {
  let redis: SharedRedis;
  let app: TestApp;
  beforeAll(async () => {
    redis = await sharedRedis();
    app = await startApp({ redis: redis.url, env: { ...adminEnv, CACHE_POLICY: policy } });
    await insertItems(app, 500);
  });
  afterAll(async () => {
    await app.close();
  });

  it('a row that is written between the load and the fill ends with its newest version', async () => {
    const reader = app.app.get(ItemsReader);
    const load = reader.loadItems.bind(reader);
    const item = { name: 'newest', category: 'tools', price: 1, quantity: 1 };
    jest.spyOn(reader, 'loadItems').mockImplementationOnce(async (ids) => {
      const loaded = await load(ids);
      expect(loaded.value.get(3)?.version).toBe(1);
      await app.http.put('/items/3').send(item).expect(200);
      await app.http.delete('/items/4').expect(204);
      return loaded;
    });
    const job = await warmingOf(app).done({ strategy: 'all' });
    expect(job.refused).toBe(0);
    const read = await app.http.get('/items/3').expect(200);
    expect(read.body).toMatchObject({ ...item, version: 2 });
    expect(cacheStatus(read).db).toContain('hit; detail=l2');
    await app.http.get('/items/4').expect(404);
  });
});
