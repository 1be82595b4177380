import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { childrenOf, identify, parentOf } from '../../scripts/services/process.mjs';
import { recordsIn, stopLeftovers } from '../../scripts/services/records.mjs';
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
