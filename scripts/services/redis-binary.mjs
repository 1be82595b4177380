// @ts-check
import { spawnSync } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { CACHE } from './folders.mjs';
import { fetchRedis, unpackedRedis } from './redis-packages.mjs';

/**
 * A Redis (or Valkey) server that runs here.
 * @typedef {object} RedisBinary
 * @property {string} path
 * @property {string[]} libraries folders of its libraries, when they are not the system's
 */

const NAMES = ['redis-server', 'valkey-server'];

/** What to tell somebody who has no Redis, before what applies only to them. */
export const HOW_TO_GET_REDIS =
  'macOS: `brew install redis`; Debian, Ubuntu: `apt install redis-server`; anything else: `redis-server` or `valkey-server` on PATH';

/** The same for those who can point us at a Redis of their own. */
export const HOW_TO_USE_ANOTHER_REDIS = `${HOW_TO_GET_REDIS}; or \`docker run -d -p 127.0.0.1:6379:6379 redis:7\` and REDIS_URL=redis://127.0.0.1:6379`;

/**
 * @param {RedisBinary} binary
 * @returns {NodeJS.ProcessEnv}
 */
export function environmentOf({ libraries }) {
  return libraries.length ? { ...process.env, LD_LIBRARY_PATH: libraries.join(delimiter) } : process.env;
}

/**
 * @param {RedisBinary} binary
 * @returns {boolean}
 */
export const runs = (binary) =>
  spawnSync(binary.path, ['--version'], { env: environmentOf(binary), stdio: 'ignore' }).status === 0;

/** Those that are being unpacked now, by cache folder. @type {Map<string, Promise<void>>} */
const unpacking = new Map();

/**
 * Finds a server: on PATH, else unpacked earlier, else unpacked now where apt exists. Nothing is installed.
 * @param {{ cache?: string, path?: string | undefined, say?: (line: string) => void, signal?: AbortSignal | undefined, patient?: boolean }} [options]
 * @returns {Promise<RedisBinary | undefined>} undefined when there is no way to get one
 */
export async function findRedis({
  cache = join(CACHE, 'redis'),
  path = process.env['PATH'] ?? '',
  say = () => undefined,
  signal,
  patient,
} = {}) {
  const folders = path.split(delimiter).filter(Boolean);
  const installed = folders.flatMap((folder) => NAMES.map((name) => ({ path: join(folder, name), libraries: [] })));
  for (const candidate of [...installed, ...unpackedRedis(cache, NAMES)]) if (runs(candidate)) return candidate;

  const unpacked = () => unpackedRedis(cache, NAMES).find(runs);
  const fetching =
    unpacking.get(cache) ??
    fetchRedis(cache, { path, say, signal, patient, usable: () => unpacked() !== undefined }).finally(() =>
      unpacking.delete(cache),
    );
  unpacking.set(cache, fetching);
  await fetching;
  return unpacked();
}
