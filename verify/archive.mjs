// @ts-check
import { copyFileSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';

/** @typedef {import('./checker/history.mjs').History} History */

const lists = /** @type {const} */ ([
  ...['seeds', 'writes', 'reads', 'faults', 'committed', 'left', 'losses', 'refusals'],
]);

/** One line for what is said once, then one per event: an editor can read it. @param {string} file @param {History} history */
export function keepHistory(file, history) {
  const { policy, settings } = history;
  const events = lists.flatMap((list) => (history[list] ?? []).map((event) => JSON.stringify([list, event])));
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, gzipSync(`${[JSON.stringify({ policy, settings }), ...events].join('\n')}\n`));
}

/** @param {string} file @returns {History} */
export function readHistory(file) {
  const bytes = readFileSync(file);
  const text = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  const [head = '{}', ...lines] = text.trim().split('\n');
  const history = { ...JSON.parse(head), seeds: [], writes: [], reads: [], faults: [], left: [] };
  for (const line of lines) {
    const [list, event] = JSON.parse(line);
    (history[list] ??= []).push(event);
  }
  return history;
}

/** @param {string} folder of the run @param {string} target */
export function keepLogs(folder, target) {
  mkdirSync(target, { recursive: true });
  for (const name of readdirSync(folder))
    if (name.endsWith('.log')) copyFileSync(join(folder, name), join(target, name));
}
