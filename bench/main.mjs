// @ts-check
import { mkdirSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../scripts/services/folders.mjs';
import { buildIfNeeded } from '../scripts/start/build.mjs';
import { watchLauncher } from '../scripts/start/launcher.mjs';
import { Undo } from '../verify/undo.mjs';
import { measure } from './measure/measure.mjs';
import { parseOptions, usageOf, UsageError } from './options.mjs';
import { chart } from './report/chart.mjs';
import { table } from './report/table.mjs';
import { scenarios } from './scenarios.mjs';

/**
 * `npm run bench`: ratios of subjects that take turns in one run. Exit code 0: every bound is met; 1: one is missed, or
 * the run is void; 2: the run itself failed. People read stderr; stdout has one line of JSON per scenario.
 */

const say = (/** @type {string} */ line) => console.error(line);
const stopping = new globalThis.AbortController();
const undo = new Undo();

/** @returns {Promise<number>} the exit code */
async function main() {
  const options = parseOptions(
    process.argv.slice(2),
    scenarios.map(({ name }) => name),
  );
  if (options.help) return (say(usageOf(scenarios)), 0);
  const { signal } = stopping;
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

for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
  process.on(signal, () => stopping.abort(signal));
}
watchLauncher(() => stopping.abort('SIGTERM'));

try {
  process.exitCode = await main();
} catch (error) {
  const { reason } = stopping.signal;
  if (typeof reason === 'string') process.exitCode = 128 + constants.signals[/** @type {NodeJS.Signals} */ (reason)];
  else {
    say(
      error instanceof UsageError
        ? `${error.message}\n\n${usageOf(scenarios)}`
        : String((error instanceof Error && error.stack) || error),
    );
    process.exitCode = 2;
  }
}
await undo.run();
process.exit();
