// @ts-check
import { parseArgs } from 'node:util';
import { UsageError } from '../verify/command.mjs';

/** @typedef {import('../verify/checker/history.mjs').Policy} Policy */
/** @typedef {ReturnType<typeof parseOptions>} Options */

export const policies = /** @type {const} */ (['ttl', 'invalidate', 'write-through', 'strict']);

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
  const { seconds = String(usualSeconds) } = values;
  if (!/^\d+$/.test(seconds) || Number(seconds) < leastSeconds)
    throw new UsageError(`--seconds: ${seconds} is not a whole number from ${leastSeconds}`);
  return {
    seed: values.seed ?? String(Math.floor(Math.random() * 1e6)),
    policies: values.policies === undefined ? policies : listOf(values.policies),
    seconds: Number(seconds),
    out: values.out,
    postgres: values.postgres,
    redraw: values.redraw,
    help: values.help ?? false,
  };
}

/** @param {string[]} args */
function parse(args) {
  const text = /** @type {const} */ ({ type: 'string' });
  try {
    return parseArgs({
      args,
      options: {
        ...{ seed: text, policies: text, seconds: text, out: text, postgres: text, redraw: text },
        help: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    throw new UsageError(/** @type {Error} */ (error).message);
  }
}

/** In the order of the theory, whatever order they were asked for in. @param {string} list @returns {Policy[]} */
function listOf(list) {
  const names = list.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !policies.some((policy) => policy === name));
  if (unknown !== undefined) throw new UsageError(`--policies: ${unknown} is none of ${policies.join(', ')}`);
  return policies.filter((policy) => names.includes(policy));
}
