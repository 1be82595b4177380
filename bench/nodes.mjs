// @ts-check
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { createDatabase } from '../scripts/services/postgres-databases.mjs';
import { run as runCommand } from '../scripts/services/run.mjs';
import { bareEnvironment } from '../verify/environment.mjs';
import { NodeProcess } from '../verify/node-process.mjs';
import { openRunFolder, PrivateRedis, providePostgres } from '../verify/services.mjs';

/** @typedef {import('./scenarios.mjs').Surroundings} Surroundings */

/** As `npm start` has it: what is committed is on the disk. */
const durable = ['max_connections=200'];

/** Everything that caches is off; what is left is the service's own work. */
export const uncached = {
  ...{ CACHE_POLICY: 'ttl', CACHE_API: 'off', CACHE_DB: 'off', CACHE_L1: 'off', CACHE_L2: 'off' },
  CACHE_FEED: 'off',
};

/** One PostgreSQL, and nodes of the built service: each with a database and a Redis of its own, so that none disturbs another. */
export class Nodes {
  /** @param {{ folder: string, dist: string, postgresUrl: string, surroundings: Surroundings }} opened */
  constructor(opened) {
    this.opened = opened;
    this.count = 0;
  }

  /** @param {Surroundings} surroundings */
  static async open(surroundings) {
    const { undo, signal } = surroundings;
    const { folder, dist } = await openRunFolder(undo);
    const postgresUrl = await providePostgres(folder, undo, signal, durable);
    return new Nodes({ folder, dist, postgresUrl, surroundings });
  }

  /**
   * @param {string} name
   * @param {NodeJS.ProcessEnv} env what it is configured with besides its services
   * @param {number} rows in its table, ids from 1
   * @returns {Promise<URL>} where it listens
   */
  async start(name, env, rows) {
    const { folder, dist, surroundings } = this.opened;
    const { undo, signal } = surroundings;
    const node = new NodeProcess({
      index: (this.count += 1),
      folder,
      dist,
      env: await this.environment(name, env, rows),
      onCrash: (_, log) => console.error(`a node has ended by itself:\n${log}`),
    });
    undo.add(() => node.kill());
    await node.start();
    signal.throwIfAborted();
    if (!node.url) throw new Error(`${name} has ended`);
    return node.url;
  }

  /**
   * What a node is configured with, services of its own included.
   * @param {string} name @param {NodeJS.ProcessEnv} env @param {number} rows
   */
  async environment(name, env, rows) {
    const { databaseUrl, redisUrl } = await this.services(name, rows);
    return {
      ...bareEnvironment(),
      ...{ PORT: '0', HOST: '127.0.0.1', LOG_LEVEL: 'warn', WARM_SCHEDULE: 'off', WARM_AFTER_FLUSH: 'off' },
      ...{ DATABASE_URL: databaseUrl, REDIS_URL: redisUrl, REDIS_TIMEOUT_MS: '1000' },
      ...env,
    };
  }

  /** A database with so many items, and a Redis. @param {string} name @param {number} rows */
  async services(name, rows) {
    const { folder, dist, postgresUrl, surroundings } = this.opened;
    const { undo, signal } = surroundings;
    const own = join(folder, name);
    mkdirSync(own);
    const redis = await PrivateRedis.start(own, undo, signal);
    const url = new URL(postgresUrl);
    url.pathname = `/bench_${name.replace(/\W/g, '_')}`;
    await createDatabase(postgresUrl, url.pathname.slice(1));
    const env = { ...bareEnvironment(), DATABASE_URL: url.href };
    await runCommand(process.execPath, [join(dist, 'src', 'migrate.js')], { env, signal });
    const client = new pg.Client(url.href);
    await client.connect();
    await client.query(insertRows, [rows]);
    await client.query('VACUUM ANALYZE items');
    await client.end();
    return { databaseUrl: url.href, redisUrl: `redis://127.0.0.1:${redis.port}` };
  }
}

const insertRows = `
INSERT INTO items (name, description, category, price, quantity)
SELECT 'Item ' || n, repeat('A description of some length. ', 10), 'category-' || n % 20, n, n FROM generate_series(1, $1) n`;
