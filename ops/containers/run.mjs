// @ts-check
import { spawn } from 'node:child_process';

/** Ends everything that still runs: set when the time is up or somebody interrupts. */
export const stopping = new AbortController();

/**
 * @typedef {object} RunOptions
 * @property {string} [cwd]
 * @property {NodeJS.ProcessEnv} [env] the whole environment of the child
 * @property {boolean} [always] run although everything else is being ended: for cleaning up
 * @property {number} [timeoutMs]
 */

/**
 * Runs a command to its end.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {RunOptions} [options]
 * @returns {Promise<string>} what it printed on its standard output
 * @throws with the end of its output when it fails
 */
export async function run(command, args, { cwd, env = process.env, always = false, timeoutMs = 600_000 } = {}) {
  const signal = always ? undefined : stopping.signal;
  signal?.throwIfAborted();
  // A group of its own, so that its children end with it.
  const child = spawn(command, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const end = () => endGroup(child.pid);
  let late = false;
  const timer = setTimeout(() => ((late = true), end()), timeoutMs);
  signal?.addEventListener('abort', end);
  let [out, all] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text) => ((out += text), (all += text)));
  child.stderr.setEncoding('utf8').on('data', (text) => (all += text));
  try {
    const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
    signal?.throwIfAborted();
    const how = late ? `was not done within ${timeoutMs / 1000} s` : `ended with ${code}`;
    if (code !== 0) throw new Error(`${[command, ...args].join(' ')} ${how}\n${lastLines(all)}`);
    return out.trim();
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', end);
  }
}

/**
 * Whether a command exists and succeeds.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {RunOptions} [options]
 */
export const works = (command, args, options) =>
  run(command, args, options).then(
    () => true,
    () => false,
  );

/** @param {number | undefined} pid */
export function endGroup(pid) {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGTERM');
  } catch {
    // it has ended
  }
}

/** @param {string} text */
const lastLines = (text) => text.trimEnd().split('\n').slice(-40).join('\n');

/**
 * Asks until the answer is not undefined.
 * @template T
 * @param {() => Promise<T | undefined>} ask
 * @param {{ what: string, timeoutMs: number, everyMs?: number }} options
 * @returns {Promise<T>}
 */
export async function until(ask, { what, timeoutMs, everyMs = 50 }) {
  const giveUpAt = performance.now() + timeoutMs;
  for (;;) {
    stopping.signal.throwIfAborted();
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > giveUpAt) throw new Error(`${what}: not within ${timeoutMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
