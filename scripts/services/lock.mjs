// @ts-check
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { commandOf, end, identify, isRunning, parentOf } from './process.mjs';

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
 * @returns {Promise<() => void>} releases it
 */
export async function takeLock(folder) {
  mkdirSync(folder, { recursive: true });
  const lock = join(folder, 'lock');
  const draft = join(folder, `lock.${process.pid}`);
  const mine = JSON.stringify({ ...identify(process.pid), since: new Date().toISOString(), launcher: launcher() });
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
 * The npm that runs us, if any: when it is gone, nobody wants us any more.
 * @returns {ProcessIdentity | undefined}
 */
function launcher() {
  if (!process.env['npm_lifecycle_event']) return undefined;
  let pid = process.ppid;
  // npm runs scripts through a shell, which may or may not have replaced itself.
  for (let depth = 0; depth < 3 && pid > 1; depth++) {
    if (/\b(npm|yarn|pnpm)\b/.test(commandOf(pid))) return identify(pid);
    pid = parentOf(pid) ?? 0;
  }
  return undefined;
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
