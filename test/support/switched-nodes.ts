import { type PolicyState, PolicyStore } from '../../src/invalidation/policies/policy-store.js';
import { type PolicyName } from '../../src/policies/index.js';
import { startRedis, type TestRedis } from './services.js';
import { startApp, type TestApp } from './start-app.js';

const token = 'the-token-of-the-switches';
/** Of a node that is not told another. */
export const leaseMs = 300;

/** Nodes over one database and one Redis, for one test each, whose policies are switched. */
export class SwitchedNodes {
  redis!: TestRedis;
  #running: TestApp[] = [];

  /** Call it where the tests are declared. */
  constructor() {
    beforeAll(async () => void (this.redis = await startRedis()));
    afterAll(() => this.redis.stop());
    afterEach(async () => {
      jest.restoreAllMocks();
      for (const node of this.#running.splice(0).reverse()) await node.close();
    });
  }

  readonly start = async (env: Record<string, string> = {}, { redisIsAway = false } = {}): Promise<TestApp> => {
    const [first] = this.#running;
    const node = await startApp({
      redis: this.redis.url,
      redisIsAway,
      env: { ADMIN_TOKEN: token, CACHE_L1_LEASE_MS: String(leaseMs), ...env },
      ...(first && { database: first.databaseUrl }),
    });
    this.#running.push(node);
    return node;
  };

  readonly close = async (node: TestApp): Promise<void> => {
    this.#running.splice(this.#running.indexOf(node), 1);
    await node.close();
  };
}

export const put = (node: TestApp, policy: PolicyName) =>
  node.http.put('/admin/cache/policies/items').auth(token, { type: 'bearer' }).send({ policy });
export const rowOf = async (node: TestApp): Promise<PolicyState> => (await node.app.get(PolicyStore).all())[0]!;
export const lockWaits = async (node: TestApp): Promise<boolean> => {
  const sql = `SELECT 1 FROM pg_locks WHERE relation = 'cache_policy_lock'::regclass AND NOT granted`;
  return (await node.dataSource.query<unknown[]>(sql)).length > 0;
};
