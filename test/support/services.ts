/** Real services for tests; test/support/global-setup.ts provides what they need. */
export {
  createTestDatabase as createDatabase,
  startPostgres,
  type TestDatabase,
  type TestPostgres,
} from './services/postgres.js';
export { startRedis, type TestRedis, type TestRedisOptions } from './services/redis.js';
