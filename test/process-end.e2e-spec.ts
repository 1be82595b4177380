import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../scripts/services/folders.mjs';
import { freePort } from '../scripts/services/ports.mjs';
import { buildIfNeeded } from '../scripts/start/build.mjs';
import { inspectable, Inspector } from './support/inspector.mjs';
import { createMigratedDatabase } from './support/start-app.js';
import { until } from './support/until.js';

let database: Awaited<ReturnType<typeof createMigratedDatabase>>;
let folder: string;
let log: string;
let child: ChildProcess;

beforeAll(async () => {
  await buildIfNeeded(ROOT, { say: () => undefined, signal: AbortSignal.timeout(170_000) });
  database = await createMigratedDatabase();
  folder = mkdtempSync(join(tmpdir(), 'process-'));
}, 180_000);

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await database.drop();
});

afterEach(() => child.kill('SIGKILL'));

const text = () => readFileSync(log, 'utf8');
const fatal = () =>
  text()
    .split('\n')
    .filter((line) => line.includes('"level":"fatal"'))
    .map((line) => JSON.parse(line) as { msg: string; err?: { stack: string } });

async function start(env: NodeJS.ProcessEnv = {}): Promise<string> {
  run(env);
  await until(() => text().includes('ready url='));
  return /^ready url=(\S+)$/m.exec(text())![1]!;
}

function run(env: NodeJS.ProcessEnv): void {
  log = join(folder, `${Math.random()}.log`);
  const output = openSync(log, 'w');
  const { PATH, HOME } = process.env;
  child = spawn(process.execPath, [join(ROOT, 'dist', 'src', 'main.js')], {
    env: {
      PATH,
      HOME,
      NODE_ENV: 'production',
      PORT: '0',
      DATABASE_URL: database.url,
      CACHE_FEED: 'off',
      WARM_SCHEDULE: 'off',
      ...env,
    },
    stdio: ['ignore', output, output],
  });
  closeSync(output);
}

/** Until no new connection is accepted. */
const refused = (url: string) =>
  until(() =>
    fetch(url).then(
      () => false,
      () => true,
    ),
  );
const ended = async (): Promise<unknown> => (child.exitCode ?? (await once(child, 'exit'))[0]) as unknown;

/** A request whose body is not complete: it is running until `finish` is called. */
async function begin(url: string) {
  const body = JSON.stringify({ name: 'late', category: 'late', price: 1, quantity: 1 });
  const headers = { 'Content-Type': 'application/json', 'Content-Length': body.length, Expect: '100-continue' };
  const outgoing = request(`${url}/items`, { method: 'POST', headers });
  const answer = once(outgoing, 'response').then(
    ([res]) => (res as { statusCode: number }).statusCode,
    () => 'cut off',
  );
  await new Promise((resolve) => outgoing.once('continue', resolve).flushHeaders());
  return { answer, finish: () => outgoing.end(body) };
}

describe('an error that nobody caught', () => {
  it.each([
    ['thrown', `setTimeout(() => { throw new Error('boom thrown') })`],
    ['rejected', `void Promise.reject(new Error('boom rejected'))`],
  ])(
    'that is %s ends the process with 1, is logged as fatal, and lets running requests finish',
    async (how, expression) => {
      const url = await start({ NODE_OPTIONS: inspectable });
      const { answer, finish } = await begin(url);
      const inspector = await Inspector.of(log);
      await inspector.evaluate(expression);
      inspector.close();
      await until(() => fatal().length > 0);
      await refused(url);
      expect(child.exitCode).toBeNull();
      finish();
      expect(await answer).toBe(201);
      expect(await ended()).toBe(1);
      expect(fatal()).toEqual([expect.objectContaining({ msg: `boom ${how}`, context: 'Process' })]);
      expect(fatal()[0]!.err!.stack).toContain('boom');
    },
  );
});

describe('SIGTERM', () => {
  it('ends the process with 0 once running requests are answered', async () => {
    const url = await start();
    const { answer, finish } = await begin(url);
    child.kill('SIGTERM');
    await refused(url);
    finish();
    expect(await answer).toBe(201);
    expect(await ended()).toBe(0);
  });

  it('ends a process with 0 that is not ready yet, since it is warming', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    // Nobody answers there: the warming waits until its time is over, or it is told to end.
    run({ PORT: new URL(url).port, REDIS_URL: 'redis://127.0.0.1:1', WARM_AT_BOOT: 'recent' });
    await until(
      () =>
        fetch(`${url}/health/ready`).then(
          ({ status }) => status === 503,
          () => false,
        ),
      20_000,
    );
    child.kill('SIGTERM');
    expect(await ended()).toBe(0);
    expect(text()).not.toContain('cannot start');
  });

  it('for the second time ends it at once', async () => {
    const url = await start();
    const { answer } = await begin(url);
    child.kill('SIGTERM');
    await refused(url);
    child.kill('SIGTERM');
    expect(await ended()).toBe(1);
    expect(await answer).toBe('cut off');
  });

  it('cuts off what is not done by the deadline', async () => {
    const { answer } = await begin(await start({ DRAIN_TIMEOUT_MS: '300' }));
    child.kill('SIGTERM');
    expect(await answer).toBe('cut off');
    expect(await ended()).toBe(0);
  });
});
