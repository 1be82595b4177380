import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import pg from 'pg';
import { ROOT } from '../../scripts/services/folders.mjs';
import { freePort, isFree } from '../../scripts/services/ports.mjs';
import { identify, isRunning } from '../../scripts/services/process.mjs';
import { HOW_TO_GET_REDIS, findRedis } from '../../scripts/services/redis-binary.mjs';
import { openTestFolder } from '../../scripts/services/test-folder.mjs';
import { recordsIn, remember } from '../../scripts/services/records.mjs';
import { runWatched } from '../../scripts/services/watched.mjs';
import { createDatabase, startPostgres, startRedis } from '../support/services.js';
import { testEnvironment } from '../support/services/environment.mjs';
import { until } from '../support/until.js';

const isGone = (pid: number): boolean => identify(pid) === undefined;
const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

function redisClient(url: string, commandTimeout = 30_000): Redis {
  const client = new Redis(url, { commandTimeout, maxRetriesPerRequest: 0, retryStrategy: () => 20 });
  client.on('error', () => undefined);
  undo.push(() => client.disconnect());
  return client;
}

async function sqlClient(url: string, config: pg.ClientConfig = {}): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, ...config });
  client.on('error', () => undefined);
  await client.connect();
  undo.push(() => client.end());
  return client;
}

describe('a Redis of one test file', () => {
  test('is another server than that of any other', async () => {
    const [one, other] = await Promise.all([startRedis(), startRedis()]);
    undo.push(one.stop, other.stop);
    await redisClient(one.url).set('key', 'value');
    expect(await redisClient(other.url).get('key')).toBeNull();
  });

  test('comes back on its port, empty, after a kill and after a polite end', async () => {
    const redis = await startRedis();
    undo.push(redis.stop);
    const client = redisClient(redis.url);
    await client.set('key', 'value');
    const { pid } = redis;
    await redis.kill();
    expect(isGone(pid)).toBe(true);
    await redis.restart();
    expect(redis.pid).not.toBe(pid);
    await until(() =>
      client.get('key').then(
        (value) => value === null,
        () => false,
      ),
    );
    await client.set('key', 'value');
    await redis.restart();
    await until(() =>
      client.get('key').then(
        (value) => value === null,
        () => false,
      ),
    );
  });

  test('keeps its data when the arguments ask for it', async () => {
    const redis = await startRedis({ args: ['--appendonly', 'yes'] });
    undo.push(redis.stop);
    const client = redisClient(redis.url);
    await client.set('key', 'value');
    await redis.kill();
    await redis.restart();
    await until(() =>
      client.get('key').then(
        (value) => value === 'value',
        () => false,
      ),
    );
  });

  test('does not answer while paused, and can be stopped then', async () => {
    const redis = await startRedis();
    await redisClient(redis.url).ping();
    redis.pause();
    await expect(redisClient(redis.url, 300).ping()).rejects.toThrow('timed out');
    redis.resume();
    expect(await redisClient(redis.url).ping()).toBe('PONG');
    redis.pause();
    const { pid } = redis;
    await redis.stop();
    expect(isGone(pid)).toBe(true);
  });

  test('a port that is taken is an error that says so', async () => {
    const redis = await startRedis();
    undo.push(redis.stop);
    await expect(startRedis({ port: redis.port })).rejects.toThrow('Address already in use');
  });
});

describe('PostgreSQL', () => {
  test('gives each caller a database of its own, also all at once', async () => {
    const databases = await Promise.all(Array.from({ length: 5 }, createDatabase));
    undo.push(...databases.map(({ drop }) => drop));
    expect(new Set(databases.map(({ url }) => url)).size).toBe(5);
    const client = await sqlClient(databases[0]!.url);
    const { rows } = await client.query('SELECT count(*)::int AS n FROM pg_tables WHERE schemaname = $1', ['public']);
    expect(rows).toEqual([{ n: 0 }]);
  });

  test('a database goes even while somebody is connected and a replication slot is read', async () => {
    const { url, drop } = await createDatabase();
    const client = await sqlClient(url);
    await client.query('CREATE PUBLICATION p FOR ALL TABLES');
    await client.query("SELECT pg_create_logical_replication_slot('to_drop', 'pgoutput')");
    const reader = await sqlClient(url, { replication: 'database' } as pg.ClientConfig);
    const options = "proto_version '1', publication_names 'p'";
    reader.query(`START_REPLICATION SLOT to_drop LOGICAL 0/0 (${options})`).catch(() => undefined);
    const active = async (): Promise<boolean> =>
      (await client.query("SELECT 1 FROM pg_replication_slots WHERE slot_name = 'to_drop' AND active")).rowCount === 1;
    await until(active);
    await drop();
    await expect(sqlClient(url)).rejects.toThrow('does not exist');
  });

  test('a slot sees a commit as soon as it is answered', async () => {
    const { url, drop } = await createDatabase();
    undo.push(drop);
    const client = await sqlClient(url);
    await client.query('CREATE TABLE t (n int)');
    await client.query("SELECT pg_create_logical_replication_slot('seen', 'test_decoding')");
    await client.query('INSERT INTO t VALUES (1)');
    const { rows } = await client.query("SELECT data FROM pg_logical_slot_get_changes('seen', NULL, NULL)");
    expect(rows.map(({ data }) => String(data)).join()).toContain('INSERT');
  });

  test('one of its own keeps what was committed through a kill, is silent while paused, and leaves nothing', async () => {
    const server = await startPostgres();
    undo.push(server.stop);
    const { url } = await server.createDatabase();
    const client = await sqlClient(url);
    await client.query('CREATE TABLE t AS SELECT 1 AS n');
    const { pid } = server;
    await server.kill();
    expect(isGone(pid)).toBe(true);
    await server.restart();
    const again = await sqlClient(url);
    expect((await again.query('SELECT n FROM t')).rows).toEqual([{ n: 1 }]);

    server.pause();
    const answer = again.query('SELECT n FROM t');
    expect(await Promise.race([answer, sleep(30, 'silence')])).toBe('silence');
    server.resume();
    expect((await answer).rows).toEqual([{ n: 1 }]);
    server.pause();
    await server.stop();
    expect(isGone(server.pid)).toBe(true);
  });
});

describe('what is under them', () => {
  test('a free port is free, and no outgoing connection will take it', async () => {
    const port = await freePort();
    expect(port).toBeGreaterThanOrEqual(15_000);
    expect(port).toBeLessThan(30_000);
    const server = createServer().listen(port, '127.0.0.1');
    undo.push(() => server.close());
    await until(() => server.listening);
    expect(await isFree(port)).toBe(false);
  });

  test.each(['as it is', 'while it is paused'])(
    'a kill -9 of whoever started a service ends the service %s',
    async (how) => {
      const script = join(testEnvironment().folder, 'leash.mjs');
      writeFileSync(
        script,
        `import { leash } from ${JSON.stringify(join(ROOT, 'scripts/services/leash.mjs'))};
       const { identity } = await leash('sleep', ['1000'], { onEnd: 'SIGTERM', log: '/dev/null', cwd: '/' });
       console.log(identity.pid);
       setInterval(() => undefined, 1000);`,
      );
      const starter = spawn(process.execPath, [script]);
      const pid = await new Promise<number>((resolve) => starter.stdout.once('data', (line) => resolve(Number(line))));
      expect(isGone(pid)).toBe(false);
      if (how !== 'as it is') process.kill(pid, 'SIGSTOP');
      starter.kill('SIGKILL');
      await until(() => isGone(pid));
    },
  );

  test('a pid is the same process only if it started at the same moment', () => {
    const us = identify(process.pid)!;
    expect(isRunning(us)).toBe(true);
    expect(isRunning({ ...us, started: `${us.started}0` })).toBe(false);
    expect(isRunning({ pid: 0, started: us.started })).toBe(false);
  });

  test('the next run of the tests removes what a killed one left, and nothing of one that runs', async () => {
    const parent = join(testEnvironment().folder, 'runs');
    const mine = await openTestFolder(parent);
    const killed = join(parent, 'test-999999999-1');
    const orphan = spawn('sleep', ['60']);
    const ended = new Promise((resolve) => orphan.once('exit', resolve));
    remember(recordsIn(join(killed, 'start')), { ...identify(orphan.pid!)!, name: 'redis', signal: 'SIGTERM' });
    writeFileSync(join(killed, 'postgres.log'), '');
    writeFileSync(join(mine, 'kept'), 'yes');
    await Promise.all([ended, openTestFolderOfAnother(parent)]);
    expect(isGone(orphan.pid!)).toBe(true);
    expect(readFileSync(join(mine, 'kept'), 'utf8')).toBe('yes');
  });

  test('without Redis on PATH, in the cache and in packages, there is none and the remedy is named', async () => {
    const nowhere = { cache: join(testEnvironment().folder, 'empty'), path: '/nonexistent' };
    expect(await findRedis(nowhere)).toBeUndefined();
    expect(HOW_TO_GET_REDIS).toMatch(/brew install redis.*apt install redis-server/);
  });

  test('several that need Redis at once unpack it once in each process, and all of them get it', async () => {
    const folder = mkdtempSync(join(testEnvironment().folder, 'unpacking-'));
    const [bin, cache, downloads] = [join(folder, 'bin'), join(folder, 'cache'), join(folder, 'downloads')];
    mkdirSync(bin);
    // In place of the tools of Debian: a package that holds a server which answers to --version.
    const tools = {
      'apt-get': `case "$*" in *download*) echo >> ${downloads}; /bin/sleep 0.3; : > redis.deb;; *) echo Inst redis-server;; esac`,
      dpkg: `/bin/mkdir -p $3/usr/bin && echo '#!/bin/sh' > $3/usr/bin/redis-server && /bin/chmod +x $3/usr/bin/redis-server`,
    };
    for (const [name, text] of Object.entries(tools))
      writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    const others = [1, 2].map(() => foundByAnother({ cache, path: bin }));
    const found = await Promise.all([1, 2, 3].map(() => findRedis({ cache, path: bin })));
    const path = join(cache, 'root', 'usr', 'bin', 'redis-server');
    expect(found.map((redis) => redis?.path)).toEqual([path, path, path]);
    expect(await Promise.all(others)).toEqual([path, path]);
    expect(readFileSync(downloads, 'utf8').length).toBeLessThanOrEqual(3);
    expect(readdirSync(cache)).toEqual(['root']);
  });

  test('a download may take its time while bytes arrive, and is given up when none do', async () => {
    // A folder of its own: other test files write to the one above it.
    const folder = mkdtempSync(join(testEnvironment().folder, 'download-'));
    const watch = (stalledMs: number) => runWatched({ folder, stalledMs, signal: undefined, env: process.env });
    const slow = 'for i in 1 2 3 4 5 6 7; do echo $i >> slow; sleep 0.2; done; echo done';
    let stalledMs = 1_000;
    // Where the machine stands still for that long, no bytes arrive: then it may take more time.
    await until(async () => {
      const output = await watch(stalledMs)('sh', ['-c', slow], folder);
      stalledMs *= 2;
      return output === 'done\n';
    });
    // Whoever waits for these waits longer than the test.
    const run = watch(1_000);
    expect(await run('sleep', ['600'], folder)).toBeUndefined();
    expect(await run('sleep', ['600'], folder)).toBeUndefined();
  });
});

/** @returns the path that another process finds */
async function foundByAnother(where: { readonly cache: string; readonly path: string }): Promise<string> {
  const module = JSON.stringify(join(ROOT, 'scripts/services/redis-binary.mjs'));
  const code = `import(${module}).then(({ findRedis }) => findRedis(${JSON.stringify(where)})).then(({ path }) => console.log(path))`;
  const { stdout } = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  return (await text(stdout)).trim();
}

function openTestFolderOfAnother(parent: string): Promise<unknown> {
  const module = JSON.stringify(join(ROOT, 'scripts/services/test-folder.mjs'));
  const code = `import(${module}).then(({ openTestFolder }) => openTestFolder(${JSON.stringify(parent)}))`;
  return new Promise((resolve) => spawn(process.execPath, ['-e', code], { stdio: 'ignore' }).once('exit', resolve));
}
