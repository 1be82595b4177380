// @ts-check
import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createDatabase, dropDatabase } from '../scripts/services/postgres-databases.mjs';
import { run as runCommand } from '../scripts/services/run.mjs';
import { RunDatabase } from '../verify/database.mjs';
import { bareEnvironment, nodeEnvironment } from '../verify/environment.mjs';
import { NodeProcess } from '../verify/node-process.mjs';
import { FaultProxy } from '../test/support/fault-proxy/fault-proxy.mjs';
import { openRunFolder, PrivateRedis, providePostgres } from '../verify/services.mjs';
import { Undo } from '../verify/undo.mjs';
import { Client } from '../verify/workload/client.mjs';
import { Bus } from './observe/bus.mjs';
import { categories, rows } from './script.mjs';

/** @typedef {import('../verify/checker/history.mjs').Policy} Policy */
/** @typedef {Awaited<ReturnType<Theatre['open']>>} Stage */

/** Short enough to see everything end within an act. Strict serves nothing past freshness, and ignores the stale window. */
export const settings = { leaseMs: 500, redisTimeoutMs: 100, ttlMs: 4_000, jitter: 0.1, staleMs: 2_000 };

/** As `npm start` has it (what is committed is on the disk), and it notes when that was. */
const postgresSettings = ['max_connections=200', 'track_commit_timestamp=on'];
const adminToken = randomUUID();

/** What all policies share: one PostgreSQL, one build of the service. */
export class Theatre {
  /** @param {{ folder: string, dist: string, postgresUrl: string, surroundings: import('../verify/command.mjs').Surroundings }} opened */
  constructor(opened) {
    this.opened = opened;
  }

  /** @param {string | undefined} postgres a server to use @param {import('../verify/command.mjs').Surroundings} surroundings */
  static async build(postgres, surroundings) {
    const { undo, signal } = surroundings;
    const { folder, dist } = await openRunFolder(undo);
    const postgresUrl = postgres ?? (await providePostgres(folder, undo, signal, postgresSettings));
    return new Theatre({ folder, dist, postgresUrl, surroundings });
  }

  /**
   * A database with its rows, a Redis, and two nodes that reach it each through a proxy: fresh for each policy.
   * @param {Policy} policy
   */
  async open(policy) {
    const { surroundings, dist } = this.opened;
    const { signal } = surroundings;
    const undo = new Undo();
    surroundings.undo.add(() => undo.run());
    const folder = join(this.opened.folder, policy);
    mkdirSync(folder);
    const redis = await PrivateRedis.start(folder, undo, signal);
    const database = await this.#database(undo);
    const seeds = await database.prepare(rows, categories);
    const proxies = await Promise.all([FaultProxy.to(redis), FaultProxy.to(redis)]);
    for (const proxy of proxies) undo.add(() => proxy.close());
    const crashed = new globalThis.AbortController();
    const nodes = proxies.map(({ port }, index) => {
      const options = { policy, settings, l1Strict: /** @type {const} */ ('bypass') };
      const env = {
        ...nodeEnvironment(options, { databaseUrl: database.url, redisPort: port, adminToken }),
        ...{ WARM_SCHEDULE: 'off', WARM_AFTER_FLUSH: 'off', LOG_LEVEL: 'warn' },
      };
      const onCrash = (/** @type {NodeProcess} */ node, /** @type {string} */ log) =>
        crashed.abort(new Error(`node ${node.index + 1} has ended by itself:\n${log}`));
      return new NodeProcess({ index, folder, dist, env, onCrash });
    });
    // One after the other: the first one reads the change feed.
    for (const node of nodes) {
      undo.add(() => node.kill());
      await node.start();
      signal.throwIfAborted();
    }
    const bus = await Bus.listen(redis.port, dist);
    undo.add(() => bus.close());
    const client = new Client();
    undo.add(() => client.close());
    const over = AbortSignal.any([signal, crashed.signal]);
    return { nodes, proxies, database, seeds, bus, client, signal: over, close: () => undo.run() };
  }

  /** @param {Undo} undo */
  async #database(undo) {
    const { dist, postgresUrl, surroundings } = this.opened;
    const name = `lab_${randomUUID().replaceAll('-', '')}`;
    await createDatabase(postgresUrl, name);
    undo.add(() => dropDatabase(postgresUrl, name));
    const url = new URL(postgresUrl);
    url.pathname = `/${name}`;
    const env = { ...bareEnvironment(), DATABASE_URL: url.href };
    await runCommand(process.execPath, [join(dist, 'src', 'migrate.js')], { env, signal: surroundings.signal });
    const database = new RunDatabase(url.href);
    undo.add(() => database.close());
    return database;
  }
}
