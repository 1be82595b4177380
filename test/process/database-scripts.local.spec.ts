import { readdirSync } from 'node:fs';
import { recordsIn, stopLeftovers } from '../../scripts/services/records.mjs';
import { BuiltCopy, countRows } from '../support/built-copy.js';
import { buildLimitMs } from '../support/service-process.js';
import { starterIn } from '../support/services/starter.js';

const { folder, start, left, stopAll } = starterIn();
const copy = new BuiltCopy(folder);
beforeAll(() => copy.make(), buildLimitMs);
afterEach(stopAll);
afterAll(() => stopLeftovers(recordsIn(folder)));

test('without DATABASE_URL, the database of a running start is used; where none runs, it is started for the command', async () => {
  const started = start();
  await started.ready;
  const { DATABASE_URL: url = '' } = started.given();
  const running = left();
  expect(await copy.run('seed')).toMatchObject({ code: 0, output: expect.stringContaining('demo items: 1000') });
  expect(await countRows(url, 'items')).toBe(1_000);
  expect(left()).toEqual(running);
  await stopAll();

  const reverted = await copy.run('migration:revert');
  expect(reverted).toMatchObject({ code: 0, output: expect.stringContaining('reverted successfully') });
  expect(left()).toEqual([]);
  expect(readdirSync(folder)).not.toContain('lock');
}, 300_000);
