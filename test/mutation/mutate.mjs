// @ts-check
import { transformSync } from '@swc/core';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mutants } from './mutants.mjs';
import { mutate } from './transformer.mjs';

/*
 * Switches off one guard after the other and asks whether anybody notices: the simulation, the specs of the protocol on
 * real servers.   npm run mutate [-- name…] [--schedules 6000]
 */

/** @typedef {import('./mutants.mjs').Mutant} Mutant */

const setups = ['strict', 'acknowledged', 'switching', 'write-through', 'invalidate', 'ttl'];
/** Spec files by what the mutants call them. @type {Readonly<Record<string, string>>} */
const specs = {
  fences: 'test/cache/fences.spec.ts',
  generations: 'test/cache/generations.spec.ts',
  levels: 'test/cache/levels.spec.ts',
  'single-flight': 'test/cache/single-flight.spec.ts',
  scripts: 'test/simulation/scripts.spec.ts',
  transactions: 'test/invalidation/transactions.e2e-spec.ts',
  layers: 'test/layers.e2e-spec.ts',
  outage: 'test/redis-outage.e2e-spec.ts',
  'redis-outage': 'test/redis-outage.e2e-spec.ts',
};

const words = process.argv.slice(2);
const schedulesAt = words.indexOf('--schedules');
/** How many each setup of the simulation may try. */
const [, schedules = '6000'] = schedulesAt < 0 ? [] : words.splice(schedulesAt, 2);

/** @param {Mutant} mutant throws where it is stale, or does not compile */
function checkSource(mutant) {
  const mutated = mutate(readFileSync(mutant.file, 'utf8'), mutant);
  transformSync(mutated, { jsc: { parser: { syntax: 'typescript', decorators: true } } });
}

/** @param {Mutant} mutant @param {string} who */
function asks(mutant, who) {
  const simulated = setups.includes(who);
  const args = simulated
    ? ['test/simulation/simulation.spec.ts', '--config', 'test/simulation/jest.config.mjs']
    : [specs[who] ?? who, '--bail'];
  const environment = { STRATA_MUTANT: mutant.name, SIMULATION_SETUPS: who, SIMULATION_SCHEDULES: schedules };
  const jest = spawn(process.execPath, ['node_modules/jest/bin/jest.js', '--runInBand', ...args], {
    env: { ...process.env, ...environment },
    stdio: 'ignore',
  });
  return new Promise((resolve) => jest.once('close', (code) => resolve(code !== 0)));
}

/** @param {Mutant} mutant @returns {Promise<string | undefined>} who caught it */
async function hunt(mutant) {
  for (const who of mutant.by) {
    if (!setups.includes(who) && !existsSync(specs[who] ?? who))
      throw new Error(`${mutant.name}: nobody is called ${who}`);
    if (await asks(mutant, who)) return who;
  }
  return undefined;
}

const chosen = words.length > 0 ? mutants.filter(({ name }) => words.includes(name)) : mutants;
const unknown = words.filter((word) => !mutants.some(({ name }) => name === word));
if (unknown.length > 0) throw new Error(`no such mutants: ${unknown.join(', ')}`);
for (const mutant of mutants) checkSource(mutant);

let caught = 0;
let wanted = 0;
for (const mutant of chosen) {
  const by = await hunt(mutant);
  if (!mutant.depth || by) wanted += 1;
  if (by) caught += 1;
  const outcome = by ? `caught by ${by}` : mutant.depth ? `not caught, in depth: ${mutant.depth}` : 'SURVIVED';
  console.log(`${mutant.name.padEnd(28)} ${outcome.padEnd(24)}  ${mutant.guard}`);
}
console.log(`${caught} of ${wanted} mutants caught; ${chosen.length - wanted} more are listed as defence in depth`);
process.exitCode = caught === wanted ? 0 : 1;
