import { startRedis, type TestRedis } from './services.js';
import { buildLimitMs, ServiceProcess } from './service-process.js';
import { command } from './site.js';
import { createMigratedDatabase } from './start-app.js';
import { until } from './until.js';

/** Long enough that it is nowhere in a log by chance. */
const password = 'p@ss-w0rd';
const token = 'correct-horse-battery-staple';
const item = { name: 'kept', category: 'rights', price: 1, quantity: 1 };

interface Health {
  readonly status: string;
  readonly details: Readonly<Record<string, { readonly status: string; readonly reason?: string }>>;
}

/**
 * A node as a process of its own, whose user in Redis loses rights and gets them back: to be called where tests are
 * described. After each of them the user has all its rights again, and the node is as it was.
 */
export function restrictedNode() {
  let database: Awaited<ReturnType<typeof createMigratedDatabase>>;
  let redis: TestRedis;
  let service: ServiceProcess;
  let url: string;
  const redisSays = (...words: string[]) => command(redis, ...words);
  const acl = (...rules: string[]) => redisSays('ACL', 'SETUSER', 'strata', ...rules);
  /** Redis lets connections of before be; it ends those of a user that is removed by itself. */
  const cutOff = async () => {
    for (const type of ['normal', 'pubsub']) await redisSays('CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes');
  };
  const all = ['reset', 'on', `>${password}`, '~*', '&*', '+@all'];

  const ask = async (path: string, method = 'GET', body?: object) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const answer = await fetch(`${url}${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) });
    return { status: answer.status, body: (await answer.json().catch(() => undefined)) as never };
  };
  const health = async (): Promise<Health> => (await ask('/health')).body;
  const healthy = () => until(async () => (await health()).status === 'ok');
  /** Redis is used again; what the queue was refused is reported for some seconds more. */
  const used = () =>
    until(async () => {
      const { redis: shared, l1 } = (await health()).details;
      return shared?.status === 'up' && l1?.status === 'up';
    });
  /** Until `/health` is degraded and gives this reason for a part. */
  const reasonIs = (part: string, expected: RegExp) =>
    until(async () => {
      const { status, details } = await health();
      return status === 'degraded' && expected.test(details[part]?.reason ?? '');
    });
  const warnings = () =>
    service
      .text()
      .split('\n')
      .filter((line) => line.includes('"level":"warn"'));
  /** Reads are answered, and writes as without Redis. */
  const serves = async () => {
    for (const path of ['/items/1', '/items?category=rights', '/items/9'])
      expect([path, (await ask(path)).status]).toEqual([path, path === '/items/9' ? 404 : 200]);
    expect((await ask('/items/1', 'PUT', item)).status).toBe(200);
  };

  beforeAll(async () => {
    await ServiceProcess.build();
    database = await createMigratedDatabase();
    redis = await startRedis();
    await acl(...all);
    service = new ServiceProcess({
      DATABASE_URL: database.url,
      REDIS_URL: `redis://strata:${encodeURIComponent(password)}@127.0.0.1:${redis.port}`,
      ADMIN_TOKEN: token,
      CACHE_L1_LEASE_MS: '1000',
      REDIS_TIMEOUT_MS: '200',
    });
    url = await service.ready();
    await ask('/items', 'POST', item);
    await healthy();
  }, buildLimitMs);
  afterEach(async () => {
    await acl(...all);
    await used();
    await serves();
    expect(service.exitCode).toBeNull();
    expect(service.text()).not.toContain('"level":"fatal"');
    expect(service.text()).not.toContain(password);
    expect(service.text()).not.toContain(encodeURIComponent(password));
  });
  afterAll(async () => {
    service.kill();
    await database.drop();
    await redis.stop();
  });

  return { acl, cutOff, reasonIs, redisSays, serves, warnings };
}
