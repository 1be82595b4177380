// @ts-check
import { spawn } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/**
 * @typedef {object} Watch
 * @property {string} folder where downloads arrive
 * @property {number} stalledMs
 * @property {AbortSignal | undefined} signal
 * @property {NodeJS.ProcessEnv} env
 */

const LOOK_EVERY_MS = 200;

/**
 * Runs downloading commands one after the other. As long as bytes arrive they may take their time; once nothing has
 * arrived for `stalledMs`, counted over all of them, the running one is stopped and no other starts.
 * @param {Watch} watch
 * @returns {(command: string, args: string[], cwd: string) => Promise<string | undefined>} the output, undefined when it failed
 */
export function runWatched({ folder, stalledMs, signal, env }) {
  let most = sizeOf(folder);
  let stalledAt = performance.now() + stalledMs;
  const stalled = () => {
    const size = sizeOf(folder);
    if (size > most) stalledAt = performance.now() + stalledMs;
    most = Math.max(most, size);
    return performance.now() >= stalledAt;
  };

  return (command, args, cwd) => {
    signal?.throwIfAborted();
    if (stalled()) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'ignore'] });
      const stop = () => child.kill('SIGKILL');
      const timer = setInterval(() => stalled() && stop(), LOOK_EVERY_MS);
      signal?.addEventListener('abort', stop);
      let output = '';
      child.stdout.on('data', (chunk) => (output += chunk));
      child.once('error', () => undefined);
      child.once('close', (code) => {
        clearInterval(timer);
        signal?.removeEventListener('abort', stop);
        if (signal?.aborted) reject(signal.reason);
        else resolve(code === 0 ? output : undefined);
      });
    });
  };
}

/**
 * @param {string} folder
 * @returns {number} bytes below it
 */
function sizeOf(folder) {
  try {
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
    return files.reduce((sum, file) => sum + (statSync(join(folder, file), { throwIfNoEntry: false })?.size ?? 0), 0);
  } catch {
    return 0;
  }
}
