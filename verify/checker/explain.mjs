// @ts-check
import { cutOffMs } from './history.mjs';

/** @typedef {import('./history.mjs').History} History */
/** @typedef {import('./history.mjs').Key} Key */
/** @typedef {import('./history.mjs').Read} Read */
/** @typedef {import('./history.mjs').Write} Write */
/** @typedef {import('./verdict.mjs').Breach} Breach */
/** @typedef {{ atMs: number, text: string }} Event */

const mostEvents = 40;
const readsBefore = 5;

/**
 * The few events around a breach: the writes, the faults in force, the reads before, and the one that should not be.
 * @param {History} history
 * @param {Breach} breach
 * @returns {string[]}
 */
export function explain(history, { what, count, example }) {
  const head = `${what}: ${count}, for example`;
  if (!example) return [head];
  if ('place' in example) {
    const { node, key, place, version, expected } = example;
    const last = history.writes.filter((write) => write.key === key).slice(-readsBefore);
    return [
      `${head} node ${node} keeps version ${version} of row ${key} in ${place}, the database has ${expected}`,
      ...timeline(last.map(ofWrite), last.at(-1)?.completedMs ?? 0),
    ];
  }
  if ('what' in example) {
    const { node, what: refused, status, invokedMs, completedMs } = example;
    const near = history.faults.filter(
      ({ fromMs, untilMs }) => fromMs <= completedMs + 500 && untilMs >= invokedMs - 2_000,
    );
    return [`${head} ${refused} by node ${node}: ${status}`, ...timeline(near.flatMap(ofFault), invokedMs)];
  }
  const read = 'read' in example ? example.read : undefined;
  const write = 'write' in example ? example.write : 'name' in example ? example : undefined;
  const key = example.key;
  const atMs = read?.invokedMs ?? (write && 'invokedMs' in write ? write.invokedMs : 0);
  const until = read?.completedMs ?? atMs;
  const version = example.version;
  const since = Math.min(atMs - cutOffMs(history.settings), lastShown(history, key, version, atMs)) - 50;
  const events = [
    ...history.writes
      .filter((other) => other.key === key && other.completedMs >= since && other.invokedMs <= until)
      .map(ofWrite),
    ...history.faults.filter(({ fromMs, untilMs }) => fromMs <= until && untilMs >= since - 2_000).flatMap(ofFault),
    ...telling(history, key, version, since, until, read),
  ];
  const why =
    'why' in example ? `: ${example.why}` : 'lateMs' in example ? `: late by ${example.lateMs.toFixed(1)} ms` : '';
  const kind = 'kind' in example ? ` (${example.kind}) ${example.name}` : '';
  return [`${head} row ${key}, version ${version ?? 'none'}${kind}${why}`, ...timeline(events, atMs)];
}

/** @param {History} history @param {Key} key @param {number | undefined} version @param {number} beforeMs */
function lastShown({ writes }, key, version, beforeMs) {
  const newer = writes.filter(
    (write) => write.key === key && (write.version ?? 0) > (version ?? 0) && write.completedMs < beforeMs,
  );
  return newer.reduce((first, { invokedMs }) => Math.min(first, invokedMs), beforeMs);
}

/**
 * Of the reads of the row: the first of each version, the last ones before the offender, and the offender.
 * @param {History} history
 * @param {Key} key
 * @param {number | undefined} version
 * @param {number} since
 * @param {number} until
 * @param {Read | undefined} offender
 * @returns {Event[]}
 */
function telling({ reads }, key, version, since, until, offender) {
  const near = reads
    .filter((read) => read !== offender && read.completedMs >= since && read.completedMs <= until)
    .flatMap((read) => read.rows.filter(([of]) => of === key).map((row) => ({ read, version: row[1] })));
  const firsts = new Map();
  for (const found of near)
    if (found.version >= (version ?? 0) && !firsts.has(found.version)) firsts.set(found.version, found);
  const chosen = new Set([...firsts.values(), ...near.slice(-readsBefore)]);
  const events = [...chosen].map(({ read, version: shown }) => ofRead(read, shown));
  return offender ? [...events, ofRead(offender, version, '  <== this one')] : events;
}

/** @param {Read} read @param {number | undefined} version @param {string} [mark] @returns {Event} */
function ofRead({ node, invokedMs, completedMs, cacheStatus, category, via: by }, version, mark = '') {
  const via = `${by ? `${by} ` : ''}${category === undefined ? 'read' : `list ${category}`}`;
  const tookMs = (completedMs - invokedMs).toFixed(1);
  return {
    atMs: invokedMs,
    text: `node ${node} ${via} -> version ${version ?? 'none'} in ${tookMs} ms [${cacheStatus}]${mark}`,
  };
}

/** @param {Write} write @returns {Event} */
function ofWrite({ source, node, kind = 'write', name, outcome, version, category, invokedMs, completedMs, status }) {
  const who = source === 'sql' ? 'sql ' : `node ${node} `;
  const what = version === undefined ? `${outcome}${status ? ` (${status})` : ''}` : `ok, version ${version}`;
  return {
    atMs: invokedMs,
    text: `${who}${kind} ${name} in ${category} -> ${what} after ${(completedMs - invokedMs).toFixed(1)} ms`,
  };
}

/** @param {import('./history.mjs').Fault} fault @returns {Event[]} */
function ofFault({ name, node, fromMs, untilMs, detail = '' }) {
  const text = `${name}${node === undefined ? '' : ` of node ${node}`}${detail && ` (${detail})`}`;
  return [
    { atMs: fromMs, text: `FAULT ${text}` },
    { atMs: untilMs, text: `healed: ${text}` },
  ];
}

/** @param {Event[]} events @param {number} zeroMs */
function timeline(events, zeroMs) {
  const sorted = events.sort((a, b) => a.atMs - b.atMs).slice(-mostEvents);
  return sorted.map(({ atMs, text }) => `  ${(atMs - zeroMs).toFixed(1).padStart(10)} ms  ${text}`);
}
