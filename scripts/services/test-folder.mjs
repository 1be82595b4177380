// @ts-check
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { identify } from './process.mjs';
import { recordsIn, stopLeftovers } from './records.mjs';

/**
 * A folder for one run of the tests, next to those of other runs. What a run that was killed left behind, processes and
 * files, is removed first. The name says whose it is, so that it never exists without an owner.
 * @param {string} parent
 * @returns {Promise<string>}
 */
export async function openTestFolder(parent) {
  mkdirSync(parent, { recursive: true, mode: 0o755 });
  for (const name of readdirSync(parent)) {
    const pid = /^test-(\d+)-/.exec(name)?.[1];
    if (!pid || name === nameFor(Number(pid))) continue;
    await clear(join(parent, name));
  }
  const folder = join(parent, nameFor(process.pid));
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { mode: 0o755 });
  return folder;
}

/**
 * @param {number} pid
 * @returns {string}
 */
const nameFor = (pid) => `test-${pid}-${identify(pid)?.started.replace(/\W+/g, '_')}`;

/**
 * @param {string} abandoned
 */
async function clear(abandoned) {
  // The tests of `npm start` have folders like its own in theirs.
  const below = readdirSync(abandoned, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  for (const folder of [abandoned, ...below.map(({ name }) => join(abandoned, name))]) {
    if (existsSync(recordsIn(folder))) await stopLeftovers(recordsIn(folder));
  }
  rmSync(abandoned, { recursive: true, force: true });
}
