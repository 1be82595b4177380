// @ts-check
import { join } from 'node:path';
import { openCluster } from '../../../scripts/services/postgres-cluster.mjs';
import { startPostgres } from '../../../scripts/services/postgres.mjs';
import { recordsIn } from '../../../scripts/services/records.mjs';
import { startRedis } from '../../../scripts/services/redis.mjs';

/**
 * What the global setup found out once for all Jest workers. (Not TypeScript: Jest does not map imports in its setup.)
 * @typedef {object} TestEnvironment
 * @property {string} folder of this run; removed at its end
 * @property {import('../../../scripts/services/redis-binary.mjs').RedisBinary} redis
 * @property {import('../../../scripts/services/postgres-binaries.mjs').PostgresPlace} place its folder, too, is removed at the end
 */

const NAME = 'STRATA_TEST_SERVICES';

/**
 * Hands it to the workers, which Jest starts later.
 * @param {TestEnvironment} environment
 */
export function publish(environment) {
  process.env[NAME] = JSON.stringify(environment);
}

/** @returns {TestEnvironment} */
export function testEnvironment() {
  const text = process.env[NAME];
  if (!text) throw new Error('no test services: is test/support/global-setup.ts the globalSetup of Jest?');
  return JSON.parse(text);
}

let count = 0;

/**
 * @param {string} what
 * @returns {string} a name that no other process of this run uses
 */
export const uniqueName = (what) => `${what}_${process.pid}_${++count}_${Date.now().toString(36)}`;

/**
 * Fast, not lax: what is durable in production is visible here at the same moment. That is why synchronous_commit stays
 * on: without it a replication slot that is read right after a commit does not see it.
 */
const SETTINGS = [
  'fsync=off',
  'full_page_writes=off',
  'max_connections=300',
  'max_wal_senders=100',
  'max_replication_slots=100',
  'shared_buffers=64MB',
  // Its transactions would hold back fills at moments of its own choosing.
  'autovacuum=off',
];

/**
 * @param {TestEnvironment} environment
 * @param {readonly string[]} [own] settings of this one
 */
export async function freshPostgres({ folder, place }, own = []) {
  const name = uniqueName('postgres');
  const cluster = await openCluster(place, { name, flags: ['--no-sync'] });
  const log = join(folder, `${name}.log`);
  /** @param {number} [port] */
  const start = (port) =>
    startPostgres({
      ...{ place, cluster, log, records: recordsIn(folder), onEnd: 'SIGQUIT', port },
      settings: [...SETTINGS, ...own],
    });
  return { files: { data: cluster.data, password: `${cluster.data}.password`, log }, start };
}

/**
 * @param {TestEnvironment} environment
 * @param {readonly string[]} [args] further arguments of the server
 */
export function freshRedis({ folder: parent, redis: binary }, args = []) {
  const folder = join(parent, uniqueName('redis'));
  const log = `${folder}.log`;
  /** @param {number} [port] */
  const start = (port) =>
    startRedis({
      ...{ binary, folder, log, records: recordsIn(parent), onEnd: 'SIGKILL', port },
      args: ['--save', '', '--appendonly', 'no', ...args],
    });
  return { files: { folder, log }, start };
}
