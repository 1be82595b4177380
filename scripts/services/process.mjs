// @ts-check
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * One particular process: its pid and when it started, so that a pid which the
 * system has given to another process since is never mistaken for it.
 * @typedef {{ pid: number, started: string }} ProcessIdentity
 */

/** @typedef {{ parent: number, state: string, started: string }} ProcessStatus */

/**
 * @param {number} pid
 * @returns {ProcessStatus | undefined}
 */
function readProc(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command in parentheses may itself hold blanks and parentheses; proc(5) counts fields from its end.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0] ?? '', parent: Number(fields[1]), started: fields[19] ?? '' };
  } catch {
    return undefined;
  }
}

/**
 * @param {string[]} args
 * @returns {string}
 */
function ps(args) {
  try {
    return execFileSync('ps', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], env: { LC_ALL: 'C' } });
  } catch {
    return '';
  }
}

/**
 * @param {number} pid
 * @returns {ProcessStatus | undefined}
 */
function status(pid) {
  if (process.platform === 'linux') return readProc(pid);
  const match = /^\s*(\d+)\s+(\S+)\s+(.+?)\s*$/.exec(ps(['-o', 'ppid=,state=,lstart=', '-p', String(pid)]));
  return match ? { parent: Number(match[1]), state: match[2] ?? '', started: match[3] ?? '' } : undefined;
}

/**
 * The process now behind a pid; undefined when there is none (a zombie is none).
 * @param {number} pid
 * @returns {ProcessIdentity | undefined}
 */
export function identify(pid) {
  const found = status(pid);
  return found && !/^[ZX]/.test(found.state) ? { pid, started: found.started } : undefined;
}

/**
 * @param {ProcessIdentity} identity
 * @returns {boolean}
 */
export const isRunning = (identity) => identify(identity.pid)?.started === identity.started;

/**
 * @param {number} pid
 * @returns {number | undefined}
 */
export const parentOf = (pid) => status(pid)?.parent;

/**
 * @param {number} pid
 * @returns {string} its command line, empty when it cannot be read
 */
export function commandOf(pid) {
  if (process.platform !== 'linux') return ps(['-o', 'command=', '-p', String(pid)]).trim();
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return '';
  }
}

/**
 * @param {number} pid
 * @returns {number[]} the pids of its direct children
 */
export function childrenOf(pid) {
  if (process.platform === 'linux') {
    const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    return pids.map(Number).filter((child) => readProc(child)?.parent === pid);
  }
  const rows = ps(['-axo', 'pid=,ppid=']).trim().split('\n');
  return rows
    .map((row) => row.trim().split(/\s+/).map(Number))
    .flatMap(([child, of]) => (of === pid && child ? [child] : []));
}

/**
 * Sends a signal unless the process has ended.
 * @param {ProcessIdentity} identity
 * @param {NodeJS.Signals} signal
 * @returns {boolean} whether it was sent
 */
export function signalTo(identity, signal) {
  if (!isRunning(identity)) return false;
  try {
    return process.kill(identity.pid, signal);
  } catch {
    return false;
  }
}

/**
 * Ends a process that is not our child: a polite signal, and SIGKILL after `graceMs`.
 * @param {ProcessIdentity} identity
 * @param {NodeJS.Signals} signal
 * @param {number} graceMs
 */
export async function end(identity, signal, graceMs) {
  signalTo(identity, signal);
  signalTo(identity, 'SIGCONT');
  const killAt = performance.now() + graceMs;
  while (isRunning(identity)) {
    if (performance.now() >= killAt) signalTo(identity, 'SIGKILL');
    if (performance.now() >= killAt + 2000) throw new Error(`process ${identity.pid} does not end: stop it by hand`);
    await sleep(20);
  }
}
