// @ts-check
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildIfNeeded } from '../scripts/start/build.mjs';
import { configurations } from './configurations.mjs';
import { isQuick, mutants } from './mutants.mjs';
import { runTasks } from './pool.mjs';
import { explorationLine, grouped, huntLine, summaryOfMutants, tracesText } from './report.mjs';
import { guaranteeTable } from './table.mjs';

/*
 * npm run model [-- --seconds 600] [--short] [--only TEXT] [--traces]
 * Explores every configuration, then every mutant. Fails unless each comes out as documented, within the time.
 * A full run writes results.json, from which the documentation is made.
 */

/** @typedef {import('./tasks.mjs').Explored} Explored */
/** @typedef {import('./tasks.mjs').Hunted} Hunted */

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '600' },
    short: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    traces: { type: 'boolean', default: false },
  },
});
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const say = (/** @type {string} */ line) => void process.stdout.write(`${line}\n`);

await buildIfNeeded(root, { say, signal: new AbortController().signal });
const startedMs = Date.now();

const chosen = (/** @type {string} */ name, /** @type {boolean} */ short) =>
  name.includes(values.only) && (short || !values.short);
const tasks = [
  ...configurations.flatMap(({ name, short }, configuration) => (chosen(name, short) ? [{ configuration }] : [])),
  ...mutants.flatMap((one, mutant) => (chosen(one.guard, isQuick(one)) ? [{ mutant }] : [])),
];
// What takes longest comes first, so that the threads end together.
const costs = (/** @type {import('./worker.mjs').Task} */ { configuration }) =>
  configuration === undefined ? 0 : configurations[configuration]?.of === 'L1' ? 2 : 1;
tasks.sort((a, b) => costs(b) - costs(a));

/** @type {Explored[]} */
const explored = [];
/** @type {Hunted[]} */
const hunted = [];
await runTasks(tasks, {
  threads: availableParallelism(),
  decisions: new URL('../dist/src/cache/core/decisions.js', import.meta.url).href,
  untilMs: startedMs + Number(values.seconds) * 1000,
  onDone: ({ configuration, mutant, result, traces }) => {
    if (configuration !== undefined) explored[configuration] = /** @type {Explored} */ (result);
    if (mutant !== undefined) hunted[mutant] = /** @type {Hunted} */ (result);
    say('guard' in result ? huntLine(result) : explorationLine(result));
    if (values.traces || ('exhaustive' in result && !result.ok)) say(tracesText(traces));
  },
});

const results = { configurations: Object.values(explored), mutants: Object.values(hunted) };
const states = results.configurations.reduce((sum, one) => sum + one.states, 0);
const complete = !values.short && values.only === '';
const failed = [...results.configurations, ...results.mutants].filter(({ ok }) => !ok);
say('');
if (complete) say(`${guaranteeTable(results)}\n`);
say(
  `${results.configurations.length} configurations, ${grouped(states)} states, ${Math.round((Date.now() - startedMs) / 1000)} s`,
);
for (const line of summaryOfMutants(results.mutants)) say(line);
if (complete && failed.length === 0) {
  writeFileSync(new URL('results.json', import.meta.url), `${JSON.stringify(results, undefined, 2)}\n`);
}
say(failed.length === 0 ? 'everything is as documented' : `${failed.length} are not as documented`);
process.exitCode = failed.length === 0 ? 0 : 1;
