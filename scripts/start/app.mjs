// @ts-check
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { identify } from '../services/process.mjs';
import { remember } from '../services/records.mjs';

/**
 * @typedef {object} AppOptions
 * @property {string} entry
 * @property {string[]} flags for Node
 * @property {NodeJS.ProcessEnv} env
 * @property {string} records the folder to note the process in
 * @property {AbortSignal} signal its reason is the signal to hand on
 * @property {(url: string) => void} onReady
 */

/** Beyond what the application itself allows for draining. */
const SPARE_MS = 8000;

/**
 * Runs the application until it ends.
 * @param {AppOptions} options
 * @returns {Promise<number>} its exit code
 */
export async function runApp({ entry, flags, env, records, signal, onReady }) {
  // In a process group of its own: Ctrl-C reaches it once, from us, also where npm and the terminal send it to everybody.
  const child = spawn(process.execPath, [...flags, entry], {
    env,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    detached: true,
  });
  const identity = identify(child.pid ?? 0);
  const forget = identity && remember(records, { ...identity, name: 'app', signal: 'SIGTERM' });
  child.on('message', (message) => {
    const { type, url } = /** @type {{ type?: string, url?: string }} */ (message);
    if (type === 'ready' && url) onReady(url);
  });

  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const drain = () => {
    child.kill(signal.reason instanceof Error ? 'SIGTERM' : signal.reason);
    const allowedMs = Number(env['DRAIN_DELAY_MS'] ?? 0) + Number(env['DRAIN_TIMEOUT_MS'] ?? 10_000);
    timer = setTimeout(() => child.kill('SIGKILL'), (allowedMs || 10_000) + SPARE_MS);
  };
  if (signal.aborted) drain();
  signal.addEventListener('abort', drain);
  const [code, killedBy] = await once(child, 'exit');
  clearTimeout(timer);
  signal.removeEventListener('abort', drain);
  forget?.();
  return code ?? 128 + constants.signals[/** @type {NodeJS.Signals} */ (killedBy)];
}
