// @ts-check
import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';

/*
 * npm run proof [-- NAME… --sample]
 * Runs every long proof in turn, all of them even when one fails; ends with 1 unless all hold. `npm test` has a short form
 * of each that guards behaviour. With --sample, as in `npm run check:full`, it runs a part of each, some three minutes in
 * all: which mutants, and which live runs, the day decides.
 */

const { values, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: { sample: { type: 'boolean', default: false } },
});
const { sample } = values;
const day = Math.floor(Date.now() / 86_400_000);
const jest = ['node_modules/jest/bin/jest.js', '--config', 'test/proof/jest.config.mjs'];
const quickest = ['conformance', 'outages', 'packaging', 'verify'];

/** @type {Readonly<Record<string, readonly string[]>>} what Node runs, by name */
const proofs = {
  // The short forms of these two are tests.
  model: sample ? [] : ['model/run.mjs'],
  simulation: sample ? [] : ['test/simulation/simulate.mjs', '--seed', '1'],
  fuzz: ['test/fuzz/fuzz.mjs', '--seed', '1', ...(sample ? ['--requests', '2000'] : [])],
  mutation: ['test/mutation/mutate.mjs', '--dry', ...(sample ? ['--sample', '10', '--seed', String(day)] : [])],
  // Live runs of verify, outages, bench and lab, the whole conformance suite, manifests' types, a million rows.
  live: sample ? [...jest, `test/${quickest[day % quickest.length]}`] : jest,
};

const unknown = wanted.filter((name) => !(name in proofs));
if (unknown.length > 0) {
  console.error(`no such proof: ${unknown.join(', ')}. There are: ${Object.keys(proofs).join(', ')}`);
  process.exit(1);
}

/** @type {string[]} */
const lines = [];
for (const [name, args] of Object.entries(proofs)) {
  if (args.length === 0 || (wanted.length > 0 && !wanted.includes(name))) continue;
  console.log(`\n== ${name}`);
  const startedMs = performance.now();
  const code = await run(args);
  const seconds = Math.round((performance.now() - startedMs) / 1_000);
  lines.push(`${code === 0 ? 'holds ' : 'FAILED'} ${name.padEnd(12)} ${String(seconds).padStart(5)} s`);
  if (code !== 0) process.exitCode = 1;
}
console.log(`\n${lines.join('\n')}`);

/** @param {readonly string[]} args @returns {Promise<number | null>} its exit code */
function run(args) {
  const child = spawn(process.execPath, args, { stdio: 'inherit' });
  return new Promise((resolve) => child.once('close', resolve));
}
