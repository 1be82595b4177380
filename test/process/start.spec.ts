import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import pg from 'pg';
import { recordsIn, stopLeftovers } from '../../scripts/services/records.mjs';
import { nodeFlags } from '../../scripts/start/node-flags.mjs';
import { starterIn } from '../support/services/starter.js';

const { folder, start, left, stopAll } = starterIn();
const lock = join(folder, 'lock');
afterEach(stopAll);
afterAll(() => stopLeftovers(recordsIn(folder)));

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

test('the image and this start give Node the same flags', async () => {
  const command = /^CMD (.*)$/m.exec(readFileSync('Dockerfile', 'utf8'))?.[1];
  expect(JSON.parse(command!)).toEqual(['node', ...nodeFlags, 'dist/src/main.js']);
  const started = start();
  await started.ready;
  expect(started.given().flags).toEqual(nodeFlags);
});
