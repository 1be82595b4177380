// @ts-check
import { policies } from '../verify/checker/history.mjs';
import { checkNames, count, oneOf, parseCommandLine, seedOf } from '../verify/command-line.mjs';

/** @typedef {import('./scenarios.mjs').Scenario} Scenario */
/** @typedef {ReturnType<typeof parseOptions>} Options */

/** @param {readonly Scenario[]} scenarios */
export const usageOf = (scenarios) => `npm run outages [-- scenario… [options]]
${scenarios.map(({ name, title, full }) => `  ${name.padEnd(18)}${title} (${sizes(full)})`).join('\n')}
options
  --policy P       ${policies.join(', ')}: instead of the scenario's own
  --times N, --seconds N, --keys N, --connections N    the size of a scenario, instead of what stands behind it above
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
  checkNames(
    positionals,
    scenarios.map(({ name }) => name),
  );
  const { policy, seed, short, help } = values;
  /** @type {Record<string, number>} */
  const size = {};
  for (const name of /** @type {const} */ (['times', 'seconds', 'keys', 'connections']))
    if (values[name] !== undefined) size[name] = count(name, values[name], 0);
  return {
    chosen: scenarios.filter(({ name }) => positionals.length === 0 || positionals.includes(name)),
    policy: policy === undefined ? undefined : oneOf('policy', policies, policy),
    size,
    seed: seedOf(seed),
    short,
    help,
  };
}

/** @param {string[]} args */
function parse(args) {
  const text = /** @type {const} */ ({ type: 'string' });
  const flag = /** @type {const} */ ({ type: 'boolean', default: false });
  return parseCommandLine({
    args,
    allowPositionals: true,
    options: {
      policy: text,
      times: text,
      seconds: text,
      keys: text,
      connections: text,
      seed: text,
      short: flag,
      help: flag,
    },
  });
}
