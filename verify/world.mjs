// @ts-check
import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { createDatabase, dropDatabase } from '../scripts/services/postgres-databases.mjs';
import { run as runCommand } from '../scripts/services/run.mjs';
import { RunDatabase } from './database.mjs';
import { bareEnvironment, nodeEnvironment } from './environment.mjs';
import { NodeProcess } from './node-process.mjs';
import { compileServiceFiles } from './service-files.mjs';
import { openRunFolder, PrivatePostgres, PrivateRedis } from './services.mjs';
import { Client } from './workload/client.mjs';
import { categories } from './workload/choices.mjs';

/**
 * @typedef {object} WorldOptions
 * @property {number} nodes
 * @property {number} rows
 * @property {import('./checker/history.mjs').Policy} policy
 * @property {number} [further] rows besides those, which are only read
 * @property {'bypass' | 'acknowledged'} l1Strict
 * @property {import('./checker/history.mjs').Settings} settings
 * @property {string | undefined} [postgres] a server to use instead of starting one
 * @property {NodeJS.ProcessEnv} [env] further settings of every node
 * @property {boolean} [withFurther] the entities of `verify/service` besides items
 * @property {boolean} [withSpare] a second Redis, which no node uses yet
 */

/** @typedef {Awaited<ReturnType<typeof openWorld>>} World */

/**
 * How one node reaches its services.
 * @typedef {{ redisPort: number, redisUser?: string, databaseUrl: string }} Way
 */

/** @typedef {(index: number, services: { redis: PrivateRedis, databaseUrl: URL }) => Promise<Way>} WayOf */

/** @type {WayOf} */
export const straight = async (_, { redis, databaseUrl }) => ({ redisPort: redis.port, databaseUrl: databaseUrl.href });

/**
 * A PostgreSQL with rows, a Redis, and nodes of the built service that are ready.
 * @param {WorldOptions} options
 * @param {object} surroundings
 * @param {import('./undo.mjs').Undo} surroundings.undo
 * @param {AbortSignal} surroundings.signal
 * @param {(line: string) => void} surroundings.say
 * @param {(node: NodeProcess, log: string) => void} surroundings.onCrash
 * @param {WayOf} [wayOf]
 */
export async function openWorld(options, { undo, signal, say, onCrash }, wayOf = straight) {
  const { folder, dist } = await openRunFolder(undo);
  const redis = await PrivateRedis.start(folder, undo, signal);
  const spare = options.withSpare ? await PrivateRedis.start(folder, undo, signal, 'redis-spare') : undefined;
  const postgres = options.postgres === undefined ? await PrivatePostgres.start(folder, undo, signal) : undefined;
  const database = await openDatabase(postgres?.url ?? options.postgres ?? '', dist, undo, signal);
  const items = await database.prepare(options.rows, categories);
  const seeds = options.withFurther ? await database.prepareFurther() : items;
  const preload = options.withFurther ? compileServiceFiles(dist) : undefined;
  if (options.further) await database.extend(options.further);
  const adminToken = randomBytes(24).toString('base64url');
  const databaseUrl = new URL(database.url);
  const ways = await Promise.all(
    Array.from({ length: options.nodes }, (_, index) => wayOf(index, { redis, databaseUrl })),
  );
  const nodes = ways.map((way, index) => {
    const env = { ...nodeEnvironment(options, { ...way, adminToken }), ...options.env };
    return new NodeProcess({ index, folder, dist, env, preload, onCrash });
  });
  for (const node of nodes) undo.add(() => node.kill());
  say(`starting ${options.nodes} node${options.nodes === 1 ? '' : 's'} under ${options.policy}`);
  await Promise.all(nodes.map((node) => node.start()));
  signal.throwIfAborted();
  const client = new Client();
  undo.add(() => client.close());
  const keys = seeds.flatMap(({ key }) => (typeof key === 'number' ? [key] : [])).sort((a, b) => a - b);
  return { folder, dist, redis, spare, postgres, database, nodes, seeds, keys, client, adminToken };
}

/** @param {string} adminUrl @param {string} dist @param {import('./undo.mjs').Undo} undo @param {AbortSignal} signal */
async function openDatabase(adminUrl, dist, undo, signal) {
  const name = `verify_${randomUUID().replaceAll('-', '')}`;
  await createDatabase(adminUrl, name);
  undo.add(() => dropDatabase(adminUrl, name));
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  const env = { ...bareEnvironment(), DATABASE_URL: url.href };
  await runCommand(process.execPath, [join(dist, 'src', 'migrate.js')], { env, signal });
  const database = new RunDatabase(url.href);
  undo.add(() => database.close());
  return database;
}
