import { startRedis, type TestRedis } from '../support/services.js';
import { buildLimitMs, ServiceProcess } from '../support/service-process.js';
import { command } from '../support/site.js';
import { createMigratedDatabase } from '../support/start-app.js';
import { until } from '../support/until.js';

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

  it.each<[string, () => Promise<unknown>]>([
    ['has another password', () => acl('resetpass', '>another-one')],
    ['is switched off', () => acl('off')],
    ['is removed', () => redisSays('ACL', 'DELUSER', 'strata')],
  ])('serves without it while its user %s, says so once, and uses it again as soon as it may', async (_, refuse) => {
    const before = warnings().length;
    await refuse();
    await cutOff();
    await reasonIs('redis', /refuses the user or the password in REDIS_URL/);
    for (let n = 0; n < 5; n += 1) await serves();
    expect(warnings().filter((line) => line.includes('the user or the password')).length).toBeLessThanOrEqual(
      before + 1,
    );
  });

  it.each<[string, string[], RegExp]>([
    ['scripts', ['-@scripting'], /grant it \+eval \+script\|load \+evalsha/],
    ['EVALSHA', ['-evalsha'], /\+evalsha$/],
    ['EVAL', ['-eval'], /\+eval$/],
    ['INFO', ['-info'], /\+info$/],
    ['some of what scripts use', ['-time', '-publish', '-hmget'], /grant it \+time \+publish \+hmget$/],
    ['every write', ['-@write'], /\+hset.*\+set/],
    ['its keys', ['resetkeys', '~app:*'], /~strata:\* ~\{strata:\*/],
    ['its channels', ['resetchannels'], /&strata:\*/],
    ['PING', ['-ping'], /\+ping$/],
  ])('names every right that is missing when its user loses %s, and serves on', async (what, rules, reason) => {
    await acl(...rules);
    // What is needed on a new connection only is missed there.
    if (/EVAL$|INFO/.test(what)) await cutOff();
    await serves();
    await reasonIs('redis', reason);
    await serves();
    expect(warnings().some((line) => reason.test((JSON.parse(line) as { msg: string }).msg))).toBe(true);
  });

  it('hears no invalidations, and says so, where its user may not subscribe', async () => {
    await acl('-subscribe');
    await cutOff();
    await reasonIs('l1', /\+subscribe$/);
    await serves();
  });

  it.each<[string, string, string, RegExp]>([
    ['its memory is full', 'maxmemory', '1', /memory of Redis is full/],
    ['it lacks replicas', 'min-replicas-to-write', '1', /fewer replicas/],
  ])('serves without a Redis that refuses writes because %s, and says so', async (_, name, value, reason) => {
    await redisSays('CONFIG', 'SET', name, value);
    await reasonIs('redis', reason);
    await serves();
    await redisSays('CONFIG', 'SET', name, '0');
  });

  it('serves without a Redis that has become a replica, and says so', async () => {
    await redisSays('REPLICAOF', '127.0.0.1', '1');
    await reasonIs('redis', /replica/);
    await serves();
    await redisSays('REPLICAOF', 'NO', 'ONE');
  });
});
