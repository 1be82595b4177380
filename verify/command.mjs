// @ts-check
import { constants } from 'node:os';
import { watchLauncher } from '../scripts/start/launcher.mjs';
import { Undo } from './undo.mjs';

/** What a user typed wrong. */
export class UsageError extends Error {}

/**
 * @typedef {object} Surroundings
 * @property {Undo} undo run when the command ends, however it does
 * @property {AbortSignal} signal aborted by the name of a signal, or when npm is gone
 * @property {(line: string) => void} say to people, on stderr
 */

/**
 * Runs a command that starts servers: to its end, or until it is told to stop; nothing of it is left afterwards. Ends the
 * process: with the code of the work, with 2 where it failed, with 128 + n for a signal.
 * @param {() => string} usage shown to whoever typed something wrong
 * @param {(surroundings: Surroundings) => Promise<number>} work
 */
export async function runCommand(usage, work) {
  const say = (/** @type {string} */ line) => console.error(line);
  const stopping = new globalThis.AbortController();
  const undo = new Undo();
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
    process.on(signal, () => stopping.abort(signal));
  }
  watchLauncher(() => stopping.abort('SIGTERM'));
  try {
    process.exitCode = await work({ undo, signal: stopping.signal, say });
  } catch (error) {
    const { reason } = stopping.signal;
    if (typeof reason === 'string') process.exitCode = 128 + constants.signals[/** @type {NodeJS.Signals} */ (reason)];
    else {
      say(
        error instanceof UsageError
          ? `${error.message}\n\n${usage()}`
          : String((error instanceof Error && error.stack) || error),
      );
      process.exitCode = 2;
    }
  }
  await undo.run();
  // The watch over npm, and sockets that were cut off, would keep it alive.
  process.exit();
}
