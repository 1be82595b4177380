import { seedCatalogue } from '../../src/items/seed-catalogue.js';
import { ChangeFeed } from '../../src/invalidation/index.js';
import { impatiently } from '../support/clocks.js';
import { createMigratedDatabase, startApp, type TestApp } from '../support/start-app.js';
import { until } from '../support/until.js';
import { startRedis, type TestRedis } from '../support/services.js';

export const token = 'a-token-of-the-browser-tests';

/** Two nodes over one database with the demo catalogue, and one Redis. */
export class TwoNodes {
  redis!: TestRedis;
  a!: TestApp;
  b!: TestApp;
  #drop!: () => Promise<void>;

  constructor() {
    beforeAll(async () => {
      this.redis = await startRedis();
      const made = await createMigratedDatabase();
      this.#drop = () => made.drop();
      const database = made.url;
      const env = { ADMIN_TOKEN: token, DRAIN_TIMEOUT_MS: '500', CACHE_FEED: 'on' };
      const options = { redis: this.redis.url, env, database, override: impatiently };
      this.a = await startApp(options);
      await seedCatalogue(this.a.dataSource);
      await until(() => this.a.app.get(ChangeFeed).state === 'leading');
      this.b = await startApp(options);
    });
    afterAll(async () => {
      await this.b.close();
      await this.a.close();
      await this.#drop();
      await this.redis.stop();
    });
  }

  /** Another client: changes an item through the second node. */
  async write(id: number, quantity: number): Promise<void> {
    const { body } = await this.b.http.get(`/items/${id}`).expect(200);
    const { name, description, category, price } = body as Record<string, unknown>;
    await this.b.http.put(`/items/${id}`).send({ name, description, category, price, quantity }).expect(200);
  }
}
