// @ts-check
import { setTimeout as sleep } from 'node:timers/promises';
import { AlreadyStartedError, takeLock } from '../services/lock.mjs';
import { findDatabase, providePostgres } from '../services/provide.mjs';
import { recordsIn, stopLeftovers } from '../services/records.mjs';
import { launcher } from '../start/launcher.mjs';

/** How long a start of this clone may take to bring its PostgreSQL up. */
const STARTING_MS = 30_000;
const LOOK_EVERY_MS = 200;

/**
 * The database of this clone. Uses the PostgreSQL of a running `npm start`; where none runs, starts it for as long as the
 * command takes.
 * @param {string} folder keeps the data
 * @param {import('../start/command.mjs').Command & { say: (line: string) => void }} command
 * @returns {Promise<string>} its URL
 */
export async function openDatabase(folder, { say, signal, atEnd }) {
  const running = await lockOrFind(folder, { signal, atEnd });
  if (running) return running;
  await stopLeftovers(recordsIn(folder));
  const { url, stop } = await providePostgres({ folder, cache: '', say, signal });
  atEnd(stop);
  return url;
}

/**
 * @param {string} folder
 * @param {import('../start/command.mjs').Command} command
 * @returns {Promise<string | undefined>} undefined when the lock is ours
 */
async function lockOrFind(folder, { signal, atEnd }) {
  const giveUpAt = performance.now() + STARTING_MS;
  for (;;) {
    signal.throwIfAborted();
    try {
      atEnd(await takeLock(folder, launcher()));
      return undefined;
    } catch (error) {
      if (!(error instanceof AlreadyStartedError)) throw error;
      const url = await findDatabase(folder);
      if (url) return url;
      if (performance.now() > giveUpAt) throw error;
    }
    await sleep(LOOK_EVERY_MS);
  }
}
