import { type Logger } from '@nestjs/common';
import { Journal } from '../../src/invalidation/index.js';
import { hammer } from './administered-nodes.js';
import { startApp, type StartAppOptions, type TestApp } from './start-app.js';
import { until } from './until.js';
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

/** It serves from the database, `/health` gives the reason as long as it lasts, and the log has had it once. */
export async function isRefused(
  warnings: jest.SpyInstance<void, Parameters<Logger['warn']>>,
  node: TestApp,
  reason: RegExp,
): Promise<void> {
  const { body } = await node.http.post('/items').send(hammer).expect(201);
  await node.http.get(`/items/${body.id}`).expect(200);
  for (let looks = 0; looks < 5; looks += 1) {
    await until(async () => {
      const { body: health } = await node.http.get('/health').expect(200);
      return health.status === 'degraded' && reason.test(String(health.details.redis.reason));
    });
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expect(warnings.mock.calls.filter(([text]) => reason.test(String(text)))).toHaveLength(1);
}
