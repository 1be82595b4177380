import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { identify } from '../../scripts/services/process.mjs';
import { recordsIn, remember, stopLeftovers } from '../../scripts/services/records.mjs';
import { starterIn } from '../support/services/starter.js';

const { folder, start, left, stopAll } = starterIn();
const lock = join(folder, 'lock');
afterEach(stopAll);
afterAll(() => stopLeftovers(recordsIn(folder)));

const isGone = (pid: number): boolean => identify(pid) === undefined;

test('when its npm is gone it stops, and the next start waits for that', async () => {
  const npm = join(folder, 'npm.mjs');
  writeFileSync(
    npm,
    `import { spawn } from 'node:child_process';
     process.title = 'npm start';
     spawn(process.execPath, process.argv.slice(2), { stdio: 'inherit', env: { ...process.env, npm_lifecycle_event: 'start' } });`,
  );
  const orphaned = start({}, [], [npm]);
  await orphaned.ready;
  const holder = JSON.parse(readFileSync(lock, 'utf8'));
  expect(holder.launcher.pid).toBe(orphaned.child.pid);
  expect(await start().exitCode).toBe(1);

  orphaned.child.kill('SIGKILL');
  await start().ready;
  expect(isGone(holder.pid)).toBe(true);
  await stopAll();

  const left = start({}, [], [npm]);
  await left.ready;
  left.child.kill('SIGKILL');
  expect(await left.exitCode).toBeNull();
  expect(existsSync(lock)).toBe(false);
});

test('a process that got the pid of a former one is not taken for it', async () => {
  const innocent = spawn('sleep', ['60']);
  const record = { pid: innocent.pid!, started: '1' };
  mkdirSync(recordsIn(folder), { recursive: true });
  remember(recordsIn(folder), { ...record, name: 'postgres', signal: 'SIGINT' });
  writeFileSync(lock, JSON.stringify({ ...record, since: 'long ago' }));
  try {
    await start().ready;
    expect(isGone(innocent.pid!)).toBe(false);
  } finally {
    innocent.kill();
  }
});

test('it ends with the exit code of the application, and the services end with it', async () => {
  const failing = start({ EXIT_WITH: '3' });
  expect(await failing.exitCode).toBe(3);
  expect(left()).toEqual([]);

  const crashing = start();
  await crashing.ready;
  process.kill(crashing.given().pid, 'SIGKILL');
  expect(await crashing.exitCode).toBe(128 + 9);
  expect(left()).toEqual([]);
  expect(existsSync(lock)).toBe(false);
});
