import 'reflect-metadata';
import { ConfigurationError } from './config.errors.js';
import { loadSettings } from './load-settings.js';
import { redisAddress } from './redis-address.js';

const minimal = { DATABASE_URL: 'postgres://app:secret@127.0.0.1:5432/app' };

function faultsOf(environment: NodeJS.ProcessEnv): readonly string[] {
  try {
    loadSettings(environment);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.faults;
    throw error;
  }
  return [];
}

describe('the environment', () => {
  it('needs nothing but the database', () => {
    const settings = loadSettings(minimal);
    expect(settings).toMatchObject({ port: 3000, host: '127.0.0.1', cachePolicy: 'write-through', cacheL1: true });
    expect(Object.isFrozen(settings)).toBe(true);
  });

  it('treats an empty variable as absent', () => {
    expect(loadSettings({ ...minimal, PORT: '', REDIS_URL: '' }).port).toBe(3000);
  });

  it('turns parts off and on', () => {
    expect(loadSettings({ ...minimal, CACHE_L2: 'off' }).cacheL2).toBe(false);
    expect(faultsOf({ ...minimal, CACHE_L2: 'false' })).toEqual(['CACHE_L2 must be on or off (given: "false")']);
  });

  it('lists every fault at once', () => {
    const faults = faultsOf({
      PORT: '70000',
      CACHE_POLICY: 'hope',
      CACHE_TTL: '5',
      CACHE_TTL_MS: '1e3',
      ADMIN_TOKEN: 'short',
    });
    expect(faults).toHaveLength(6);
    for (const name of ['PORT', 'DATABASE_URL', 'CACHE_POLICY', 'CACHE_TTL ', 'CACHE_TTL_MS', 'ADMIN_TOKEN'])
      expect(faults.some((fault) => fault.startsWith(name))).toBe(true);
  });

  it.each([
    ['unix:///run/redis.sock', 'Unix sockets are not supported'],
    ['/run/redis.sock', 'Unix sockets are not supported'],
    ['redis+sentinel://a:26379,b:26379/main', 'Sentinel is not supported'],
    ['redis://a:6379,b:6379', 'must name one server'],
    ['redis://a/main', 'number of a database'],
    ['redis://a?db=1', 'must have no query'],
    ['redis://', 'must be a redis:// or rediss:// URL'],
    ['http://a', 'must be a redis:// or rediss:// URL'],
    ['redis://a:b:c', 'must be a redis:// or rediss:// URL'],
  ])('refuses REDIS_URL=%s with what to do', (url, fault) => {
    expect(faultsOf({ ...minimal, REDIS_URL: url })).toEqual([expect.stringMatching(`^REDIS_URL .*${fault}`)]);
  });

  it.each([
    ['postgres://app@/db?host=/run/postgresql', 'Unix sockets are not supported'],
    ['postgres:///db', 'Unix sockets are not supported'],
    ['postgres://app@a:5432,b:5432/db', 'must name one host'],
    ['postgres://app@a,b/db', 'must name one host'],
    ['mysql://a/db', 'must be a postgres:// URL'],
  ])('refuses DATABASE_URL=%s with what to do', (url, fault) => {
    expect(faultsOf({ DATABASE_URL: url })).toEqual([expect.stringMatching(`^DATABASE_URL .*${fault}`)]);
  });

  it.each(['redis://[::1]:6379/3', 'rediss://user:p%40ss@my_redis', 'redis://:only@127.0.0.1'])(
    'takes REDIS_URL=%s',
    (url) => {
      expect(loadSettings({ ...minimal, REDIS_URL: url }).redisUrl).toBe(url);
    },
  );

  it('reads a URL of Redis in one way for every client', () => {
    expect(redisAddress('redis://[::1]/3')).toEqual({ host: '::1', port: 6379, database: 3 });
    const user = { username: 'u', password: 'p@ss' };
    expect(redisAddress('rediss://u:p%40ss@redis:7')).toEqual({
      ...user,
      ...{
        host: 'redis',
        port: 7,
        database: 0,
        tls: { servername: 'redis', signal: expect.any(AbortSignal) as unknown },
      },
    });
  });

  it('refuses certificates that cannot be read, or that nothing uses', () => {
    const secure = { ...minimal, REDIS_URL: 'rediss://a' };
    const pem = 'test/support/certificates/ca.pem';
    expect(faultsOf({ ...secure, REDIS_TLS_CA: '/nowhere' })).toEqual([
      'REDIS_TLS_CA must be a PEM file that can be read (given: "/nowhere")',
    ]);
    expect(faultsOf({ ...secure, REDIS_TLS_CERT: pem })).toEqual([expect.stringContaining('belong together')]);
    expect(faultsOf({ ...minimal, REDIS_TLS_CA: pem })).toEqual([expect.stringContaining('rediss://')]);
    expect(faultsOf({ ...secure, REDIS_TLS_CA: pem, REDIS_TLS_CERT: pem, REDIS_TLS_KEY: pem })).toEqual([]);
  });

  it('never repeats a secret', () => {
    expect(faultsOf({ ...minimal, ADMIN_TOKEN: 'hunter2' }).join()).not.toContain('hunter2');
    expect(faultsOf({ DATABASE_URL: 'mysql://root:hunter2@db/app' }).join()).not.toContain('hunter2');
  });
});
