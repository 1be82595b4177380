// @ts-check
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { hunt } from './hunt.mjs';
import { mutants } from './mutants.mjs';
import { lineOf, readHunted, summaryOf } from './report.mjs';
import { checkEdit } from './source.mjs';

/*
 * npm run mutate [-- NAME… --seconds 1500 --jobs 2 --dry]
 * Switches off one guard of the protocol after the other and asks whether anybody notices: the simulation, a spec, the
 * model. Fails unless each is missed, or survives as it is said to. What came of each is kept in results.json, unless --dry.
 */

/** @typedef {import('./hunt.mjs').Hunted} Hunted */

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '1500' },
    jobs: { type: 'string', default: '2' },
    dry: { type: 'boolean', default: false },
  },
});
const unknown = positionals.filter((name) => !mutants.some((mutant) => mutant.name === name));
if (unknown.length > 0) throw new Error(`no such mutants: ${unknown.join(', ')}`);
for (const mutant of mutants) checkEdit(mutant);
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

const startedMs = performance.now();
const secondsSince = () => Math.round((performance.now() - startedMs) / 1000);
const chosen = positionals.length > 0 ? mutants.filter(({ name }) => positionals.includes(name)) : mutants;
const waiting = [...chosen];
/** @type {Hunted[]} */
const hunted = [];

async function work() {
  for (let next = waiting.shift(); next && secondsSince() < Number(values.seconds); next = waiting.shift()) {
    const one = await hunt(next);
    hunted.push(one);
    console.log(lineOf(one));
  }
}
await Promise.all(Array.from({ length: Number(values.jobs) }, work));

const done = hunted.length === chosen.length && hunted.every(({ ok }) => ok);
const [caught, deep] = summaryOf(hunted);
console.log(`\n${caught} in ${secondsSince()} s\n${deep}`);
if (hunted.length < chosen.length) console.log(`${chosen.length - hunted.length} were not tried within the time`);
if (!values.dry) {
  const before = new Map(readHunted().map((one) => [one.name, one]));
  for (const one of hunted) before.set(one.name, one);
  const known = mutants.flatMap(({ name }) => before.get(name) ?? []);
  writeFileSync(new URL('results.json', import.meta.url), `${JSON.stringify(known, undefined, 2)}\n`);
}
process.exitCode = done ? 0 : 1;
