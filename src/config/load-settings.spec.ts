import 'reflect-metadata';
import { ConfigurationError } from './config.errors.js';
import { loadSettings } from './load-settings.js';

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

  it('never repeats a secret', () => {
    expect(faultsOf({ ...minimal, ADMIN_TOKEN: 'hunter2' }).join()).not.toContain('hunter2');
    expect(faultsOf({ DATABASE_URL: 'mysql://root:hunter2@db/app' }).join()).not.toContain('hunter2');
  });
});
