import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { childrenOf, identify, parentOf } from '../../scripts/services/process.mjs';
import { recordsIn, remember, stopLeftovers } from '../../scripts/services/records.mjs';
import { starterIn } from '../support/services/starter.js';
import { until } from '../support/until.js';

const { folder, start, left, stopAll } = starterIn();
const lock = join(folder, 'lock');
afterEach(stopAll);
afterAll(() => stopLeftovers(recordsIn(folder)));

const isGone = (pid: number): boolean => identify(pid) === undefined;

test.each(['SIGINT', 'SIGTERM'] as const)(
  '%s to everybody at once: the services outlive the draining application',
  async (signal) => {
    const started = start();
    await started.ready;
    const noted = left();
    expect(noted.map(({ name }) => name).sort()).toEqual(['app', 'postgres', 'redis']);
    process.kill(-started.child.pid!, signal);
    process.kill(-started.child.pid!, signal);
    expect(await started.exitCode).toBe(0);
    expect(started.output()).toContain(`last answers N +PONG ${signal}`);
    expect(started.output().match(/last answers/g)).toHaveLength(1);
    expect(noted.filter(({ pid }) => !isGone(pid))).toEqual([]);
    expect(existsSync(lock)).toBe(false);
  },
);

test('after a kill -9 of the starter its services end by themselves', async () => {
  const started = start();
  await started.ready;
  const services = left().filter(({ name }) => name !== 'app');
  started.child.kill('SIGKILL');
  await until(() => services.every(({ pid }) => isGone(pid)));
});

test('what a kill -9 of everything around them left running, the application too, is stopped by the next start', async () => {
  const killed = start();
  await killed.ready;
  const noted = left();
  const services = noted.filter(({ name }) => name !== 'app');
  for (const { pid } of services) {
    const shell = parentOf(pid)!;
    for (const around of [...childrenOf(shell), shell]) if (around !== pid) process.kill(around, 'SIGKILL');
  }
  killed.child.kill('SIGKILL');
  await until(() => isGone(killed.child.pid!));
  expect(noted.filter(({ pid }) => isGone(pid))).toEqual([]);

  const next = start();
  await next.ready;
  for (const { name, pid } of noted) expect(next.output()).toContain(`${name} (pid ${pid})`);
  expect(noted.filter(({ pid }) => !isGone(pid))).toEqual([]);
});

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
