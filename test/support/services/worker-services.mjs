// @ts-check
import { ask } from '../../../scripts/services/redis.mjs';
import { freshPostgres, freshRedis, testEnvironment } from './environment.mjs';

/**
 * The PostgreSQL and the Redis of one Jest worker. Transaction ids and Redis keys are server-wide: files that run side by
 * side must not share a server, while files that run one after the other may.
 */
export class WorkerServices {
  /** @type {Promise<import('../../../scripts/services/postgres.mjs').Postgres> | undefined} */
  #postgres;
  /** @type {Promise<import('../../../scripts/services/redis.mjs').Redis> | undefined} */
  #redis;

  /** @returns {Promise<string>} the superuser's URL to the database `postgres` */
  async postgresUrl() {
    this.#postgres ??= freshPostgres(testEnvironment()).then(({ start }) => start());
    return (await this.#postgres).url('postgres');
  }

  /** @returns {Promise<string>} the URL of an empty Redis */
  async redisUrl() {
    this.#redis ??= freshRedis(testEnvironment()).start();
    const { port, url } = await this.#redis;
    const answer = await ask(port, 'FLUSHALL\r\n');
    if (!answer.startsWith('+OK')) throw new Error(`Redis was not emptied: ${answer}`);
    return url;
  }
}
