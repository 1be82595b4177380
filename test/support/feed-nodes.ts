import { RedisConnection } from '../../src/cache/index.js';
import { ChangeFeed } from '../../src/invalidation/index.js';
import { cacheStatus } from './cache-status.js';
import { startRedis, type TestRedis } from './services.js';
import { createMigratedDatabase, startApp, type TestApp } from './start-app.js';
import { until } from './until.js';

export const feedEnv = { CACHE_FEED: 'on', CACHE_TTL_MS: '600000' };
export const stateOf = (node: TestApp) => node.app.get(ChangeFeed).state;
/** Undefined while it has none. */
export const genOf = (node: TestApp) => {
  try {
    return node.app.get(RedisConnection).gen;
  } catch {
    return undefined;
  }
};

/** Nodes that read one change feed: two of them before each test of the file, on a Redis and a database of its own. */
export class FeedNodes {
  redis!: TestRedis;
  database!: Awaited<ReturnType<typeof createMigratedDatabase>>;
  all: TestApp[] = [];

  constructor() {
    beforeAll(async () => {
      [this.redis, this.database] = await Promise.all([startRedis(), createMigratedDatabase()]);
    });
    afterAll(async () => {
      await this.database.drop();
      await this.redis.stop();
    });
    beforeEach(async () => {
      this.all = [await this.start(), await this.start()];
      await this.settled();
    });
    afterEach(() => this.close());
  }

  start(own: Record<string, string> = {}): Promise<TestApp> {
    return startApp({ redis: this.redis.url, database: this.database.url, env: { ...feedEnv, ...own } });
  }

  async close(): Promise<void> {
    await Promise.all(this.all.map((node) => node.close()));
    this.all = [];
  }

  get reader(): TestApp | undefined {
    return this.all.find((node) => stateOf(node) === 'leading');
  }

  /** Until one of them reads. */
  settled(): Promise<void> {
    return until(() => this.all.filter((node) => stateOf(node) === 'leading').length === 1);
  }

  sql<T = unknown>(text: string, parameters: unknown[] = []): Promise<T[]> {
    return this.all.at(-1)!.dataSource.query<T[]>(text, parameters);
  }

  /** Until every node has it in its cache. */
  async cached(path: string): Promise<void> {
    for (const node of this.all) await until(async () => /^hit/.test(cacheStatus(await node.http.get(path)).api ?? ''));
  }

  /** An item that every node has in its cache. @returns its id */
  async create(): Promise<number> {
    const item = { name: 'before', category: 'feed', price: 1, quantity: 1 };
    const { body } = await this.all.at(-1)!.http.post('/items').send(item).expect(201);
    await this.cached(`/items/${body.id}`);
    return body.id as number;
  }

  /** Past the service. */
  rename(id: number): Promise<unknown> {
    return this.sql("UPDATE items SET name = 'after' WHERE id = $1", [id]);
  }

  /** Until every node shows what it was renamed to. */
  async seen(id: number): Promise<void> {
    for (const node of this.all) await until(async () => (await node.http.get(`/items/${id}`)).body.name === 'after');
  }
}
