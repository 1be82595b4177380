// @ts-check
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { leash } from './leash.mjs';
import { freePort } from './ports.mjs';
import { commandOf, end, identify } from './process.mjs';
import { rememberLeashed } from './records.mjs';

/** @typedef {import('./leash.mjs').Leashed} Leashed */
/** @typedef {import('./postgres-binaries.mjs').PostgresPlace} PostgresPlace */
/** @typedef {import('./postgres-cluster.mjs').Cluster} Cluster */

/**
 * @typedef {object} PostgresOptions
 * @property {PostgresPlace} place
 * @property {Cluster} cluster
 * @property {string} log
 * @property {string} records the folder to note the process in
 * @property {string[]} [settings] such as `fsync=off`
 * @property {number | undefined} [port] a free one if not given
 * @property {NodeJS.Signals} [onEnd] SIGINT lets running statements roll back; SIGQUIT is quicker and recovers at the next start
 */

/**
 * @typedef {object} Postgres
 * @property {number} port
 * @property {Leashed} process
 * @property {(database: string) => string} url
 * @property {() => Promise<void>} stop
 */

const SETTINGS = [
  'wal_level=logical',
  // What the change feed has not read is kept up to here.
  'max_slot_wal_keep_size=1GB',
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=',
  'timezone=UTC',
  'log_timezone=UTC',
];
const READY_MS = 60_000;
const STOP_MS = 10_000;
const ATTEMPTS = 10;

/**
 * Starts PostgreSQL on 127.0.0.1 only and resolves when it accepts connections.
 * @param {PostgresOptions} options
 * @returns {Promise<Postgres>}
 */
export async function startPostgres({ place, cluster, log, records, settings = [], port: wanted, onEnd = 'SIGINT' }) {
  await endForgotten(cluster.data);
  for (let attempt = 1; ; attempt++) {
    const port = wanted ?? (await freePort());
    const flags = [...SETTINGS, ...settings].flatMap((setting) => ['-c', setting]);
    const process = await leash(join(place.bin, 'postgres'), ['-D', cluster.data, '-p', String(port), ...flags], {
      onEnd,
      log,
      cwd: cluster.data,
      account: place.account,
    });
    rememberLeashed(records, { name: 'postgres', signal: onEnd }, process);
    if (await becomesReady(process, cluster.data)) {
      return {
        port,
        process,
        url: (database) => urlOf({ port, password: cluster.password, database }),
        stop: () => process.stop([onEnd, 'SIGQUIT'], STOP_MS),
      };
    }
    await process.stop(['SIGQUIT'], STOP_MS);
    // The port was taken meanwhile, or helpers of a killed server still hold its shared memory for a moment.
    const problem = readFileSync(log, 'utf8');
    const passing = /could not bind|shared memory block .* still in use/.test(problem);
    if (!passing || attempt === ATTEMPTS) throw new Error(`PostgreSQL does not start: ${problem.trim().slice(-2000)}`);
    await sleep(100);
  }
}

/**
 * The server that runs on these data, whoever started it.
 * @param {Cluster} cluster
 * @returns {((database: string) => string) | undefined} its URLs; undefined when none accepts connections
 */
export function runningPostgres({ data, password }) {
  // Its lines: 1 the pid, 4 the port, 8 the state (src/include/utils/pidfile.h of PostgreSQL).
  const lines = readPidFile(data);
  if (lines[7]?.trim() !== 'ready' || !commandOf(Number(lines[0])).includes(data)) return undefined;
  return (database) => urlOf({ port: Number(lines[3]), password, database });
}

/**
 * @param {{ port: number, password: string, database: string }} server
 * @returns {string}
 */
const urlOf = ({ port, password, database }) => `postgres://postgres:${password}@127.0.0.1:${port}/${database}`;

/**
 * A server that already uses these data, though no record tells of it.
 * @param {string} data
 */
async function endForgotten(data) {
  const found = identify(Number(readPidFile(data)[0]));
  if (found && commandOf(found.pid).includes(data)) await end(found, 'SIGINT', STOP_MS);
}

/**
 * What pg_ctl does: the server keeps its state in the 8th line of postmaster.pid.
 * @param {Leashed} process
 * @param {string} data
 * @returns {Promise<boolean>}
 */
async function becomesReady(process, data) {
  const giveUpAt = performance.now() + READY_MS;
  while (process.running() && performance.now() < giveUpAt) {
    const lines = readPidFile(data);
    if (Number(lines[0]) === process.identity.pid && lines[7]?.trim() === 'ready') return true;
    await sleep(10);
  }
  return false;
}

/**
 * @param {string} data
 * @returns {string[]}
 */
function readPidFile(data) {
  try {
    return readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n');
  } catch {
    return [];
  }
}
