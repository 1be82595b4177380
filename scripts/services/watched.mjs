// @ts-check
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
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
 * Runs downloading commands one after the other. As long as bytes arrive, or the command computes, they may take their
 * time; once nothing has happened for `stalledMs`, counted over all of them, the running one is stopped and no other
 * starts.
 * @param {Watch} watch
 * @returns {(command: string, args: string[], cwd: string) => Promise<string | undefined>} the output, undefined when it failed
 */
export function runWatched({ folder, stalledMs, signal, env }) {
  let most = sizeOf(folder);
  let computed = 0;
  let stalledAt = performance.now() + stalledMs;
  /** @param {number} [pid] */
  const stalled = (pid) => {
    const size = sizeOf(folder);
    const ticks = pid === undefined ? computed : ticksOf(pid);
    if (size > most || ticks > computed) stalledAt = performance.now() + stalledMs;
    most = Math.max(most, size);
    computed = ticks;
    return performance.now() >= stalledAt;
  };

  return (command, args, cwd) => {
    signal?.throwIfAborted();
    if (stalled()) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'ignore'] });
      const stop = () => child.kill('SIGKILL');
      computed = 0;
      const timer = setInterval(() => stalled(child.pid) && stop(), LOOK_EVERY_MS);
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

/**
 * @param {number} pid
 * @returns {number} clock ticks that the process has computed for so far; 0 where Linux's /proc is not there to ask
 */
function ticksOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return Number(fields[11]) + Number(fields[12]);
  } catch {
    return 0;
  }
}
