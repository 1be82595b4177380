import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { configurations } from '../../model/configurations.mjs';
import { mutants as rules } from '../../model/mutants.mjs';
import { type Catcher } from './catchers.mjs';
import { mutants } from './mutants.mjs';
import { readHunted } from './report.mjs';
import { checkEdit } from './source.mjs';

const run = promisify(execFile);

/** What is wrong with who is said to miss a guard. */
function faultOf(catcher: Catcher): string | undefined {
  switch (catcher.kind) {
    case 'simulation':
      return undefined;
    case 'spec':
      return existsSync(catcher.file) && readFileSync(catcher.file, 'utf8').includes(catcher.test)
        ? undefined
        : `${catcher.file} does not claim: ${catcher.test}`;
    case 'model':
      return catcher.configurations.find((name) => !configurations.some((known) => known.name === name));
    case 'rule':
      return rules.some(({ guard }) => guard === catcher.guard) ? undefined : catcher.guard;
  }
}

describe('the mutants', () => {
  it('fit the source: what each replaces is there, once', () => {
    const stale = mutants.flatMap((mutant) => {
      try {
        checkEdit(mutant);
        return [];
      } catch (error) {
        return [(error as Error).message];
      }
    });
    expect(stale).toEqual([]);
  });

  it('are each asked of somebody who is there', () => {
    expect(mutants.filter(({ by }) => by.length === 0).map(({ name }) => name)).toEqual([]);
    expect(mutants.flatMap(({ by }) => by.flatMap((catcher) => faultOf(catcher) ?? []))).toEqual([]);
  });

  it('are those of the last full run, in which every guard was missed', () => {
    const hunted = readHunted();
    expect(hunted.map(({ name, depth }) => [name, depth])).toEqual(
      mutants.map(({ name, depth = '' }) => [name, depth]),
    );
    expect(hunted.filter(({ ok }) => !ok)).toEqual([]);
  });
});

/** Some of each kind, quick ones; all of them are `npm run mutate`. */
it('a guard that is switched off is missed, by the model and by the simulation', async () => {
  const some = ['fence-row', 'epoch', 'release-stamp', 'placeholder', 'derived-stamps', 'fence-or-fail'];
  const { stdout } = await run(process.execPath, ['test/mutation/mutate.mjs', '--dry', ...some]);
  expect(stdout).toContain(`${some.length} of ${some.length} mutants caught`);
}, 600_000);
