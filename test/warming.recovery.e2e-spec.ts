import { getQueueToken } from '@nestjs/bull';
import { type Queue } from 'bull';
import { createMigratedDatabase, startApp, type TestApp } from './support/start-app.js';
import { startRedis, type TestRedis } from './support/services.js';
import { until } from './support/until.js';
import { adminEnv, adminToken, GatedWarmer, insertItems, warmingOf } from './support/warming.js';

const job = { entity: 'gated', strategy: 'all' };

describe('a warming job among several nodes', () => {
  let redis: TestRedis;
  let database: Awaited<ReturnType<typeof createMigratedDatabase>>;
  const running: TestApp[] = [];
  const startNode = async (env: Record<string, string> = {}) => {
    const node = await startApp({ redis: redis.url, database: database.url, env: { ...adminEnv, ...env } });
    running.push(node);
    return { node, gated: GatedWarmer.on(node, 6) };
  };
  beforeEach(async () => {
    redis = await startRedis();
    database = await createMigratedDatabase();
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((node) => node.close()));
    await database.drop();
    await redis.stop();
  });

  it('whose node dies is finished by another one, from where it was', async () => {
    const first = await startNode({ DRAIN_TIMEOUT_MS: '200' });
    const { id } = await warmingOf(first.node).start(job);
    for (const batch of [1, 2, 3]) {
      await until(() => first.gated.begun.length === batch);
      if (batch < 3) first.gated.letThrough();
    }
    // As a kill does it: not a word more from this node, hence no lock.
    const { client, bclient, eclient } = first.node.app.get<Queue & Record<'bclient' | 'eclient', Queue['client']>>(
      getQueueToken('warming'),
    );
    for (const connection of [client, bclient, eclient]) connection.disconnect();

    const second = await startNode();
    second.gated.open();
    const { find, reaches } = warmingOf(second.node);
    expect(await find(id)).toMatchObject({ state: 'active', progress: 33 });
    expect(await reaches(id, 'completed')).toMatchObject({ progress: 100, warmed: 6, attempts: 0 });
    expect(second.gated.begun).toEqual([3, 4, 5, 6]);
    first.gated.open();
  });

  it('whose node shuts down goes back, and on at another one', async () => {
    const first = await startNode();
    const { id } = await warmingOf(first.node).start(job);
    await until(() => first.gated.begun.length === 1);
    const second = await startNode();
    second.gated.open();
    const closed = first.node.close();
    first.gated.letThrough();
    await closed;
    running.splice(running.indexOf(first.node), 1);
    expect(await warmingOf(second.node).reaches(id, 'completed')).toMatchObject({ warmed: 6, attempts: 0 });
    expect(second.gated.begun).toEqual([2, 3, 4, 5, 6]);
  });

  it('that loses what it has filled begins again, and its progress does not go back', async () => {
    const { node, gated } = await startNode();
    const { start, find, reaches } = warmingOf(node);
    const { id } = await start(job);
    for (const batch of [1, 2, 3]) {
      await until(() => gated.begun.length === batch);
      if (batch < 3) gated.letThrough();
    }
    await node.http.post('/admin/cache/clear').auth(adminToken, { type: 'bearer' });
    gated.letThrough();
    await until(() => gated.begun.length === 4);
    expect((await find(id)).progress).toBe(50);
    gated.open();
    expect(await reaches(id, 'completed')).toMatchObject({ progress: 100, warmed: 6 });
    expect(gated.begun).toEqual([1, 2, 3, 1, 2, 3, 4, 5, 6]);
  });

  it('that hangs does not keep its node from ending', async () => {
    const { node, gated } = await startNode({ DRAIN_TIMEOUT_MS: '200' });
    await warmingOf(node).start(job);
    await until(() => gated.begun.length === 1);
    const startedMs = performance.now();
    await node.close();
    expect(performance.now() - startedMs).toBeLessThan(9_000);
    running.splice(0);
    gated.open();
  });
});

describe('without an answer from Redis', () => {
  let redis: TestRedis;
  let app: TestApp;
  const timed = async (question: () => PromiseLike<{ headers: object }>) => {
    const startedMs = performance.now();
    const { headers } = await question();
    expect(headers).toMatchObject({ 'retry-after': '1', 'content-type': 'application/problem+json' });
    return performance.now() - startedMs;
  };
  beforeEach(async () => {
    redis = await startRedis();
    // A read asks Redis twice, and waits for it each time.
    app = await startApp({ redis: redis.url, env: { ...adminEnv, REQUEST_TIMEOUT_MS: '20000' } });
  });
  afterEach(async () => {
    redis.resume();
    await app.close();
    await redis.stop();
  });

  it('the routes answer 503 in time, and work again afterwards', async () => {
    const { post, get, remove, done } = warmingOf(app);
    await done({ strategy: 'all' });
    redis.pause();
    expect(await timed(() => post({ strategy: 'recent' }).expect(503))).toBeLessThan(4_000);
    expect(await timed(() => get('1').expect(503))).toBeLessThan(4_000);
    redis.resume();
    await until(async () => (await get('1')).status === 200);
    await redis.kill();
    await until(async () => (await get('1')).status === 503);
    // At once, not after the second that an answer is waited for.
    expect(await timed(() => post({ strategy: 'recent' }).expect(503))).toBeLessThan(900);
    expect(await timed(() => remove('1').expect(503))).toBeLessThan(900);
    await app.http.get('/items').expect(200);
    await redis.restart();
    await until(async () => (await post({ strategy: 'all', limit: 1 })).status === 202);
  });

  it('a job fails its attempt, does not hang, and is finished once there is one', async () => {
    await insertItems(app, 2_000);
    const { start, reaches, find } = warmingOf(app);
    const { id } = await start({ strategy: 'all' });
    await until(async () => (await find(id)).progress > 0);
    redis.pause();
    await new Promise((resolve) => setTimeout(resolve, 50));
    await app.http.get('/items/1').expect(200);
    redis.resume();
    const { warmed, alreadyCached, refused } = await reaches(id, 'completed');
    expect(warmed! + alreadyCached! + refused!).toBeGreaterThanOrEqual(2_000);
  });
});

describe('a node', () => {
  it('starts without its Redis, and takes jobs as soon as it is there', async () => {
    const redis = await startRedis();
    await redis.kill();
    const app = await startApp({ redis: redis.url, env: { ...adminEnv, WARM_SCHEDULE: '0 0 1 1 *' } });
    const { post, done } = warmingOf(app);
    await post({ strategy: 'all' }).expect(503);
    await redis.restart();
    await until(async () => (await post({ strategy: 'all', limit: 1 })).status === 202);
    await done({ strategy: 'all', limit: 2 });
    const queue = app.app.get<Queue>(getQueueToken('warming'));
    await until(async () => (await queue.getRepeatableCount()) === 1);
    await app.close();
    await redis.stop();
  });

  it('without any Redis has the same routes, which say that they cannot', async () => {
    const app = await startApp({ env: adminEnv });
    const { post, get, remove } = warmingOf(app);
    for (const question of [() => post({ strategy: 'all' }), () => get('1'), () => remove('1')])
      await question().expect(503).expect('Retry-After', '1');
    await post({ strategy: 'none' }).expect(400);
    await app.close();
  });
});
