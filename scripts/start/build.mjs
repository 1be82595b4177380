// @ts-check
import { readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CACHE } from '../services/folders.mjs';
import { AlreadyStartedError, takeLock } from '../services/lock.mjs';
import { run } from '../services/run.mjs';

const SOURCES = [
  'src',
  'migrations',
  'ormconfig.ts',
  'nest-cli.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'tsconfig.start.json',
  'package.json',
];

/**
 * Builds the application unless `dist/` is newer than every source. Silent unless it fails. Types are not checked: this is
 * for whoever starts or tests it. Of several processes that need the build at the same time, one builds and the others wait.
 * @param {string} root
 * @param {{ say: (line: string) => void, signal: AbortSignal }} options
 */
export async function buildIfNeeded(root, { say, signal }) {
  const unlock = await lockOnceFree(join(CACHE, 'build'), signal);
  try {
    await build(root, { say, signal });
  } finally {
    unlock();
  }
}

/**
 * @param {string} folder
 * @param {AbortSignal} signal
 * @returns {Promise<() => void>} releases the lock
 */
async function lockOnceFree(folder, signal) {
  for (;;) {
    try {
      return await takeLock(folder, undefined);
    } catch (error) {
      if (!(error instanceof AlreadyStartedError)) throw error;
      await sleep(100, undefined, { signal });
    }
  }
}

/**
 * @param {string} root
 * @param {{ say: (line: string) => void, signal: AbortSignal }} options
 */
async function build(root, { say, signal }) {
  const stamp = join(root, 'dist', '.built');
  const built = Math.max(modified(stamp), modified(join(root, 'dist', '.tsbuildinfo')));
  const newest = Math.max(...SOURCES.map((source) => newestIn(join(root, source))));
  if (modified(join(root, 'dist', 'src', 'main.js')) && built > newest) return;

  say('building');
  const nest = join(root, 'node_modules', '@nestjs', 'cli', 'bin', 'nest.js');
  await run(process.execPath, [nest, 'build', '--path', 'tsconfig.start.json'], { cwd: root, signal });
  // A source that changed while we built is newer than the start of the build, not than its end.
  writeFileSync(stamp, '');
  utimesSync(stamp, newest / 1000, newest / 1000 + 0.001);
}

/**
 * @param {string} path
 * @returns {number} when it last changed, in ms; 0 when there is none
 */
const modified = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;

/**
 * @param {string} path
 * @returns {number} the newest change in it; a folder changes when a file in it is removed
 */
function newestIn(path) {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found?.isDirectory()) return found?.mtimeMs ?? 0;
  const below = readdirSync(path, { recursive: true, encoding: 'utf8' });
  return Math.max(found.mtimeMs, ...below.map((file) => modified(join(path, file))));
}
