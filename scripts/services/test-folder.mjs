// @ts-check
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
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
    await stopLeftovers(recordsIn(join(parent, name)));
    rmSync(join(parent, name), { recursive: true, force: true });
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
