// @ts-check
import { parseArgs } from 'node:util';
import { UsageError } from '../verify/command.mjs';

/** @typedef {import('./scenarios.mjs').Scenario} Scenario */
/** @typedef {ReturnType<typeof parseOptions>} Options */

const policies = /** @type {const} */ (['ttl', 'invalidate', 'write-through', 'strict']);

/** @param {readonly Scenario[]} scenarios */
export const usageOf = (scenarios) => `npm run outages [-- scenario… [options]]
${scenarios.map(({ name, title, full }) => `  ${name.padEnd(18)}${title} (${sizes(full)})`).join('\n')}
options
  --policy P       ${policies.join(', ')}: instead of the scenario's own
  --times N, --seconds N, --keys N    the size of a scenario, instead of what stands behind it above
  --seed S         the same seed draws the same choices; their timing is the machine's
  --short          a few seconds of each: shows that it works, keeps no results`;

/** @param {Scenario['full']} size */
const sizes = (size) =>
  Object.entries(size)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');

/** @param {string[]} args @param {readonly Scenario[]} scenarios */
export function parseOptions(args, scenarios) {
  const { values, positionals } = parse(args);
  const known = scenarios.map(({ name }) => name);
  for (const name of positionals)
    if (!known.includes(name)) throw new UsageError(`${name} is none of ${known.join(', ')}`);
  const { policy, seed, short, help } = values;
  const found = policies.find((candidate) => candidate === policy);
  if (policy !== undefined && !found) throw new UsageError(`--policy: ${policy} is none of ${policies.join(', ')}`);
  /** @type {Record<string, number>} */
  const size = {};
  for (const name of /** @type {const} */ (['times', 'seconds', 'keys'])) {
    const value = values[name];
    if (value === undefined) continue;
    if (!/^[1-9]\d*$/.test(value)) throw new UsageError(`--${name}: ${value} is not a whole number from 1`);
    size[name] = Number(value);
  }
  return {
    chosen: scenarios.filter(({ name }) => positionals.length === 0 || positionals.includes(name)),
    policy: found,
    size,
    seed: seed ?? String(Math.floor(Math.random() * 1e6)),
    short,
    help,
  };
}

/** @param {string[]} args */
function parse(args) {
  const text = /** @type {const} */ ({ type: 'string' });
  const flag = /** @type {const} */ ({ type: 'boolean', default: false });
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: { policy: text, times: text, seconds: text, keys: text, seed: text, short: flag, help: flag },
    });
  } catch (error) {
    throw new UsageError(/** @type {Error} */ (error).message);
  }
}
