import { type Clock, SystemClock } from '../../src/cache/index.js';
import { leaseWaitMs } from '../../src/invalidation/bus/lease-wait.js';
import { cacheStatus } from './cache-status.js';
import { withClock } from './clocks.js';
import { startRedis, type TestRedis } from './services.js';
import { startApp, type TestApp } from './start-app.js';

export const longLeaseMs = 8_000;
/** How long a writer waits until every such lease has run out. */
export const waitMs = leaseWaitMs(longLeaseMs);

export const item = (name: string) => ({ name, category: 'strict', price: 1, quantity: 1 });
export const create = async (node: TestApp, name: string): Promise<string> =>
  `/items/${(await node.http.post('/items').send(item(name)).expect(201)).body.id}`;
export const nameAt = async (node: TestApp, path: string): Promise<string> => (await node.http.get(path)).body.name;
export const statusAt = async (node: TestApp, path: string) => cacheStatus(await node.http.get(path));

/** The nodes of one test, over a database of its own and the file's Redis. */
export class NodeGroup {
  redis!: TestRedis;
  #nodes: TestApp[] = [];

  /** Call it where the tests are declared. */
  constructor() {
    beforeAll(async () => (this.redis = await startRedis()));
    afterAll(() => this.redis.stop());
    afterEach(async () => {
      jest.restoreAllMocks();
      this.redis.resume();
      for (const node of this.#nodes.reverse()) await node.close();
      this.#nodes = [];
    });
  }

  async start(count: number, env: Record<string, string>, clock: Clock = new SystemClock()): Promise<TestApp[]> {
    const options = { redis: this.redis.url, env, override: withClock(clock) };
    const first = await startApp(options);
    this.#nodes.push(first);
    const others = Array.from({ length: count - 1 }, () => startApp({ ...options, database: first.databaseUrl }));
    this.#nodes.push(...(await Promise.all(others)));
    return this.#nodes;
  }
}
