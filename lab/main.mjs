// @ts-check
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../scripts/services/folders.mjs';
import { buildIfNeeded } from '../scripts/start/build.mjs';
import { runCommand } from '../verify/command.mjs';
import { measure } from './analysis/measure.mjs';
import { promiseOfStrictKept } from './analysis/order.mjs';
import { parseOptions, usage } from './options.mjs';
import { page } from './report/page.mjs';
import { table } from './report/table.mjs';
import { play } from './run.mjs';
import { writeScript } from './script.mjs';
import { settings, Theatre } from './stage.mjs';

/**
 * `npm run lab`: one script, played under every policy on real nodes; what did readers see? Exit code 0; 1 if `strict` was
 * not; 2 if the run failed. People read stderr and `lab/report.html`; stdout has the name of the JSON file.
 */

/** @typedef {import('./analysis/measure.mjs').Result} Result */
/**
 * What a run has found; the report is drawn from it alone.
 * @typedef {object} Findings
 * @property {string} seed
 * @property {string} at
 * @property {number} tookSeconds
 * @property {import('../verify/checker/history.mjs').Settings} settings
 * @property {import('./script.mjs').Act[]} acts
 * @property {Result[]} results
 */

/** @param {import('../verify/command.mjs').Surroundings} surroundings @returns {Promise<number>} the exit code */
async function main(surroundings) {
  const options = parseOptions(process.argv.slice(2));
  const { say } = surroundings;
  if (options.help) return (say(usage), 0);
  const folder = options.out ?? join(ROOT, 'lab');
  const earlier = options.redraw;
  const findings =
    earlier === undefined ? await perform(options, surroundings) : JSON.parse(readFileSync(earlier, 'utf8'));
  mkdirSync(join(folder, 'results'), { recursive: true });
  if (earlier === undefined) {
    const file = join(folder, 'results', `${findings.seed.replace(/\W/g, '_')}-${findings.at.replace(/\W/g, '')}.json`);
    writeFileSync(file, `${JSON.stringify(findings, rounded)}\n`);
    console.log(file);
  }
  const report = join(folder, 'report.html');
  writeFileSync(report, page(findings));
  say(`\n${table(findings.results)}\n\nthe report: ${report}`);
  return promiseOfStrictKept(findings.results) ? 0 : 1;
}

/**
 * @param {import('./options.mjs').Options} options
 * @param {import('../verify/command.mjs').Surroundings} surroundings
 * @returns {Promise<Findings>}
 */
async function perform({ seed, seconds, policies, postgres }, surroundings) {
  const { say, signal } = surroundings;
  await buildIfNeeded(ROOT, { say, signal });
  const at = new Date().toISOString();
  const startedMs = performance.now();
  const script = writeScript(seed, seconds);
  say(`one script for every policy: ${script.cues.length} cues in ${seconds} s, seed ${seed}`);
  const theatre = await Theatre.build(postgres, surroundings);
  /** @type {Result[]} */
  const results = [];
  for (const policy of policies) {
    say(`${policy}: starting`);
    const stage = await theatre.open(policy);
    say(`${policy}: ${script.acts.map(({ name }) => name).join(', ')}`);
    results.push(measure(await play(script, stage, policy), script));
    await stage.close();
  }
  const tookSeconds = Math.round((performance.now() - startedMs) / 1_000);
  return { seed, at, tookSeconds, settings, acts: script.acts, results };
}

/** Hundredths are enough. @param {string} _ @param {unknown} value */
const rounded = (_, value) => (typeof value === 'number' ? Math.round(value * 100) / 100 : value);

await runCommand(() => usage, main);
