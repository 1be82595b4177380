// @ts-check
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nameOf } from './catchers.mjs';

/** @typedef {import('./mutants.mjs').Mutant} Mutant */
/** @typedef {import('./catchers.mjs').Catcher} Catcher */

/**
 * What became of a mutant.
 * @typedef {object} Hunted
 * @property {string} name
 * @property {string} guard
 * @property {string} caughtBy '' it survived
 * @property {string} searched how much was tried, in words
 * @property {string} depth why it may survive
 * @property {number} ms
 * @property {boolean} ok caught, or survives as it is said to
 */

/** @typedef {{ readonly caught: boolean, readonly searched: string, readonly exhaustive: boolean }} Search */

/**
 * Asks one catcher after the other; of a guard in depth, all of them.
 * @param {Mutant} mutant
 * @returns {Promise<Hunted>}
 */
export async function hunt(mutant) {
  const { name, guard, by, depth = '' } = mutant;
  const startedMs = performance.now();
  const searched = [];
  let exhaustive = false;
  let caughtBy = '';
  for (const [nth, catcher] of by.entries()) {
    const search = await ask(mutant, nth).catch((error) => nothing(error));
    searched.push(search.searched);
    exhaustive ||= search.exhaustive;
    if (search.caught) caughtBy = nameOf(catcher);
    if (search.caught) break;
  }
  const ok = depth === '' ? caughtBy !== '' : caughtBy === '' && searched.length === by.length;
  const ms = Math.round(performance.now() - startedMs);
  return { name, guard, caughtBy, searched: searched.join(', '), depth, ms, ok };
}

/** @param {Mutant} mutant @param {number} nth of its catchers @returns {Promise<Search>} */
async function ask(mutant, nth) {
  const catcher = /** @type {Catcher} */ (mutant.by[nth]);
  if (catcher.kind === 'model' || catcher.kind === 'rule') return askModel(mutant, nth);
  return askJest(mutant, catcher);
}

/** Who could not be asked has caught nothing. @param {unknown} error @returns {Search} */
const nothing = (error) => ({ caught: false, searched: String(error), exhaustive: false });

/** @param {Mutant} mutant @param {number} nth of its catchers @returns {Promise<Search>} */
async function askModel({ name }, nth) {
  const { code, stdout, stderr } = await run(['test/mutation/model-hunt.mjs', name, String(nth)], {});
  if (code !== 0) throw new Error(`${name}: ${stderr}`);
  const { caughtBy, states, exhaustive } = JSON.parse(stdout);
  return { caught: caughtBy !== '', searched: `${states.toLocaleString('en')} states`, exhaustive };
}

/**
 * A failing test is a catch; a suite that could not even run is not.
 * @param {Mutant} mutant
 * @param {Extract<Catcher, { kind: 'simulation' | 'spec' }>} catcher
 * @returns {Promise<Search>}
 */
async function askJest({ name }, catcher) {
  const folder = await mkdtemp(join(tmpdir(), 'strata-hunt-'));
  try {
    const outcome = join(folder, 'outcome.json');
    const { args, env } = jestOf(catcher);
    const jest = ['node_modules/jest/bin/jest.js', '--runInBand', '--forceExit', '--json', `--outputFile=${outcome}`];
    const { stderr } = await run([...jest, ...args], { STRATA_MUTANT: name, ...env });
    /** @type {{ numFailedTests: number, numPassedTests: number, numRuntimeErrorTestSuites: number }} */
    const result = JSON.parse(await readFile(outcome, 'utf8'));
    const ran = result.numFailedTests + result.numPassedTests;
    if (result.numRuntimeErrorTestSuites > 0 || ran === 0) throw new Error(`${name}: nothing has run\n${stderr}`);
    const schedules = /: (\d+) schedules of/.exec(stderr)?.[1];
    const searched = catcher.kind === 'simulation' ? `${schedules} schedules` : `${ran} tests`;
    return { caught: result.numFailedTests > 0, searched, exhaustive: false };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** @param {Extract<Catcher, { kind: 'simulation' | 'spec' }>} catcher */
function jestOf(catcher) {
  if (catcher.kind === 'spec') {
    const { file, test, config } = catcher;
    return { args: [file, ...(test ? ['-t', test] : []), ...(config ? ['--config', config] : [])], env: {} };
  }
  const { setup, seed, schedules } = catcher;
  return {
    args: ['test/simulation/simulation.spec.ts', '--config', 'test/simulation/jest.config.mjs'],
    env: { SIMULATION_SETUPS: setup, SIMULATION_SEED: String(seed), SIMULATION_SCHEDULES: String(schedules) },
  };
}

/**
 * @param {readonly string[]} args
 * @param {Readonly<Record<string, string>>} env
 * @returns {Promise<{ code: number | null, stdout: string, stderr: string }>}
 */
function run(args, env) {
  const child = spawn(process.execPath, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const end = () => child.kill();
  process.once('exit', end);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => (stdout += chunk));
  child.stderr.on('data', (chunk) => (stderr += chunk));
  return new Promise((resolve) =>
    child.once('close', (code) => {
      process.removeListener('exit', end);
      resolve({ code, stdout, stderr });
    }),
  );
}
