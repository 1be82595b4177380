// @ts-check
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from './services/folders.mjs';
import { watchLauncher } from './start/launcher.mjs';
import { nodeFlags } from './start/node-flags.mjs';

/**
 * `npm run start:prod`: the built service with `NODE_ENV=production`, and nothing else. Every signal goes to the service,
 * whose exit code is ours. Where nothing needs npm, start Node as the Dockerfile does: one process less.
 */
const { values } = parseArgs({ options: { app: { type: 'string', default: join(ROOT, 'dist', 'src', 'main.js') } } });

// The service runs in a process group of its own, so that Ctrl-C in a terminal reaches it once. It ends when the channel
// to us breaks.
const service = spawn(process.execPath, [...nodeFlags, values.app], {
  env: { ...process.env, NODE_ENV: 'production' },
  stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  detached: true,
});
service.on('message', (message) => {
  const { type, url } = /** @type {{ type?: string, url?: string }} */ (message);
  if (type === 'ready') console.log(`ready url=${url}`);
});

let signalled = false;
const pass = (/** @type {NodeJS.Signals} */ signal) => {
  signalled = true;
  service.kill(signal);
};
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) process.on(signal, pass);
// A second signal would end the service at once.
watchLauncher(() => signalled || pass('SIGTERM'));

service.once('error', (error) => {
  console.error(error);
  process.exit(1);
});
service.once('exit', (code, killedBy) => {
  process.exit(code ?? 128 + constants.signals[/** @type {NodeJS.Signals} */ (killedBy)]);
});
