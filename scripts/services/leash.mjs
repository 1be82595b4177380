// @ts-check
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { end, identify, isRunning, signalTo } from './process.mjs';

/** @typedef {import('./process.mjs').ProcessIdentity} ProcessIdentity */

/**
 * @typedef {object} LeashOptions
 * @property {NodeJS.Signals} onEnd what the process gets when we end, however we end
 * @property {string} log a file for its output, emptied first
 * @property {string} cwd
 * @property {NodeJS.ProcessEnv} [env]
 * @property {{ uid: number, gid: number } | undefined} [account] run as this user
 */

/**
 * @typedef {object} Leashed
 * @property {ProcessIdentity} identity
 * @property {Promise<void>} exited resolves when it has ended, or only the shell that holds its leash
 * @property {() => boolean} running
 * @property {(pids: number[]) => void} frozen tells the leash which helpers of the process are stopped, to wake them at the end
 * @property {(signals: NodeJS.Signals[], graceMs: number) => Promise<void>} stop each signal in turn, `graceMs` apart
 */

/**
 * The shell between us and the process. It is in its own session, so that Ctrl-C in a terminal does not reach the
 * process, and it holds a pipe from us: the pipe ends when we end (kill -9 too), and the shell then ends the process.
 */
const SCRIPT = `
signal=$1; shift
exec 3<&0
"$@" </dev/null >&2 3<&- & pid=$!
( while read -r line <&3; do frozen=$line; done; kill -$signal $pid; kill -CONT $pid $frozen ) >/dev/null 2>&1 & watch=$!
exec 3<&-
echo $pid; exec >&-
wait $pid; code=$?
kill $watch 2>/dev/null; wait $watch
exit $code`;

/**
 * Starts a process that never outlives us.
 * @param {string} command
 * @param {string[]} args
 * @param {LeashOptions} options
 * @returns {Promise<Leashed>}
 */
export async function leash(command, args, { onEnd, log, cwd, env = process.env, account }) {
  const output = openSync(log, 'w');
  const shell = spawn('/bin/sh', ['-c', SCRIPT, 'leash', onEnd.replace('SIG', ''), command, ...args], {
    detached: true,
    stdio: ['pipe', 'pipe', output],
    cwd,
    env,
    ...account,
  });
  closeSync(output);
  const { stdin, stdout } = shell;
  if (!stdin || !stdout) throw new Error('no pipes');
  let ended = false;
  /** @type {Promise<void>} */
  const exited = new Promise((resolve) => {
    shell.once('close', () => {
      ended = true;
      resolve();
    });
  });
  stdin.on('error', () => undefined);
  const pid = await new Promise((resolve, reject) => {
    shell.once('error', reject);
    stdout.once('data', (chunk) => resolve(Number(String(chunk))));
    void exited.then(() => reject(new Error(`cannot start ${command}, see ${log}`)));
  });
  // It must not keep us alive either: a test file that forgets its Redis still ends.
  for (const handle of [shell, stdin, stdout]) /** @type {{ unref(): void }} */ (handle).unref();

  const identity = identify(pid) ?? { pid, started: '' };
  const running = () => !ended && isRunning(identity);
  return {
    identity,
    exited,
    running,
    frozen: (pids) => void stdin.write(`${pids.join(' ')}\n`),
    async stop(signals, graceMs) {
      shell.ref();
      for (const signal of [...signals, /** @type {const} */ ('SIGKILL')]) {
        if (ended) break;
        signalTo(identity, signal);
        signalTo(identity, 'SIGCONT');
        await Promise.race([exited, patience(graceMs)]);
      }
      // Somebody killed the shell but not the process.
      await end(identity, signals[0] ?? 'SIGKILL', graceMs);
    },
  };
}

/**
 * @param {number} ms
 * @returns {Promise<void>}
 */
const patience = (ms) => new Promise((resolve) => void setTimeout(resolve, ms).unref());
