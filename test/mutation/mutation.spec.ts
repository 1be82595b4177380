import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Two guards; all of them are `npm run mutate`. Begins with the check that every mutant still fits its source. */
it('a guard that is switched off is missed', async () => {
  const { stdout } = await run(process.execPath, ['test/mutation/mutate.mjs', 'join', 'fence-row']);
  expect(stdout).toContain('2 of 2 mutants caught');
}, 120_000);
