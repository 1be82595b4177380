// @ts-check
import { checkNames, count, parseCommandLine, seedOf } from '../verify/command-line.mjs';

/** @typedef {ReturnType<typeof parseOptions>} Options */

/** @param {readonly { name: string, title: string }[]} scenarios */
export const usageOf = (scenarios) => `npm run bench [-- scenario… [options]]
${scenarios.map(({ name, title }) => `  ${name.padEnd(14)}${title}`).join('\n')}
options
  --rounds N     slices of each subject, as each race has it if not given; under 40, nothing is judged
  --slice MS     length of a slice, as each race has it if not given
  --seed S       fixes the order of the slices and the resampling
  --short        a few tiny slices: shows that it runs, judges nothing, keeps nothing`;

/** Fewer rounds than this say too little. */
export const roundsToJudge = 40;

/** @param {string[]} args @param {readonly string[]} known the scenarios there are */
export function parseOptions(args, known) {
  const { values, positionals } = parse(args);
  checkNames(positionals, known);
  const { short, help } = values;
  return {
    names: positionals.length > 0 ? positionals : known,
    rounds: numberOr('rounds', values.rounds, short ? 3 : undefined),
    sliceMs: numberOr('slice', values.slice, short ? 40 : undefined),
    seed: seedOf(values.seed),
    short,
    help,
  };
}

/** @param {string} name @param {string | undefined} text @param {number | undefined} otherwise */
const numberOr = (name, text, otherwise) => (text === undefined ? otherwise : count(name, text, 0));

/** @param {string[]} args */
function parse(args) {
  const text = /** @type {const} */ ({ type: 'string' });
  const flag = /** @type {const} */ ({ type: 'boolean', default: false });
  return parseCommandLine({
    args,
    allowPositionals: true,
    options: { rounds: text, slice: text, seed: text, short: flag, help: flag },
  });
}
