// @ts-check
import { createHash } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout. */
export const ROOT = realpathSync(join(dirname(fileURLToPath(import.meta.url)), '..', '..'));

/** What the services keep between two starts. */
export const DATA = join(ROOT, '.data');

/** What was downloaded. */
export const CACHE = join(ROOT, '.cache');

/**
 * A folder outside the checkout, for what a user who cannot enter the checkout must reach. Everybody may write to its
 * parent, so a folder of that name which somebody else made is refused.
 * @param {string} [parent]
 * @returns {string}
 */
export function systemFolder(parent = '/var/tmp') {
  const folder = join(parent, `strata-${createHash('sha256').update(ROOT).digest('hex').slice(0, 12)}`);
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const found = lstatSync(folder);
  if (!found.isDirectory() || found.uid !== process.getuid?.() || (found.mode & 0o022) !== 0) {
    throw new Error(`${folder} belongs to somebody else: remove it`);
  }
  chmodSync(folder, 0o755);
  return folder;
}
