import { type RedisStore } from 'cache-manager-redis-yet';
import { createRequire } from 'node:module';
import { redisAddress, type RedisCertificates } from '../../../config/index.js';

/** The node-redis client that cache-manager-redis-yet brings; npm may hoist another version of `redis` beside it. */
export type RedisClient = RedisStore['client'];

const here = createRequire(import.meta.url);
const { createClient } = createRequire(here.resolve('cache-manager-redis-yet'))('redis') as {
  createClient: (options: object) => RedisClient;
};

/** Commands waiting for an answer on one connection; beyond it they fail at once instead of piling up. */
const maxQueuedCommands = 20_000;

/**
 * A client for one life of one connection: it neither reconnects nor queues while offline, so that no command ever goes
 * out to another server than the one that was identified, and no answer counts for a question asked before.
 */
export function createRedisClient(url: string, timeoutMs: number, certificates?: RedisCertificates): RedisClient {
  const { host, port, tls, ...user } = redisAddress(url, certificates);
  return createClient({
    ...user,
    disableOfflineQueue: true,
    commandsQueueMaxLength: maxQueuedCommands,
    socket: {
      ...(tls && { ...tls, tls: true }),
      ...{ host, port, reconnectStrategy: false, connectTimeout: Math.max(timeoutMs, 250) },
      ...{ keepAlive: 5_000, noDelay: true },
    },
  });
}
