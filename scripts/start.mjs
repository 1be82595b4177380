// @ts-check
import { randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { CACHE, DATA, ROOT } from './services/folders.mjs';
import { takeLock } from './services/lock.mjs';
import { providePostgres, provideRedis } from './services/provide.mjs';
import { recordsIn, stopLeftovers } from './services/records.mjs';
import { run } from './services/run.mjs';
import { runApp } from './start/app.mjs';
import { buildIfNeeded } from './start/build.mjs';
import { runCommand } from './start/command.mjs';
import { launcher } from './start/launcher.mjs';
import { nodeFlags } from './start/node-flags.mjs';
import { restartOnBuild, watchBuild } from './start/watch.mjs';

/**
 * `npm start`: the service with everything it needs. Builds, provides PostgreSQL and Redis where none are configured,
 * migrates, seeds, and runs the application until it ends. In production nothing is provided and nothing is seeded.
 *
 * `npm run start:dev` (`--watch`) builds and restarts the application whenever a source changes; services keep running.
 * `npm run start:debug` also opens Node's inspector (`--inspect`).
 */

/** @typedef {import('./services/provide.mjs').Provided} Provided */
/** @typedef {import('./start/command.mjs').Command} Command */

const { values: options } = parseArgs({
  options: {
    watch: { type: 'boolean', default: false },
    inspect: { type: 'string' },
    // For the tests of this file: another application, another project to build, and other folders.
    app: { type: 'string' },
    project: { type: 'string', default: ROOT },
    data: { type: 'string', default: DATA },
    cache: { type: 'string', default: CACHE },
  },
});

/** @type {NodeJS.ProcessEnv} */
const env = { ...process.env, NODE_ENV: process.env['NODE_ENV'] || 'development' };
const production = env['NODE_ENV'] === 'production';
const folder = resolve(options.data);
const records = recordsIn(folder);
const project = resolve(options.project);

const say = (/** @type {string} */ line) => console.log(line);

/**
 * @param {Command} command
 * @returns {Promise<void>}
 */
async function provideServices({ signal, atEnd }) {
  const missing = { postgres: !env['DATABASE_URL'], redis: !env['REDIS_URL'] };
  if (production && missing.postgres) throw new Error('NODE_ENV=production: set DATABASE_URL, nothing is provided');
  if (production || !(missing.postgres || missing.redis)) return;

  atEnd(await takeLock(folder, launcher()));
  const leftovers = await stopLeftovers(records);
  if (leftovers.length) say(`stopped what an earlier start left running: ${leftovers.join(', ')}`);
  const providing = { folder, cache: resolve(options.cache), say, signal };
  const starting = [missing.postgres && providePostgres(providing), missing.redis && provideRedis(providing)];
  const results = await Promise.allSettled(starting);
  for (const result of results) if (result.status === 'fulfilled' && result.value) use(result.value, atEnd);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

/**
 * @param {Provided} service
 * @param {Command['atEnd']} atEnd
 */
function use({ name, variable, url, exited, stop }, atEnd) {
  env[variable] = url;
  let expected = false;
  void exited.then(() => expected || say(`${name} has ended unexpectedly, see its log in ${folder}`));
  atEnd(() => {
    expected = true;
    return stop();
  });
}

const token = () => (production ? '' : ` admin_token=${env['ADMIN_TOKEN']}`);

/**
 * @param {AbortSignal} signal
 * @returns {Promise<number>} the exit code
 */
const startApp = (signal) =>
  runApp({
    entry: options.app ?? join(project, 'dist', 'src', 'main.js'),
    flags: [
      ...nodeFlags,
      ...(options.watch ? ['--enable-source-maps'] : []),
      ...(options.inspect ? [`--inspect=${options.inspect}`] : []),
    ],
    env,
    records,
    signal,
    onReady: (url) => say(`ready url=${url}${token()}`),
  });

const name = options.watch ? `npm run start:${options.inspect ? 'debug' : 'dev'}` : 'npm start';
await runCommand(name, async (command) => {
  const { signal } = command;
  if (!options.watch && !options.app) await buildIfNeeded(project, { say, signal });
  signal.throwIfAborted();
  await provideServices(command);
  signal.throwIfAborted();
  // After the services: their lock keeps a second start from building into the folder that the first one runs from.
  const build = options.watch && (await watchBuild(project, command));
  if (!production) env['ADMIN_TOKEN'] ||= randomBytes(24).toString('base64url');
  const migrate = [join(project, 'dist', 'src', 'migrate.js'), ...(production ? [] : ['--seed'])];
  if (!options.app) await run(process.execPath, migrate, { env, signal, show: true });
  signal.throwIfAborted();
  return build ? restartOnBuild(build, { signal, say, start: startApp }) : startApp(signal);
});
