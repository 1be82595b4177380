// @ts-check
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { table, withParts } from '../scripts/docs/parts.mjs';
import { grouped, summaryOfMutants } from './report.mjs';

/** @typedef {import('./tasks.mjs').Explored} Explored */
/** @typedef {import('./tasks.mjs').Hunted} Hunted */
/** @typedef {{ readonly configurations: readonly Explored[], readonly mutants: readonly Hunted[] }} Results */

/** Column heads; the letters are explained in `configurations.mjs`. */
const properties = {
  R: 'after an acknowledged write, nothing older',
  A: 'never new, then old',
  E: 'nothing old is left for ever',
  S: 'L1 is at most a lease old',
  P: 'nothing that was never committed',
  H: 'nothing that PostgreSQL has lost',
};
const letters = /** @type {(keyof typeof properties)[]} */ (Object.keys(properties));

/**
 * Policy by property: whether it holds, and if not always, under which faults it does not.
 * @param {Results} results
 */
export function guaranteeTable({ configurations, mutants }) {
  const promised = configurations.filter((one) => one.promised);
  const policies = [...new Set(promised.map(({ policy }) => policy))];
  const rows = policies.map((policy) => {
    const own = promised.filter((one) => one.policy === policy);
    return [`\`${policy}\``.replace(/`strict, (.*)`/, '`strict`, $1'), ...letters.map((letter) => cell(own, letter))];
  });
  const states = configurations.reduce((sum, one) => sum + one.states, 0);
  const [caught = ''] = summaryOfMutants(mutants);
  return [
    table(['Policy', ...Object.values(properties)], rows),
    '',
    `Explored exhaustively: ${configurations.length} configurations, ${grouped(states)} states; ${caught}.`,
  ].join('\n');
}

/** What is outside of every promise, and what is lost then. @param {Results} results */
export function beyondTable({ configurations }) {
  const beyond = configurations.filter((one) => !one.promised);
  return table(
    ['What happens', 'What no longer holds'],
    beyond.map(({ name, broken }) => [name, lost(broken)]),
  );
}

/** The guards that nothing misses, with the evidence. @param {Results} results */
export function depthTable({ mutants }) {
  return table(
    ['Guard', 'Why nothing breaks without it', 'States, all of them'],
    mutants.flatMap(({ guard, depth, states }) => (depth === '' ? [] : [[guard, depth, grouped(states)]])),
  );
}

/** @param {Results} results @returns {Readonly<Record<string, string>>} the parts of model/README.md by name */
export const modelParts = (results) => ({ beyond: beyondTable(results), depth: depthTable(results) });

/** @param {readonly Explored[]} own @param {string} letter */
function cell(own, letter) {
  const looked = own.filter(({ checks }) => checks.includes(letter));
  if (looked.length === 0) return '–';
  const broken = looked.filter((one) => one.broken.includes(letter));
  if (broken.length === 0) return 'yes';
  if (broken.some(({ fault }) => fault === '')) return 'no';
  return `not after: ${[...new Set(broken.map(({ fault }) => fault))].join(', ')}`;
}

/** @param {string} broken */
const lost = (broken) =>
  letters.flatMap((letter) => (broken.includes(letter) ? [properties[letter]] : [])).join('; ') || 'everything holds';

/** @param {string} text @param {string} part @returns {string} the text with the table between its markers */
export const withTable = (text, part) => withParts(text, { model: part });

/** @returns {Results} of the last full run */
export const readResults = () => JSON.parse(readFileSync(new URL('results.json', import.meta.url), 'utf8'));

// `node model/table.mjs` prints the table; `node model/table.mjs docs/guarantees.md` puts it between the markers there.
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const part = guaranteeTable(readResults());
  const [, , file] = process.argv;
  if (file) writeFileSync(file, withTable(readFileSync(file, 'utf8'), part));
  else process.stdout.write(`${part}\n`);
}
