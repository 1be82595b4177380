import { type ChildProcess, spawn } from 'node:child_process';
import { sharedRedis, type SharedRedis } from '../support/services.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { until } from '../support/until.js';
import { adminEnv, adminToken, GatedWarmer, insertItems } from '../support/warming.js';

describe('npm run warm', () => {
  let redis: SharedRedis;
  let app: TestApp;
  let gated: GatedWarmer;
  const running: ChildProcess[] = [];
  beforeAll(async () => {
    redis = await sharedRedis();
    app = await startApp({ redis: redis.url, env: adminEnv });
    await insertItems(app, 450);
    gated = GatedWarmer.on(app, 4);
  });
  afterAll(async () => {
    for (const child of running) child.kill('SIGKILL');
    gated.open();
    await app.close();
  });

  function warm(args: readonly string[], token = adminToken) {
    const env = { ...process.env, ADMIN_TOKEN: token };
    const child = spawn(process.execPath, ['scripts/warm.mjs', '--url', app.url, ...args], { env });
    running.push(child);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += String(chunk)));
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    return { child, ended, output: () => output };
  }

  it('waits until everything is warm', async () => {
    const { ended, output } = warm(['--entity', 'items', '--strategy', 'recent', '--limit', '400']);
    expect(await ended).toBe(0);
    expect(output()).toMatch(/completed 100 %: 400 warmed/);
    expect(output()).toMatch(/400 warmed, 0 already cached, 0 refused in [\d.]+ s/);
  });

  it('cancels its job at Ctrl-C', async () => {
    const { child, ended, output } = warm(['--entity', 'gated', '--strategy', 'all']);
    await until(() => gated.begun.length === 1 && output().includes('job'));
    child.kill('SIGINT');
    expect(await ended).toBe(130);
    expect(output()).toMatch(/job \d+ is cancelled/);
    gated.letThrough();
  });

  it.each([
    ['where nothing listens', ['--url', 'http://127.0.0.1:1'], 1, /no service answers at http:\/\/127.0.0.1:1/],
    ['for a wrong token', ['--token', 'x'.repeat(20)], 1, /the admin token is missing or wrong/],
    ['for what the service refuses', ['--limit', '0'], 1, /answers 400.*\n {2}limit must be a whole number from 1/],
    ['for an option that there is not', ['--all'], 2, /Unknown option '--all'/],
  ])('says what is wrong %s', async (_, args, code, message) => {
    const { ended, output } = warm(['--entity', 'items', ...args]);
    expect(await ended).toBe(code);
    expect(output()).toMatch(message);
  });
});
