// @ts-check
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../scripts/services/folders.mjs';
import { buildIfNeeded } from '../scripts/start/build.mjs';
import { runCommand } from '../verify/command.mjs';
import { Random } from '../verify/random.mjs';
import { parseOptions, usageOf } from './options.mjs';
import { report } from './report.mjs';
import { scenarios } from './scenarios.mjs';

/**
 * `npm run outages`: what is promised for the time when things break, on real nodes and servers. Exit code 0: every
 * requirement is met; 1: one is not; 2: the run itself failed. People read stderr; stdout has one line of JSON per scenario.
 */

/** @param {import('../verify/command.mjs').Surroundings} surroundings @returns {Promise<number>} the exit code */
async function main({ undo, signal, say }) {
  const options = parseOptions(process.argv.slice(2), scenarios);
  if (options.help) return (say(usageOf(scenarios)), 0);
  await buildIfNeeded(ROOT, { say, signal });
  let code = 0;
  for (const { name, title, run, full, short, policy: own } of options.chosen) {
    const policy = options.policy ?? own;
    const size = { ...(options.short ? short : full), ...options.size };
    say(`\n${name}: ${title} (${policy}, seed ${options.seed})`);
    const startedMs = performance.now();
    const random = new Random(options.seed).fork(name);
    const { requirements, figures } = await run({ undo, signal, say, policy, size, random });
    await undo.run();
    const seconds = Math.round((performance.now() - startedMs) / 1_000);
    const met = requirements.every((requirement) => requirement.met);
    if (!met) code = 1;
    say(`\n${report(requirements, figures)}\n${met ? 'all met' : 'NOT ALL IS MET'}, ${seconds} s`);
    const result = { scenario: name, policy, size, seed: options.seed, seconds, met, requirements, figures };
    console.log(JSON.stringify(result));
    if (options.short || Object.keys(options.size).length > 0) continue;
    const folder = join(ROOT, 'outages', 'results');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `${name}-${policy}.json`), `${JSON.stringify(result, undefined, 2)}\n`);
  }
  return code;
}

await runCommand(() => usageOf(scenarios), main);
