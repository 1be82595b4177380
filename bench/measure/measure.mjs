// @ts-check
import { availableParallelism, cpus, loadavg } from 'node:os';
import { Random } from '../../verify/random.mjs';
import { roundsToJudge } from '../options.mjs';
import { run } from './race.mjs';
import { medianOf } from './statistics.mjs';
import { judge } from './verdict.mjs';

/** @typedef {import('./race.mjs').Race} Race */
/** @typedef {import('./race.mjs').Round} Round */

/**
 * Runs a scenario's races one after the other.
 * @param {import('../scenarios.mjs').Scenario} scenario
 * @param {Pick<import('../options.mjs').Options, 'rounds' | 'sliceMs' | 'seed' | 'short'>} options
 * @param {import('../scenarios.mjs').Surroundings} surroundings
 */
export async function measure(scenario, { rounds, sliceMs, seed, short }, surroundings) {
  const { signal, say } = surroundings;
  const random = new Random(seed);
  const machine = { cpu: cpus()[0]?.model, cores: availableParallelism(), node: process.version, load: loadavg()[0] };
  const races = [];
  for (const opened of await scenario.open(surroundings)) {
    const race = { ...opened, ...(rounds && { rounds }), ...(sliceMs && { sliceMs }), ...(short && { warmUpMs: 0 }) };
    say(`  ${race.name}: ${race.rounds} rounds of ${race.subjects.length + 1} slices of ${race.sliceMs} ms`);
    const done = await run(race, { random: random.fork(`${race.name}: order`), signal });
    const resampling = random.fork(`${race.name}: resampling`);
    races.push({
      name: race.name,
      rounds: race.rounds,
      sliceMs: race.sliceMs,
      control: race.control,
      findings: race.targets.map((target) => judge(done, race.control, target, resampling)),
      subjects: race.subjects.map(({ name, what }) => ({ name, what, ...typical(done, name) })),
    });
  }
  const judged = !short && races.every((race) => race.rounds >= roundsToJudge);
  return { scenario: scenario.name, seed, judged, machine, races };
}

/** What a subject's median slice looks like: to know what the ratios are of, never to be judged. @param {readonly Round[]} rounds @param {string} name */
function typical(rounds, name) {
  const of = (/** @type {import('./slice.mjs').Metric} */ metric) =>
    Number(medianOf(rounds.map((round) => round[name]?.[metric] ?? NaN)).toPrecision(4));
  return { rate: of('rate'), p50: of('p50'), p99: of('p99') };
}
