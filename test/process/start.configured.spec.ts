import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { recordsIn, stopLeftovers } from '../../scripts/services/records.mjs';
import { starterIn } from '../support/services/starter.js';

const { folder, start, stopAll } = starterIn();
afterEach(stopAll);
afterAll(() => stopLeftovers(recordsIn(folder)));

test('what is configured is used as it is, and locks nothing', async () => {
  const first = start();
  await first.ready;
  const { DATABASE_URL, REDIS_URL } = first.given();
  const second = start({ DATABASE_URL, REDIS_URL });
  await second.ready;
  expect(second.given()).toMatchObject({ DATABASE_URL, REDIS_URL });
});

test('without any way to a Redis it starts degraded and says how to get one', async () => {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  symlinkSync('/usr/bin/id', join(bin, 'id'));
  const started = start({ PATH: bin }, ['--cache', join(folder, 'empty')]);
  await started.ready;
  expect(started.given().REDIS_URL).toBe('');
  expect(started.output()).toMatch(/brew install redis.*docker run.*REDIS_URL=/);
});

test('production provides nothing', async () => {
  const bare = start({ NODE_ENV: 'production' });
  expect(await bare.exitCode).toBe(1);
  expect(bare.output()).toContain('DATABASE_URL');
  const given = start({ NODE_ENV: 'production', DATABASE_URL: 'postgres://elsewhere/db' });
  await given.ready;
  expect(given.given()).toMatchObject({ NODE_ENV: 'production', REDIS_URL: '', ADMIN_TOKEN: '' });
  expect(given.output()).not.toContain('admin_token');
});
