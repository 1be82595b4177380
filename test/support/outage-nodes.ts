import { RedisConnection } from '../../src/cache/index.js';
import { cacheStatus } from './cache-status.js';
import { startRedis, type TestRedis } from './services.js';
import { startApp, type TestApp } from './start-app.js';
import { until } from './until.js';

export const timeoutMs = 100;
/** Outages are noticed soon, and a lease is over soon. */
export const env = { REDIS_TIMEOUT_MS: String(timeoutMs), CACHE_L1_LEASE_MS: '1000' };

export const item = (name: string) => ({ name, category: 'outage', price: 1, quantity: 1 });
export const stateOf = (node: TestApp) => node.app.get(RedisConnection).state;
export const opened = (...nodes: TestApp[]) => until(() => nodes.every((node) => stateOf(node) === 'closed'));
/** It takes some failures, one after the other; those of one moment are one. */
export const broken = (node: TestApp) =>
  until(async () => {
    if (stateOf(node) === 'closed') await node.http.get('/items/1');
    return stateOf(node) !== 'closed';
  });
/** An L1 hit again: connection, lease and level are back. */
export const served = (node: TestApp, path: string) =>
  until(async () => /^hit/.test(cacheStatus(await node.http.get(path)).api ?? ''));

/** Two nodes over one database, and a Redis that is taken from them. */
export class OutageNodes {
  redis!: TestRedis;
  a!: TestApp;
  b!: TestApp;

  /** Call it where the tests are declared. */
  constructor() {
    beforeAll(async () => {
      this.redis = await startRedis();
      this.a = await startApp({ redis: this.redis.url, env });
      this.b = await startApp({ redis: this.redis.url, database: this.a.databaseUrl, env });
    });
    afterAll(async () => {
      await this.b.close();
      await this.a.close();
      await this.redis.stop();
    });
    afterEach(() => this.redis.resume());
  }

  readonly create = async (name: string): Promise<number> =>
    (await this.a.http.post('/items').send(item(name))).body.id as number;
}
