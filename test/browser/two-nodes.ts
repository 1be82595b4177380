import { seedCatalogue } from '../../src/items/seed-catalogue.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { startRedis, type TestRedis } from '../support/services.js';

export const token = 'a-token-of-the-browser-tests';

/** Two nodes over one database with the demo catalogue, and one Redis. */
export class TwoNodes {
  redis!: TestRedis;
  a!: TestApp;
  b!: TestApp;

  constructor() {
    beforeAll(async () => {
      this.redis = await startRedis();
      const env = { ADMIN_TOKEN: token, DRAIN_TIMEOUT_MS: '500' };
      this.a = await startApp({ redis: this.redis.url, env });
      await seedCatalogue(this.a.dataSource);
      this.b = await startApp({ redis: this.redis.url, env, database: this.a.databaseUrl });
    }, 60_000);
    afterAll(async () => {
      await this.b.close();
      await this.a.close();
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
