// @ts-check
// `npm run check:monitoring`: promtool on the configuration, the rules and their tests; then a real Prometheus that
// watches a real node while its Redis is stopped and started again. Needs promtool and prometheus (Debian: prometheus).
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../scripts/services/folders.mjs';
import { buildIfNeeded } from '../../scripts/start/build.mjs';
import { Undo } from '../../verify/undo.mjs';
import { run, stopping, works } from '../containers/run.mjs';
import { checks } from './checks.mjs';
import { openWorld } from './world.mjs';

const budgetMs = 240_000;
const folder = join(ROOT, 'ops', 'prometheus');
const filesIn = (/** @type {string} */ name) => readdirSync(join(folder, name)).map((file) => join(folder, name, file));

const budget = setTimeout(() => stopping.abort(new Error(`not done within ${budgetMs / 1000} s`)), budgetMs);
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM']))
  process.on(signal, () => stopping.abort(new Error(`interrupted by ${signal}`)));

const undo = new Undo();
try {
  await verify();
} catch (error) {
  console.error(`\nfailed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  await undo.run();
  clearTimeout(budget);
}

async function verify() {
  for (const command of ['promtool', 'prometheus'])
    if (!(await works(command, ['--version'])))
      throw new Error(`there is no ${command} here: apt-get install --no-install-recommends prometheus`);
  await step('the configuration is one', () => promtool('check', 'config', join(folder, 'prometheus.yml')));
  await step('the rules are rules', () => promtool('check', 'rules', '--lint-fatal', ...filesIn('rules')));
  await step('every alert fires when it should, and not before', () => promtool('test', 'rules', ...filesIn('tests')));
  await buildIfNeeded(ROOT, { say: console.log, signal: stopping.signal });
  const world = await openWorld(undo, stopping.signal);
  for (const [claim, check] of Object.entries(checks)) await step(claim, () => check(world));
}

/** @param {string[]} args */
async function promtool(...args) {
  await run('promtool', args);
}

/**
 * @param {string} claim
 * @param {() => Promise<Record<string, string | number> | void>} work
 */
async function step(claim, work) {
  const begun = performance.now();
  const figures = Object.entries((await work()) ?? {}).map(([name, value]) => `${name}=${value}`);
  const took = ((performance.now() - begun) / 1000).toFixed(1);
  console.log(`${took.padStart(6)} s  ${claim}${figures.length > 0 ? `: ${figures.join(' ')}` : ''}`);
}
