// @ts-check
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { grouped, summaryOfMutants } from './report.mjs';

/** @typedef {import('./tasks.mjs').Explored} Explored */
/** @typedef {import('./tasks.mjs').Hunted} Hunted */
/** @typedef {{ readonly configurations: readonly Explored[], readonly mutants: readonly Hunted[] }} Results */

const begin = '<!-- model:begin -->';
const end = '<!-- model:end -->';

/** Column heads; the letters are explained in `configurations.mjs`. */
const properties = {
  R: 'after an acknowledged write, nothing older',
  A: 'never new, then old',
  E: 'nothing old is left for ever',
  S: 'L1 is at most a lease old',
  P: 'nothing that was never committed',
};

/**
 * Policy by property: whether it holds, and if not always, under which faults it does not.
 * @param {Results} results
 */
export function guaranteeTable({ configurations, mutants }) {
  const promised = configurations.filter((one) => one.promised);
  const policies = [...new Set(promised.map(({ policy }) => policy))];
  const rows = policies.map((policy) => {
    const own = promised.filter((one) => one.policy === policy);
    return [
      `\`${policy}\``.replace(/`strict, (.*)`/, '`strict`, $1'),
      ...Object.keys(properties).map((letter) => cell(own, letter)),
    ];
  });
  const beyond = configurations.filter((one) => !one.promised);
  const states = configurations.reduce((sum, one) => sum + one.states, 0);
  const [caught, deep] = summaryOfMutants(mutants);
  return [
    markdown([['policy', ...Object.values(properties)], ...rows]),
    '',
    `Explored exhaustively: ${configurations.length} configurations, ${grouped(states)} states. ${caught}; ${deep}.`,
    'Beyond every promise, here because it should be known what happens then:',
    '',
    ...beyond.map(({ name, broken }) => `- ${name}: ${lost(broken)}`),
  ].join('\n');
}

/** @param {readonly Explored[]} own @param {string} letter */
function cell(own, letter) {
  const looked = own.filter(({ checks }) => checks.includes(letter));
  if (looked.length === 0) return '';
  const broken = looked.filter((one) => one.broken.includes(letter));
  if (broken.length === 0) return 'yes';
  if (broken.some(({ fault }) => fault === '')) return 'no';
  return `not after: ${[...new Set(broken.map(({ fault }) => fault))].join(', ')}`;
}

/** @param {string} broken */
const lost = (broken) =>
  broken === ''
    ? 'nothing is lost'
    : `lost: ${[...broken].map((letter) => properties[/** @type {keyof typeof properties} */ (letter)]).join('; ')}`;

/** @param {readonly (readonly string[])[]} rows */
function markdown([head = [], ...rows]) {
  const line = (/** @type {readonly string[]} */ cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** @param {string} text @param {string} table @returns {string} the text with the table between its markers */
export function withTable(text, table) {
  const [before, rest] = text.split(begin);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) throw new Error(`${begin} and ${end} are missing`);
  return `${before}${begin}\n\n${table}\n\n${end}${after}`;
}

/** @returns {Results} of the last full run */
export const readResults = () => JSON.parse(readFileSync(new URL('results.json', import.meta.url), 'utf8'));

// `node model/table.mjs` prints the table; `node model/table.mjs README.md` puts it between the markers there.
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const table = guaranteeTable(readResults());
  const [, , file] = process.argv;
  if (file) writeFileSync(file, withTable(readFileSync(file, 'utf8'), table));
  else process.stdout.write(`${table}\n`);
}
