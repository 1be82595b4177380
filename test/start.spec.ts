import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import pg from 'pg';
import { childrenOf, identify, parentOf } from '../scripts/services/process.mjs';
import { recordsIn, remember, stopLeftovers } from '../scripts/services/records.mjs';
import { nodeFlags } from '../scripts/start/node-flags.mjs';
import { starterIn } from './support/services/starter.js';
import { until } from './support/until.js';

const { folder, start, left, stopAll } = starterIn();
const lock = join(folder, 'lock');
afterEach(stopAll);
afterAll(() => stopLeftovers(recordsIn(folder)));

const isGone = (pid: number): boolean => identify(pid) === undefined;

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<Record<string, unknown>>(sql);
  await client.end();
  return rows;
}

async function redis<T>(url: string, work: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(url);
  const result = await work(client);
  client.disconnect();
  return result;
}

test('it gives the application a database, a Redis and a token, prints where it is, and keeps the data', async () => {
  const first = start();
  await first.ready;
  const { DATABASE_URL, REDIS_URL, ADMIN_TOKEN, NODE_ENV } = first.given();
  expect(NODE_ENV).toBe('development');
  expect(ADMIN_TOKEN).toMatch(/^[\w-]{32,}$/);
  expect(first.output()).toContain(`ready url=http://127.0.0.1:1 admin_token=${ADMIN_TOKEN}\n`);
  await query(DATABASE_URL!, 'CREATE TABLE kept AS SELECT 7 AS n');
  expect(
    await query(
      DATABASE_URL!,
      `SELECT current_setting('wal_level') AS wal, current_setting('listen_addresses') AS listens,
         current_setting('unix_socket_directories') AS sockets, current_setting('server_encoding') AS encoding`,
    ),
  ).toEqual([{ wal: 'logical', listens: '127.0.0.1', sockets: '', encoding: 'UTF8' }]);
  await redis(REDIS_URL!, async (client) => {
    expect(await client.config('GET', 'maxmemory-policy')).toContain('volatile-lfu');
    await client.set('kept', '7');
  });
  first.child.kill('SIGTERM');
  expect(await first.exitCode).toBe(0);
  expect(left()).toEqual([]);
  expect(existsSync(lock)).toBe(false);

  const second = start({ ADMIN_TOKEN: 'chosen-by-the-operator' });
  await second.ready;
  expect(second.given().ADMIN_TOKEN).toBe('chosen-by-the-operator');
  expect(await query(second.given().DATABASE_URL!, 'SELECT n FROM kept')).toEqual([{ n: 7 }]);
  expect(await redis(second.given().REDIS_URL!, (client) => client.get('kept'))).toBe('7');
});

test('a second start in the same clone is refused, names the first and leaves it alone', async () => {
  const first = start();
  await first.ready;
  const second = start();
  expect(await second.exitCode).toBe(1);
  expect(second.output()).toContain(`already started: process ${first.child.pid}`);
  expect(await query(first.given().DATABASE_URL!, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
});

test('two starts at the same moment: one runs, one is refused', async () => {
  const both = [start(), start()];
  const outcomes = await Promise.allSettled(both.map(({ ready }) => ready));
  expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
});

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

test('the image and this start give Node the same flags', async () => {
  const command = /^CMD (.*)$/m.exec(readFileSync('Dockerfile', 'utf8'))?.[1];
  expect(JSON.parse(command!)).toEqual(['node', ...nodeFlags, 'dist/src/main.js']);
  const started = start();
  await started.ready;
  expect(started.given().flags).toEqual(nodeFlags);
});
