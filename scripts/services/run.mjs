// @ts-check
import { spawn } from 'node:child_process';

/**
 * @typedef {object} RunOptions
 * @property {AbortSignal | undefined} signal ends it
 * @property {string} [cwd]
 * @property {NodeJS.ProcessEnv} [env]
 * @property {boolean} [show] whether its output is for the user; otherwise it is kept for the error
 * @property {{ uid: number, gid: number } | undefined} [account] run as this user
 */

/**
 * Runs a command and all it starts (npm starts shells, which start others) to the end, and throws if it fails. When the
 * signal says so they are all ended, and gone when this throws.
 * @param {string} command
 * @param {string[]} args
 * @param {RunOptions} options
 * @returns {Promise<void>}
 */
export async function run(command, args, { signal, cwd, env, show = false, account }) {
  signal?.throwIfAborted();
  const stdio = show ? 'inherit' : 'pipe';
  // A process group of its own can be ended as a whole.
  const child = spawn(command, args, {
    detached: true,
    stdio: ['ignore', stdio, stdio],
    ...account,
    ...(cwd && { cwd }),
    ...(env && { env }),
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += chunk));
  const stop = () => {
    try {
      if (child.pid) process.kill(-child.pid, 'SIGTERM');
    } catch {
      // It has just ended by itself.
    }
  };
  signal?.addEventListener('abort', stop);
  const outcome = await new Promise((resolve) => {
    child.once('error', ({ message }) => resolve(message));
    child.once('close', (code, killedBy) => resolve(killedBy ?? code));
  });
  signal?.removeEventListener('abort', stop);
  signal?.throwIfAborted();
  if (outcome !== 0) throw new Error(`\`${[command, ...args].join(' ')}\` failed (${outcome})\n${output}`.trim());
}
