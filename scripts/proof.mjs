// @ts-check
import { spawn } from 'node:child_process';

/*
 * npm run proof [-- NAME…]
 * Runs every long proof in turn, all of them even when one fails; ends with 1 unless all hold. `npm test` has a short form
 * of each that guards behaviour.
 */

const jest = 'node_modules/jest/bin/jest.js';

/** @type {Readonly<Record<string, readonly string[]>>} what Node runs, by name */
const proofs = {
  model: ['model/run.mjs'],
  simulation: ['test/simulation/simulate.mjs', '--seed', '1'],
  fuzz: ['test/fuzz/fuzz.mjs', '--seed', '1'],
  mutation: ['test/mutation/mutate.mjs', '--dry'],
  // Live runs of verify, outages, bench and lab, the whole conformance suite, manifests' types, a million rows.
  live: [jest, '--config', 'test/proof/jest.config.mjs'],
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in proofs));
if (unknown.length > 0) {
  console.error(`no such proof: ${unknown.join(', ')}. There are: ${Object.keys(proofs).join(', ')}`);
  process.exit(1);
}

/** @type {string[]} */
const lines = [];
for (const [name, args] of Object.entries(proofs)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
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
