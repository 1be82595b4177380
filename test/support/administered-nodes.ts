import { impatiently } from './clocks.js';
import { startRedis, type TestRedis } from './services.js';
import { startApp, type TestApp } from './start-app.js';
import { until } from './until.js';

const token = 'correct-horse-battery-staple';
export const hammer = { name: 'Hammer', description: null, category: 'tools', price: 19.99, quantity: 3 };

export const get = (app: TestApp, path: string) => app.http.get(path).auth(token, { type: 'bearer' });
export const post = (app: TestApp, path: string, body?: object) =>
  app.http.post(path).auth(token, { type: 'bearer' }).send(body);
export const put = (app: TestApp, path: string, body: object) =>
  app.http.put(path).auth(token, { type: 'bearer' }).send(body);

export const entries = async (app: TestApp, key: string) =>
  (await get(app, '/admin/cache/entries').query({ key }).expect(200)).body;
export const stats = async (app: TestApp) => (await get(app, '/admin/cache/stats').expect(200)).body;
export const cacheStatusAt = async (app: TestApp, path: string) =>
  String((await app.http.get(path)).headers['cache-status']);
export const isHit = (status: string, level: 'l1' | 'l2') =>
  new RegExp(`strata-api; hit; ttl=\\d+; detail=${level}`).test(status);

/** Two nodes over one database and one Redis, with their operator. */
export class AdministeredNodes {
  redis!: TestRedis;
  a!: TestApp;
  b!: TestApp;

  /** Call it where the tests are declared. */
  constructor() {
    beforeAll(async () => {
      this.redis = await startRedis();
      const options = {
        redis: this.redis.url,
        env: { ADMIN_TOKEN: token, DRAIN_TIMEOUT_MS: '500' },
        override: impatiently,
      };
      this.a = await startApp(options);
      this.b = await startApp({ ...options, database: this.a.databaseUrl });
    });
    afterAll(async () => {
      await this.b.close();
      await this.a.close();
      await this.redis.stop();
    });
  }

  readonly createItem = async (fields: object = {}): Promise<number> => {
    const { body } = await this.a.http.post('/items').send({ ...hammer, ...fields }).expect(201); // prettier-ignore
    return body.id;
  };

  /** A response that both nodes serve from their own L1. */
  readonly cachedOnBoth = async (path: string): Promise<void> => {
    for (const app of [this.a, this.b]) await until(async () => isHit(await cacheStatusAt(app, path), 'l1'));
  };
}
