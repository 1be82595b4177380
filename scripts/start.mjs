// @ts-check
import { randomBytes } from 'node:crypto';
import { constants } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { CACHE, DATA, ROOT } from './services/folders.mjs';
import { takeLock } from './services/lock.mjs';
import { providePostgres, provideRedis } from './services/provide.mjs';
import { recordsIn, stopLeftovers } from './services/records.mjs';
import { run } from './services/run.mjs';
import { runApp } from './start/app.mjs';
import { buildIfNeeded } from './start/build.mjs';
import { launcher, watchLauncher } from './start/launcher.mjs';

/**
 * `npm start`: the service with everything it needs. Builds, provides PostgreSQL and Redis where none are configured,
 * migrates, seeds, and runs the application until it ends. In production nothing is provided and nothing is seeded.
 */

/** @typedef {import('./services/provide.mjs').Provided} Provided */

// For the tests of this file: another application, and other folders.
const { values: options } = parseArgs({
  options: {
    app: { type: 'string' },
    data: { type: 'string', default: DATA },
    cache: { type: 'string', default: CACHE },
  },
});

/** @type {NodeJS.ProcessEnv} */
const env = { ...process.env, NODE_ENV: process.env['NODE_ENV'] || 'development' };
const production = env['NODE_ENV'] === 'production';
const folder = resolve(options.data);
const stopping = new globalThis.AbortController();
/** @type {(() => unknown)[]} what to undo at the end, last first */
const undo = [];

const say = (/** @type {string} */ line) => console.log(line);

/** @returns {Promise<void>} */
async function provideServices() {
  const missing = { postgres: !env['DATABASE_URL'], redis: !env['REDIS_URL'] };
  if (production && missing.postgres) throw new Error('NODE_ENV=production: set DATABASE_URL, nothing is provided');
  if (production || !(missing.postgres || missing.redis)) return;

  undo.push(await takeLock(folder, launcher()));
  const leftovers = await stopLeftovers(recordsIn(folder));
  if (leftovers.length) say(`stopped what an earlier start left running: ${leftovers.join(', ')}`);
  const providing = { folder, cache: resolve(options.cache), say, signal: stopping.signal };
  const starting = [missing.postgres && providePostgres(providing), missing.redis && provideRedis(providing)];
  const results = await Promise.allSettled(starting);
  for (const result of results) if (result.status === 'fulfilled' && result.value) use(result.value);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

/** @param {Provided} service */
function use({ name, variable, url, exited, stop }) {
  env[variable] = url;
  let expected = false;
  void exited.then(() => expected || say(`${name} has ended unexpectedly, see its log in ${folder}`));
  undo.push(() => {
    expected = true;
    return stop();
  });
}

/** @returns {Promise<number>} the exit code */
async function main() {
  const { signal } = stopping;
  const entry = options.app ?? join(ROOT, 'dist', 'src', 'main.js');
  if (!options.app) await buildIfNeeded(ROOT, { say, signal });
  signal.throwIfAborted();
  await provideServices();
  signal.throwIfAborted();
  if (!production) env['ADMIN_TOKEN'] ||= randomBytes(24).toString('base64url');
  const migrate = [join(ROOT, 'dist', 'src', 'migrate.js'), ...(production ? [] : ['--seed'])];
  if (!options.app) await run(process.execPath, migrate, { env, signal, show: true });
  signal.throwIfAborted();
  const token = production ? '' : ` admin_token=${env['ADMIN_TOKEN']}`;
  const onReady = (/** @type {string} */ url) => say(`ready url=${url}${token}`);
  return runApp({ entry, env, records: recordsIn(folder), signal, onReady });
}

/** @returns {Promise<void>} */
async function cleanUp() {
  for (const step of undo.splice(0).reverse()) {
    await Promise.resolve()
      .then(step)
      .catch((error) => console.error(error));
  }
}

for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
  process.on(signal, () => stopping.abort(signal));
}
watchLauncher(() => stopping.abort('SIGTERM'));
process.on('uncaughtException', (error) => {
  console.error(error);
  stopping.abort(error);
});

try {
  const code = await main();
  process.exitCode = stopping.signal.reason instanceof Error ? 1 : code;
} catch (error) {
  const { reason, aborted } = stopping.signal;
  if (aborted && !(reason instanceof Error))
    process.exitCode = 128 + constants.signals[/** @type {NodeJS.Signals} */ (reason)];
  else {
    console.error(error instanceof Error && !process.env['DEBUG'] ? `npm start: ${error.message}` : error);
    process.exitCode = 1;
  }
}
await cleanUp();
// Whatever else is still open, nothing of ours is left.
process.exit();
