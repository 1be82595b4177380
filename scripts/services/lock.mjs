// @ts-check
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { end, identify, isRunning } from './process.mjs';

/** @typedef {import('./process.mjs').ProcessIdentity} ProcessIdentity */
/** @typedef {ProcessIdentity & { since: string, launcher?: ProcessIdentity | undefined }} LockHolder */

/** How long a starter whose npm was killed may take to stop its application and services. */
const GRACE_MS = 30_000;

/** Another start of the same clone is running. */
export class AlreadyStartedError extends Error {
  /** @param {LockHolder} holder */
  constructor({ pid, since }) {
    super(
      `this clone is already started: process ${pid}, since ${since}. Stop it with Ctrl-C there or \`kill ${pid}\`. ` +
        'For more nodes, give each DATABASE_URL, REDIS_URL and its own PORT.',
    );
    this.name = 'AlreadyStartedError';
  }
}

/**
 * Makes us the only one to use a folder. A lock whose holder is gone is taken over.
 * @param {string} folder
 * @param {ProcessIdentity | undefined} launcher without whom we are a leftover
 * @returns {Promise<() => void>} releases it
 */
export async function takeLock(folder, launcher) {
  mkdirSync(folder, { recursive: true });
  const lock = join(folder, 'lock');
  const draft = join(folder, `lock.${process.pid}`);
  const mine = JSON.stringify({ ...identify(process.pid), since: new Date().toISOString(), launcher });
  writeFileSync(draft, mine);
  try {
    while (!link(draft, lock)) await clearStale(lock, draft);
  } finally {
    rmSync(draft, { force: true });
  }
  return () => {
    if (read(lock) === mine) rmSync(lock, { force: true });
  };
}

/**
 * @param {string} lock
 * @param {string} draft
 */
async function clearStale(lock, draft) {
  const seen = read(lock);
  const holder = parse(seen);
  if (holder && isRunning(holder)) {
    // Its npm was killed with SIGKILL, which nobody can pass on: what it left running is a leftover like any other.
    if (!holder.launcher || isRunning(holder.launcher)) throw new AlreadyStartedError(holder);
    await end(holder, 'SIGTERM', GRACE_MS);
  }
  const aside = `${draft}.stale`;
  try {
    renameSync(lock, aside);
  } catch {
    return;
  }
  // Somebody else was faster and this is already their lock: give it back.
  if (read(aside) !== seen) link(aside, lock);
  rmSync(aside, { force: true });
}

/**
 * Links are atomic: the file appears under the new name complete, or the name was taken.
 * @param {string} from
 * @param {string} to
 * @returns {boolean}
 */
function link(from, to) {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EEXIST') return false;
    throw error;
  }
}

/**
 * @param {string} file
 * @returns {string}
 */
function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/**
 * @param {string} text
 * @returns {LockHolder | undefined}
 */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
