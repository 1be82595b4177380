import { HealthSources, type HealthState, Lifecycle } from '../../src/http/index.js';
import { startPostgres, startRedis, type TestPostgres, type TestRedis } from '../support/services.js';
import { migrateDatabase, startApp, type TestApp } from '../support/start-app.js';
import { eventually, until } from '../support/until.js';

describe('health', () => {
  let postgres: TestPostgres;
  let redis: TestRedis;
  let app: TestApp;
  beforeAll(async () => {
    [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
    const { url } = await postgres.createDatabase();
    await migrateDatabase(url);
    app = await startApp({
      database: url,
      redis: redis.url,
      // Whoever waits for a server that hangs waits longer than the test.
      env: {
        REDIS_TIMEOUT_MS: '200',
        DRAIN_TIMEOUT_MS: '500',
        DATABASE_TIMEOUT_MS: '600000',
        REQUEST_TIMEOUT_MS: '600000',
      },
    });
  });
  afterAll(async () => {
    await app.close();
    await Promise.all([postgres.stop(), redis.stop()]);
  });

  const ask = async (path: string) => {
    const { status, body, headers } = await app.http.get(path);
    expect(headers['cache-control']).toBe('no-store');
    expect(headers['content-type']).toMatch(/^application\/json/);
    return { status, body };
  };
  const healthy = () => until(async () => (await ask('/health')).body.status === 'ok');
  /** Asks until the answer is that one: a check has less than a second, which a machine may stand still. */
  const answers = (path: string, expected: { readonly status: number; readonly body?: object }) =>
    eventually(async () => expect(await ask(path)).toMatchObject(expected));

  it('is a terminus body that tells of the database, Redis, the queue and each level', async () => {
    const details = {
      database: { status: 'up' },
      redis: { status: 'up' },
      queue: { status: 'up' },
      l1: { status: 'up', lease: true },
      l2: { status: 'up', breaker: 'closed' },
    };
    await eventually(async () => {
      const { status, body } = await ask('/health');
      expect(status).toBe(200);
      expect(body).toMatchObject({ status: 'ok', error: {}, details });
      expect(body.info).toEqual(body.details);
      expect(JSON.stringify(body)).not.toMatch(/127\.0\.0\.1|redis:|postgres|password/);
    });
    await until(async () => (await app.http.head('/health')).status === 200);
    await app.http.post('/health').expect(405);
  });

  it('is degraded, not down, while Redis is dead; and well again by itself', async () => {
    await redis.kill();
    const degraded = { status: 'degraded' };
    await answers('/health', { status: 200, body: { status: 'degraded', details: { database: { status: 'up' } } } });
    await answers('/health', { status: 200, body: { details: { redis: degraded, queue: degraded, l2: degraded } } });
    await answers('/health', { status: 200, body: { details: { l1: { status: 'degraded', lease: false } } } });
    await answers('/health/ready', { status: 200, body: { status: 'degraded' } });
    await redis.restart();
    await healthy();
  });

  it('is answered while Redis hangs', async () => {
    redis.pause();
    for (let i = 0; i < 3; i += 1) {
      await answers('/health', { status: 200, body: { status: 'degraded' } });
      await answers('/health/ready', { status: 200, body: { status: 'degraded' } });
    }
    redis.resume();
    await healthy();
  });

  it('is answered while the database hangs, however often it is asked', async () => {
    postgres.pause();
    const answers = await Promise.all(Array.from({ length: 50 }, () => ask('/health')));
    for (const { status, body } of answers) {
      expect([status, body.status]).toEqual([503, 'error']);
      expect(body.error).toEqual({ database: { status: 'down' } });
    }
    expect(await ask('/health/ready')).toMatchObject({ status: 200, body: { status: 'degraded' } });
    expect((await ask('/health/live')).status).toBe(200);
    postgres.resume();
    await healthy();
  });

  it('is 503 while the database is down, which neither readiness nor liveness is', async () => {
    await postgres.kill();
    expect(await ask('/health')).toMatchObject({ status: 503, body: { status: 'error' } });
    expect(await ask('/health/ready')).toMatchObject({
      status: 200,
      body: { status: 'degraded', details: { database: { status: 'degraded' } } },
    });
    expect(await ask('/health/live')).toEqual({
      status: 200,
      body: { status: 'ok', info: {}, error: {}, details: {} },
    });
    await postgres.restart();
    await healthy();
  });

  it('reports whatever other modules do, and is never held up or broken by them', async () => {
    let state: () => HealthState | Promise<HealthState> = () => ({ status: 'up', waiting: 3 });
    app.app.get(HealthSources).add({ name: 'queue', state: () => state() });
    const queue = async () => (await ask('/health')).body.details.queue as HealthState;
    await eventually(async () => expect(await queue()).toEqual({ status: 'up', waiting: 3 }));
    state = () => ({ status: 'down' });
    expect(await queue()).toEqual({ status: 'degraded' });
    state = () => new Promise(() => undefined);
    expect(await queue()).toEqual({ status: 'degraded' });
    state = () => {
      throw new Error('password');
    };
    expect(await queue()).toEqual({ status: 'degraded' });
  });

  it('says not ready while warming, and for ever once it drains', async () => {
    const lifecycle = app.app.get(Lifecycle);
    lifecycle.become('warming');
    expect(await ask('/health/ready')).toMatchObject({
      status: 503,
      body: { status: 'error', error: { lifecycle: { status: 'down', state: 'warming' } } },
    });
    lifecycle.become('ready');
    await answers('/health/ready', { status: 200, body: { status: 'ok' } });
    lifecycle.drain();
    lifecycle.become('ready');
    expect((await ask('/health/ready')).status).toBe(503);
    expect((await ask('/health/live')).status).toBe(200);
    await answers('/health', { status: 200 });
  });
});

describe('a node without Redis', () => {
  it('is degraded, and ready', async () => {
    const app = await startApp();
    const redis = { status: 'degraded', configured: false };
    await eventually(async () => {
      const { body } = await app.http.get('/health').expect(200);
      expect(body).toMatchObject({ status: 'degraded', details: { redis } });
    });
    await app.http.get('/health/ready').expect(200);
    app.app.get(Lifecycle).become('starting');
    await app.http.get('/health/ready').expect(503);
    await app.close();
  });
});
