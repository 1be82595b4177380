// @ts-check
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { nameOf } from './catchers.mjs';

/** @typedef {import('./mutants.mjs').Mutant} Mutant */
/** @typedef {import('./catchers.mjs').Catcher} Catcher */
/** @typedef {import('./runner.mjs').LaneRequest} LaneRequest */
/** @typedef {import('./answers.mjs').SpecAnswer} SpecAnswer */

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

/** @typedef {{ readonly caught: boolean, readonly searched: string, readonly exhaustive: boolean, readonly ms: number }} Search */
/** @typedef {{ readonly mutant: Mutant, readonly catcher: Catcher, readonly nth: number }} Pair */

/**
 * Asks the first catcher of each mutant, then the second of those that nobody has caught yet, and so on; of a guard in
 * depth, all catchers.
 * @param {readonly Mutant[]} mutants
 * @param {(hunted: Hunted) => void} onDone
 */
export async function hunt(mutants, onDone) {
  /** @type {Map<Mutant, Search[]>} */
  const searches = new Map(mutants.map((mutant) => [mutant, []]));
  const isCaught = (/** @type {Mutant} */ mutant) => searches.get(mutant)?.some(({ caught }) => caught) ?? false;
  let open = [...mutants];
  for (let nth = 0; open.length > 0; nth += 1) {
    const pairs = open.flatMap((mutant) => ({ mutant, catcher: /** @type {Catcher} */ (mutant.by[nth]), nth }));
    const found = await searchAll(pairs);
    pairs.forEach(({ mutant }, at) => searches.get(mutant)?.push(/** @type {Search} */ (found[at])));
    const done = open.filter((mutant) => isCaught(mutant) || mutant.by.length === nth + 1);
    for (const mutant of done) onDone(conclude(mutant, searches.get(mutant) ?? []));
    open = open.filter((mutant) => !done.includes(mutant));
  }
}

/** @param {Mutant} mutant @param {readonly Search[]} searches @returns {Hunted} */
function conclude({ name, guard, by, depth = '' }, searches) {
  const at = searches.findIndex(({ caught }) => caught);
  const caughtBy = at < 0 ? '' : nameOf(/** @type {Catcher} */ (by[at]));
  const searched = searches.map((search) => search.searched).join(', ');
  const ms = searches.reduce((sum, search) => sum + search.ms, 0);
  return { name, guard, caughtBy, searched, depth, ms, ok: (depth === '') === (caughtBy !== '') };
}

/** @param {readonly Pair[]} pairs @returns {Promise<readonly Search[]>} in their order */
async function searchAll(pairs) {
  const byModel = pairs.filter(({ catcher }) => catcher.kind === 'model' || catcher.kind === 'rule');
  const bySpec = pairs.filter((pair) => !byModel.includes(pair));
  const found = new Map([...(await inParallel(byModel, askModel)).entries(), ...(await askSpecs(bySpec)).entries()]);
  return pairs.map((pair) => /** @type {Search} */ (found.get(pair)));
}

/**
 * @param {readonly Pair[]} pairs
 * @param {(pair: Pair) => Promise<Search>} ask
 * @returns {Promise<ReadonlyMap<Pair, Search>>}
 */
async function inParallel(pairs, ask) {
  const waiting = [...pairs];
  /** @type {Map<Pair, Search>} */
  const found = new Map();
  const work = async () => {
    for (let pair = waiting.shift(); pair; pair = waiting.shift()) found.set(pair, await ask(pair).catch(failed));
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return found;
}

/** A catcher that could not be asked has caught nothing. @param {unknown} error @returns {Search} */
const failed = (error) => ({ caught: false, searched: String(error), exhaustive: false, ms: 0 });

/** @param {Pair} pair @returns {Promise<Search>} */
async function askModel({ mutant: { name }, nth }) {
  const startedMs = performance.now();
  const { code, stdout, stderr } = await run(['test/mutation/model-hunt.mjs', name, String(nth)], {});
  if (code !== 0) throw new Error(`${name}: ${stderr}`);
  const { caughtBy, states, exhaustive } = JSON.parse(stdout);
  const ms = Math.round(performance.now() - startedMs);
  return { caught: caughtBy !== '', searched: `${states.toLocaleString('en')} states`, exhaustive, ms };
}

/**
 * All specs in one run of Jest. A failing test is a catch; a spec that could not run is not.
 * @param {readonly Pair[]} pairs
 * @returns {Promise<ReadonlyMap<Pair, Search>>}
 */
async function askSpecs(pairs) {
  if (pairs.length === 0) return new Map();
  const folder = await mkdtemp(join(tmpdir(), 'strata-hunt-'));
  try {
    const questions = pairs.map(questionOf);
    const answersFile = join(folder, 'answers.json');
    const args = ['node_modules/jest/bin/jest.js', '--config', 'test/mutation/jest.config.mjs', '--forceExit'];
    const env = { STRATA_QUESTIONS: JSON.stringify(questions), STRATA_ANSWERS: answersFile };
    const { stderr } = await run(args, env);
    const answers = await readFile(answersFile, 'utf8').catch(() => Promise.reject(new Error(stderr)));
    /** @type {readonly (SpecAnswer | null)[]} */
    const all = JSON.parse(answers);
    return new Map(pairs.map((pair, at) => [pair, searchOf(pair, all[at] ?? undefined)]));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** @param {Pair} pair @param {SpecAnswer | undefined} answer @returns {Search} */
function searchOf({ mutant: { name }, catcher }, answer) {
  if (!answer || answer.error !== '' || answer.ran === 0)
    return failed(new Error(`${name}: nothing has run. ${answer?.error ?? ''}`));
  const { ran, message, ms } = answer;
  const caught = answer.failed > 0;
  if (catcher.kind !== 'simulation') return { caught, searched: `${ran} tests`, exhaustive: false, ms };
  const schedules = /after (\d+) schedules/.exec(message)?.[1] ?? catcher.schedules;
  return { caught, searched: `${schedules} schedules`, exhaustive: false, ms };
}

/** @param {Pair} pair @returns {LaneRequest} */
function questionOf({ mutant: { name }, catcher }) {
  if (catcher.kind === 'spec') return { name, file: catcher.file, test: catcher.test, env: {} };
  const { setup, seed, schedules } = /** @type {import('./catchers.mjs').Simulation} */ (catcher);
  const env = { SIMULATION_SETUPS: setup, SIMULATION_SEED: String(seed), SIMULATION_SCHEDULES: String(schedules) };
  return { name, file: 'test/simulation/simulation.spec.ts', test: '', env };
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
