// @ts-check
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { end, isRunning } from './process.mjs';

/** @typedef {import('./process.mjs').ProcessIdentity} ProcessIdentity */
/** @typedef {ProcessIdentity & { name: string, signal: NodeJS.Signals }} ProcessRecord */

/** How long a leftover may take to end politely. */
const GRACE_MS = 15_000;

/**
 * @param {string} folder
 * @returns {string} where the processes that use the folder are noted
 */
export const recordsIn = (folder) => join(folder, 'running');

/**
 * Notes a running process in a folder, one file each, for whoever comes after a kill -9.
 * @param {string} folder
 * @param {ProcessRecord} record `signal` ends it politely
 * @returns {() => void} forgets it
 */
export function remember(folder, record) {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${record.name}-${record.pid}.json`);
  writeFileSync(file, JSON.stringify(record));
  return () => rmSync(file, { force: true });
}

/**
 * Notes a process on a leash until it has ended.
 * @param {string} folder
 * @param {{ name: string, signal: NodeJS.Signals }} record
 * @param {import('./leash.mjs').Leashed} leashed
 */
export function rememberLeashed(folder, record, { identity, exited }) {
  const forget = remember(folder, { ...identity, ...record });
  void exited.then(() => isRunning(identity) || forget());
}

/**
 * Stops what an earlier run noted in the folder and left running, the application before its services.
 * @param {string} folder
 * @returns {Promise<string[]>} what was stopped, as `name (pid n)`
 */
export async function stopLeftovers(folder) {
  const records = read(folder).filter(isRunning);
  const app = records.filter(({ name }) => name === 'app');
  const services = records.filter(({ name }) => name !== 'app');
  for (const group of [app, services]) await Promise.all(group.map((record) => end(record, record.signal, GRACE_MS)));
  rmSync(folder, { recursive: true, force: true });
  return records.map(({ name, pid }) => `${name} (pid ${pid})`);
}

/**
 * @param {string} folder
 * @returns {ProcessRecord[]}
 */
function read(folder) {
  try {
    return readdirSync(folder).flatMap((file) => parse(readFileSync(join(folder, file), 'utf8')));
  } catch {
    return [];
  }
}

/**
 * @param {string} text
 * @returns {ProcessRecord[]} none when the file was cut short
 */
function parse(text) {
  try {
    return [JSON.parse(text)];
  } catch {
    return [];
  }
}
