import { startRedis, type TestRedis } from './support/services.js';
import { buildLimitMs, ServiceProcess } from './support/service-process.js';
import { command } from './support/site.js';
import { createMigratedDatabase } from './support/start-app.js';
import { until } from './support/until.js';

/** Long enough that it is nowhere in a log by chance. */
const password = 'p@ss-w0rd';
const token = 'correct-horse-battery-staple';
const item = { name: 'kept', category: 'rights', price: 1, quantity: 1 };

interface Health {
  readonly status: string;
  readonly details: Readonly<Record<string, { readonly status: string; readonly reason?: string }>>;
}

/** A node as a process of its own, whose user in Redis loses rights and gets them back. */
describe('a node whose Redis refuses it something', () => {
  let database: Awaited<ReturnType<typeof createMigratedDatabase>>;
  let redis: TestRedis;
  let service: ServiceProcess;
  let url: string;
  const acl = (...rules: string[]) => command(redis, 'ACL', 'SETUSER', 'strata', ...rules);
  /** Redis lets connections of before be; it ends those of a user that is removed by itself. */
  const cutOff = () => command(redis, 'CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  const all = ['reset', 'on', `>${password}`, '~*', '&*', '+@all'];

  const ask = async (path: string, method = 'GET', body?: object) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const answer = await fetch(`${url}${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) });
    return { status: answer.status, body: (await answer.json().catch(() => undefined)) as never };
  };
  const health = async (): Promise<Health> => (await ask('/health')).body;
  const healthy = () => until(async () => (await health()).status === 'ok');
  const lines = (level: string) => service.text().split(`"level":"${level}"`).length - 1;

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
      REDIS_TIMEOUT_MS: '1000',
    });
    url = await service.ready();
    await ask('/items', 'POST', item);
    await healthy();
  }, buildLimitMs);
  afterEach(async () => {
    await acl(...all);
    await healthy();
    expect(service.exitCode).toBeNull();
    expect(lines('fatal')).toBe(0);
    expect(service.text()).not.toContain(password);
    expect(service.text()).not.toContain(encodeURIComponent(password));
  });
  afterAll(async () => {
    service.kill();
    await database.drop();
    await redis.stop();
  });

  it.each<[string, () => Promise<unknown>]>([
    ['has another password', () => acl('resetpass', '>another-one')],
    ['is switched off', () => acl('off')],
    ['is removed', () => command(redis, 'ACL', 'DELUSER', 'strata')],
  ])('lives on without it while its user %s, and uses it again as soon as it may', async (_, refuse) => {
    await refuse();
    await cutOff();
    await until(async () => (await health()).status === 'degraded');
    expect((await ask('/items/1')).status).toBe(200);
    expect((await ask('/items/1', 'PUT', item)).status).toBe(200);
  });
});
