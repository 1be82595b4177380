// @ts-check
import { execFileSync, spawnSync } from 'node:child_process';

/** @typedef {{ uid: number, gid: number }} Account */

/**
 * The user that PostgreSQL runs as when root starts us, since it refuses to run as root. Undefined: run as ourselves.
 * Both names are looked up only; nothing is added to the system.
 * @returns {Account | undefined}
 */
export function serviceAccount() {
  if (process.getuid?.() !== 0) return undefined;
  const found = lookUp('postgres') ?? lookUp('nobody');
  if (!found)
    throw new Error('PostgreSQL cannot run as root, and there is no user `postgres` or `nobody` to run it as');
  return found;
}

/**
 * Whether the account may enter a folder (every folder above it counts too).
 * @param {string} folder
 * @param {Account | undefined} account
 * @returns {boolean}
 */
export const canEnter = (folder, account) =>
  spawnSync('/bin/sh', ['-c', 'cd -- "$1"', 'sh', folder], { cwd: '/', stdio: 'ignore', ...account }).status === 0;

/**
 * @param {string} name
 * @returns {Account | undefined}
 */
function lookUp(name) {
  try {
    const [uid, gid] = ['-u', '-g'].map((flag) =>
      Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })),
    );
    return uid && gid ? { uid, gid } : undefined;
  } catch {
    return undefined;
  }
}
