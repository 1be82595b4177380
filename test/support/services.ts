/** Real services for tests; test/support/global-setup.ts provides what they need. */
export {
  createFilledDatabase,
  createTestDatabase as createDatabase,
  startPostgres,
  type TestDatabase,
  type TestPostgres,
} from './services/postgres.js';
export { startRedis, type TestRedis, type TestRedisOptions } from './services/redis.js';
export { sharedRedis, type SharedRedis } from './services/worker.js';
