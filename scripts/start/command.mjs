// @ts-check
import { constants } from 'node:os';
import { watchLauncher } from './launcher.mjs';

/**
 * @typedef {object} Command
 * @property {AbortSignal} signal aborted when the command has to end; its reason is the signal to pass on, or an error
 * @property {(step: () => unknown) => void} atEnd registers a step of the clean-up; the last one registered runs first
 */

/**
 * Runs a command until it returns its exit code, fails, or gets a signal; then cleans up and ends the process.
 * @param {string} name what the user typed, for error messages
 * @param {(command: Command) => Promise<number>} main
 * @returns {Promise<never>}
 */
export async function runCommand(name, main) {
  const stopping = new globalThis.AbortController();
  const { signal } = stopping;
  /** @type {(() => unknown)[]} */
  const steps = [];

  for (const each of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
    process.on(each, () => stopping.abort(each));
  }
  watchLauncher(() => stopping.abort('SIGTERM'));
  process.on('uncaughtException', (error) => {
    console.error(error);
    stopping.abort(error);
  });

  try {
    const code = await main({ signal, atEnd: (step) => void steps.push(step) });
    process.exitCode = signal.reason instanceof Error ? 1 : code;
  } catch (error) {
    if (signal.aborted && !(signal.reason instanceof Error)) {
      process.exitCode = 128 + constants.signals[/** @type {NodeJS.Signals} */ (signal.reason)];
    } else {
      console.error(error instanceof Error && !process.env['DEBUG'] ? `${name}: ${error.message}` : error);
      process.exitCode = 1;
    }
  }
  for (const step of steps.reverse()) {
    await Promise.resolve()
      .then(step)
      .catch((error) => console.error(error));
  }
  // Whatever else is still open, nothing of ours is left.
  process.exit();
}
