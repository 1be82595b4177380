import { join } from 'node:path';
import { migrations } from '../../migrations/index.js';
import { BuiltCopy, countRows } from '../support/built-copy.js';
import { buildLimitMs } from '../support/service-process.js';
import { createDatabase } from '../support/services.js';
import { testEnvironment, uniqueName } from '../support/services/environment.mjs';

const copy = new BuiltCopy(join(testEnvironment().folder, uniqueName('scripts')));
beforeAll(() => copy.make(), buildLimitMs);

test('with DATABASE_URL: seed migrates and fills that database, migration:revert undoes one', async () => {
  const filled = await createDatabase();
  const seeded = await copy.run('seed', [], filled.url);
  expect(seeded).toMatchObject({ code: 0, output: expect.stringContaining('demo items: 1000') });
  expect(await countRows(filled.url, 'items')).toBe(1_000);
  expect(await countRows(filled.url, 'migrations')).toBe(migrations.length);

  expect(await copy.run('migration:revert', [], filled.url)).toMatchObject({ code: 0 });
  expect(await countRows(filled.url, 'migrations')).toBe(migrations.length - 1);
  await filled.drop();
}, 300_000);
