// @ts-check
import { transformSync } from '@swc/core';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { configurations } from '../../model/configurations.mjs';
import { mutants as rules } from '../../model/mutants.mjs';
import { huntMutant } from '../../model/tasks.mjs';
import { mutants } from './mutants.mjs';
import { mutate } from './source.mjs';

/*
 * node test/mutation/model-hunt.mjs MUTANT CATCHER
 * Explores the model's configurations with the mutated decisions (or the model's own mutant of a rule), and prints what
 * broke and after how many states.
 */

const [name, nth] = process.argv.slice(2);
const mutant = mutants.find((one) => one.name === name);
const catcher = mutant?.by[Number(nth)];
if (!mutant || !catcher) throw new Error(`no such mutant or catcher: ${name} ${nth}`);

const sources = ['src/cache/core/decisions.ts', 'src/cache/core/snapshot.ts'];
const folder = mkdtempSync(join(tmpdir(), 'strata-mutant-'));
try {
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  for (const file of sources) {
    const source = readFileSync(file, 'utf8');
    const text = catcher.kind === 'model' && file === mutant.file ? mutate(source, mutant) : source;
    const { code } = transformSync(text, { jsc: { target: 'es2022', parser: { syntax: 'typescript' } } });
    writeFileSync(join(folder, basename(file, '.ts') + '.js'), code);
  }
  const decisions = await import(pathToFileURL(join(folder, 'decisions.js')).href);
  const rule = catcher.kind === 'rule' ? rules.find(({ guard }) => guard === catcher.guard) : undefined;
  if (catcher.kind === 'rule' && !rule) throw new Error(`the model has no rule called ${catcher.guard}`);
  const hunted = rule ?? { guard: mutant.guard, where: catcher.kind === 'model' ? catcher.configurations : [] };
  // As if it were to survive: then `ok` says that the search was exhaustive.
  const { result } = huntMutant({ ...hunted, depth: 'it is asked' }, configurations, decisions);
  const { caughtBy, states, ok: exhaustive } = result;
  console.log(JSON.stringify({ caughtBy, states, exhaustive }));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
