// @ts-check
import { join } from 'node:path';
import { findCluster, openCluster } from './postgres-cluster.mjs';
import { ensureDatabase } from './postgres-databases.mjs';
import { placePostgres } from './postgres-binaries.mjs';
import { runningPostgres, startPostgres } from './postgres.mjs';
import { HOW_TO_USE_ANOTHER_REDIS, findRedis } from './redis-binary.mjs';
import { recordsIn } from './records.mjs';
import { startRedis } from './redis.mjs';

/**
 * @typedef {object} Provided
 * @property {string} name
 * @property {string} variable the environment variable that names it
 * @property {string} url
 * @property {Promise<void>} exited
 * @property {() => Promise<void>} stop
 */

/**
 * @typedef {object} Providing
 * @property {string} folder keeps the data between two starts
 * @property {string} cache keeps what was downloaded
 * @property {(line: string) => void} say
 * @property {AbortSignal} signal
 */

const DATABASE = 'strata';

/**
 * The PostgreSQL of this clone.
 * @param {Providing} providing
 * @returns {Promise<Provided>}
 */
export async function providePostgres({ folder, say, signal }) {
  const place = placePostgres(folder);
  const cluster = await openCluster(place, { signal });
  signal.throwIfAborted();
  const server = await startPostgres({
    place,
    cluster,
    log: join(folder, 'postgres.log'),
    records: recordsIn(folder),
    settings: ['max_connections=200'],
  });
  say(`PostgreSQL ${place.version} on 127.0.0.1:${server.port}, data in ${cluster.data}`);
  try {
    await ensureDatabase(server.url('postgres'), DATABASE);
  } catch (error) {
    await server.stop();
    throw error;
  }
  const { stop, process } = server;
  return { name: 'PostgreSQL', variable: 'DATABASE_URL', url: server.url(DATABASE), exited: process.exited, stop };
}

/**
 * The database of this clone in a PostgreSQL that another process has provided and still runs.
 * @param {string} folder
 * @returns {Promise<string | undefined>} its URL
 */
export async function findDatabase(folder) {
  const cluster = findCluster(placePostgres(folder));
  const url = cluster && runningPostgres(cluster);
  if (!url) return undefined;
  await ensureDatabase(url('postgres'), DATABASE);
  return url(DATABASE);
}

/**
 * The Redis of this clone, if one can be had.
 * @param {Providing} providing
 * @returns {Promise<Provided | undefined>}
 */
export async function provideRedis({ folder, cache, say, signal }) {
  const binary = await findRedis({ cache: join(cache, 'redis'), say, signal, patient: true });
  if (!binary) {
    say(`no Redis: starting without the second cache level. To get one: ${HOW_TO_USE_ANOTHER_REDIS}`);
    return undefined;
  }
  const data = join(folder, 'redis');
  const server = await startRedis({
    binary,
    folder: data,
    log: join(folder, 'redis.log'),
    records: recordsIn(folder),
    // The append-only file, because a snapshot would bring back an older state after a kill -9.
    args: ['--maxmemory', '256mb', '--save', '', '--appendonly', 'yes'],
  });
  say(`Redis on 127.0.0.1:${server.port}, data in ${data}`);
  const { stop, process, url } = server;
  return { name: 'Redis', variable: 'REDIS_URL', url, exited: process.exited, stop };
}
