// @ts-check
import { policies } from '../verify/checker/history.mjs';
import { parseCommandLine, seedOf, someOf, whole } from '../verify/command-line.mjs';

/** @typedef {import('../verify/checker/history.mjs').Policy} Policy */
/** @typedef {ReturnType<typeof parseOptions>} Options */

const usualSeconds = 41;
const leastSeconds = 5;

export const usage = `npm run lab -- [options]
  --seed S           the same seed draws the same requests and faults, for every policy
  --policies LIST    ${policies.join(',')} (all)
  --seconds N        how long the script is, for each policy (${usualSeconds}; at least ${leastSeconds})
  --out DIR          where report.html and results/ go (lab)
  --postgres URL     use this server (as superuser) instead of starting one; each policy gets a database of its own
  --redraw FILE      make the report of an earlier run again, from its JSON`;

/** @param {string[]} args */
export function parseOptions(args) {
  const values = parse(args);
  return {
    seed: seedOf(values.seed),
    policies: values.policies === undefined ? policies : listOf(values.policies),
    seconds: whole('seconds', values.seconds, usualSeconds, leastSeconds),
    out: values.out,
    postgres: values.postgres,
    redraw: values.redraw,
    help: values.help ?? false,
  };
}

/** @param {string[]} args */
function parse(args) {
  const text = /** @type {const} */ ({ type: 'string' });
  return parseCommandLine({
    args,
    options: {
      ...{ seed: text, policies: text, seconds: text, out: text, postgres: text, redraw: text },
      help: { type: 'boolean' },
    },
  }).values;
}

/** In the order of the theory, whatever order they were asked for in. @param {string} list @returns {Policy[]} */
function listOf(list) {
  const names = someOf('policies', policies, list);
  return policies.filter((policy) => names.includes(policy));
}
