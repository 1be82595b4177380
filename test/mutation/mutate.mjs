// @ts-check
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { watchLauncher } from '../../scripts/start/launcher.mjs';
import { hunt } from './hunt.mjs';
import { mutants } from './mutants.mjs';
import { lineOf, readHunted, summaryOf } from './report.mjs';
import { checkEdit } from './source.mjs';

/*
 * npm run mutate [-- NAME… --dry --sample 10 --seed 7]
 * Switches off one guard of the protocol after the other and asks whether anything fails: the model, the simulation, a
 * spec. Fails unless each is caught, or survives as it is said to. results.json keeps what came of each, unless --dry.
 * --sample takes so many of them at random, from a seed that is new each time, or yours.
 */

/** @typedef {import('./hunt.mjs').Hunted} Hunted */

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    dry: { type: 'boolean', default: false },
    sample: { type: 'string', default: String(mutants.length) },
    seed: { type: 'string', default: String(Date.now()) },
  },
});
const unknown = positionals.filter((name) => !mutants.some((mutant) => mutant.name === name));
if (unknown.length > 0) throw new Error(`no such mutants: ${unknown.join(', ')}`);
for (const mutant of mutants) checkEdit(mutant);
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
watchLauncher(() => process.exit(1));

const startedMs = performance.now();
const named = positionals.length > 0 ? mutants.filter(({ name }) => positionals.includes(name)) : mutants;
const drawn = new Set(
  named
    .map(({ name }) => ({ name, lot: createHash('sha1').update(`${values.seed} ${name}`).digest('hex') }))
    .sort((a, b) => (a.lot < b.lot ? -1 : 1))
    .slice(0, Number(values.sample))
    .map(({ name }) => name),
);
const chosen = named.filter(({ name }) => drawn.has(name));
/** @type {Hunted[]} */
const hunted = [];
await hunt(chosen, (one) => {
  hunted.push(one);
  console.log(lineOf(one));
});

const done = hunted.every(({ ok }) => ok);
const [caught, deep] = summaryOf(hunted);
console.log(`\n${caught} in ${Math.round((performance.now() - startedMs) / 1000)} s\n${deep}`);
if (!values.dry) {
  const before = new Map(readHunted().map((one) => [one.name, one]));
  for (const one of hunted) before.set(one.name, one);
  const known = mutants.flatMap(({ name }) => before.get(name) ?? []);
  writeFileSync(new URL('results.json', import.meta.url), `${JSON.stringify(known, undefined, 2)}\n`);
}
process.exitCode = done ? 0 : 1;
