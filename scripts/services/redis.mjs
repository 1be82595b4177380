// @ts-check
import { mkdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { leash } from './leash.mjs';
import { freePort } from './ports.mjs';
import { rememberLeashed } from './records.mjs';
import { environmentOf } from './redis-binary.mjs';

/** @typedef {import('./leash.mjs').Leashed} Leashed */
/** @typedef {import('./redis-binary.mjs').RedisBinary} RedisBinary */

/**
 * @typedef {object} RedisOptions
 * @property {RedisBinary} binary
 * @property {string} folder for its data
 * @property {string} log
 * @property {string} records the folder to note the process in
 * @property {string[]} [args]
 * @property {number | undefined} [port] a free one if not given
 * @property {NodeJS.Signals} [onEnd] SIGTERM saves first, SIGKILL does not
 */

/** @typedef {{ port: number, url: string, process: Leashed, stop: () => Promise<void> }} Redis */

const READY_MS = 30_000;
const STOP_MS = 10_000;
const ATTEMPTS = 5;

/**
 * Starts Redis on 127.0.0.1 only and resolves when it answers.
 * @param {RedisOptions} options
 * @returns {Promise<Redis>}
 */
export async function startRedis({ binary, folder, log, records, args = [], port: wanted, onEnd = 'SIGTERM' }) {
  mkdirSync(folder, { recursive: true });
  for (let attempt = 1; ; attempt++) {
    const port = wanted ?? (await freePort());
    const own = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--daemonize', 'no'];
    const process = await leash(binary.path, [...own, '--maxmemory-policy', 'volatile-lfu', ...args], {
      onEnd,
      log,
      cwd: folder,
      env: environmentOf(binary),
    });
    rememberLeashed(records, { name: 'redis', signal: onEnd }, process);
    if (await answers(process, port)) {
      return { port, process, url: `redis://127.0.0.1:${port}`, stop: () => process.stop([onEnd], STOP_MS) };
    }
    await process.stop([], STOP_MS);
    const problem = readFileSync(log, 'utf8');
    if (!/Address already in use|bind:/.test(problem) || attempt === ATTEMPTS) {
      throw new Error(`Redis does not start: ${problem.trim().slice(-2000)}`);
    }
    await sleep(50);
  }
}

/**
 * @param {Leashed} process
 * @param {number} port
 * @returns {Promise<boolean>}
 */
async function answers(process, port) {
  const giveUpAt = performance.now() + READY_MS;
  while (process.running() && performance.now() < giveUpAt) {
    const answer = await ask(port, 'INFO server\r\n');
    // The pid tells ours from another server that took the port first.
    if (answer.includes(`process_id:${process.identity.pid}\r\n`) || answer.startsWith('-NOAUTH')) return true;
    await sleep(5);
  }
  return false;
}

/**
 * @param {number} port
 * @param {string} command
 * @returns {Promise<string>} the first part of the answer, empty when there is none
 */
export function ask(port, command) {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const finish = (/** @type {string} */ answer) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(1000, () => finish(''));
    socket.once('connect', () => socket.write(command));
    socket.once('data', (data) => finish(String(data)));
    socket.once('error', () => finish(''));
  });
}
