import { Journal } from '../../src/invalidation/index.js';
import { startApp, type StartAppOptions, type TestApp } from './start-app.js';
import { adminToken } from './warming.js';

/** Starts a node for a piece of work, and ends it afterwards. @param options its Redis may be away all the time */
export async function withNode(options: StartAppOptions, work: (node: TestApp) => Promise<void>): Promise<void> {
  // A write waits as long as a command may take for a Redis that is away.
  const deadline = options.redisIsAway ? { REDIS_TIMEOUT_MS: '200' } : {};
  const env = { ADMIN_TOKEN: adminToken, CACHE_L1_LEASE_MS: '500', ...deadline, ...options.env };
  const node = await startApp({ ...options, env });
  try {
    await work(node);
  } finally {
    // Its end would wait two seconds for a Redis that does not come.
    if (options.redisIsAway) node.app.get(Journal).take();
    await node.close();
  }
}
