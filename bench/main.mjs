// @ts-check
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../scripts/services/folders.mjs';
import { buildIfNeeded } from '../scripts/start/build.mjs';
import { runCommand } from '../verify/command.mjs';
import { measure } from './measure/measure.mjs';
import { parseOptions, usageOf } from './options.mjs';
import { chart } from './report/chart.mjs';
import { table } from './report/table.mjs';
import { scenarios } from './scenarios.mjs';

/**
 * `npm run bench`: ratios of subjects that take turns in one run. Exit code 0: every bound is met; 1: one is missed, or
 * the run is void; 2: the run itself failed. People read stderr; stdout has one line of JSON per scenario.
 */

/** @param {import('../verify/command.mjs').Surroundings} surroundings @returns {Promise<number>} the exit code */
async function main({ undo, signal, say }) {
  const options = parseOptions(
    process.argv.slice(2),
    scenarios.map(({ name }) => name),
  );
  if (options.help) return (say(usageOf(scenarios)), 0);
  await buildIfNeeded(ROOT, { say, signal });
  let code = 0;
  for (const scenario of scenarios.filter(({ name }) => options.names.includes(name))) {
    say(`\n${scenario.name}: ${scenario.title} (seed ${options.seed})`);
    const result = await measure(scenario, options, { undo, signal, say });
    await undo.run();
    const findings = result.races.flatMap((race) => race.findings);
    say(`\n${table(findings)}`);
    console.log(JSON.stringify(result));
    if (!result.judged) continue;
    const folder = join(ROOT, 'bench', 'results');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `${scenario.name}.json`), `${JSON.stringify(result, undefined, 2)}\n`);
    writeFileSync(join(folder, `${scenario.name}.svg`), chart(scenario.title, findings));
    if (findings.some(({ verdict }) => verdict !== 'met')) code = 1;
  }
  return code;
}

await runCommand(() => usageOf(scenarios), main);
