import { type ChangeFeed } from '../../src/invalidation/index.js';
import { type Item } from '../../src/items/item.entity.js';
import { cacheStatus } from './cache-status.js';
import { impatiently } from './clocks.js';
import { feedEnv, stateOf } from './feed-nodes.js';
import { sharedRedis, type SharedRedis } from './services.js';
import { sqlFromElsewhere } from './sql-from-elsewhere.js';
import { createMigratedDatabase, startApp, type TestApp } from './start-app.js';
import { until } from './until.js';

export const item = (name: string, category = 'feed') => ({ name, category, price: 1, quantity: 1 });

/** Two nodes over one database that others write, too. One of them reads the change feed. */
export class WrittenElsewhere {
  nodes: TestApp[] = [];
  #redis!: SharedRedis;
  #database!: Awaited<ReturnType<typeof createMigratedDatabase>>;

  /** Call it where the tests are declared. */
  constructor() {
    beforeAll(async () => {
      [this.#redis, this.#database] = await Promise.all([sharedRedis(), createMigratedDatabase()]);
    });
    afterAll(() => this.#database.drop());
    afterEach(() => jest.restoreAllMocks());
  }

  /** Until one of them reads the feed and the other stands by. */
  async start(policy = 'write-through'): Promise<void> {
    const env = { ...feedEnv, CACHE_POLICY: policy };
    const node = () => startApp({ redis: this.#redis.url, database: this.#database.url, env, override: impatiently });
    this.nodes = await Promise.all([node(), node()]);
    await until(() => this.nodes.map(stateOf).sort().join() === 'leading,standby');
  }

  readonly stop = async (): Promise<void> => {
    await Promise.all(this.nodes.map((node) => node.close()));
  };

  nodeThatIs(state: ChangeFeed['state']): TestApp {
    return this.nodes.find((node) => stateOf(node) === state)!;
  }

  /** By the service. @returns its id */
  readonly create = async (name: string, category?: string): Promise<number> =>
    (await this.nodes[0]!.http.post('/items').send(item(name, category)).expect(201)).body.id as number;

  /** By others. */
  readonly sql = (text: string, parameters?: unknown[]) => sqlFromElsewhere(this.#database.url, text, parameters);

  /** Until every node has the answer in its cache. */
  readonly cached = async (path: string): Promise<void> => {
    for (const { http } of this.nodes)
      await until(async () => /^hit/.test(cacheStatus(await http.get(path)).api ?? ''));
  };

  /** Until the feed has told of everything so far: what is written last comes last. */
  readonly drained = async (): Promise<void> => {
    await this.sql("INSERT INTO items (name, category, price, quantity) VALUES ('mark', 'mark', 1, 1)");
    await until(async () => (await namesIn(this.nodes[0]!, 'mark')).includes('mark'));
    await this.sql("DELETE FROM items WHERE category = 'mark'");
    await until(async () => (await namesIn(this.nodes[0]!, 'mark')).length === 0);
  };
}

export const nameOf = async ({ http }: TestApp, id: number) =>
  (await http.get(`/items/${id}`)).body.name as string | undefined;
export const namesIn = async ({ http }: TestApp, category: string) =>
  (await http.get(`/items?category=${category}`)).body.data.map(({ name }: Item) => name) as string[];
