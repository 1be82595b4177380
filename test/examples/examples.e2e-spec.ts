import { execFile, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { sharedRedis, type SharedRedis } from '../support/services.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { examplesIn, run } from './http-file.js';

const execute = promisify(execFile);
/** The one example that wants a program besides Node.js; `.ci/run` has it. */
const withCurl = spawnSync('curl', ['--version']).status === 0 ? it : it.skip;
const token = 'the-token-of-the-examples';

describe('the examples for clients', () => {
  let redis: SharedRedis;
  let app: TestApp;
  beforeAll(async () => {
    redis = await sharedRedis();
    app = await startApp({ redis: redis.url, env: { ADMIN_TOKEN: token } });
  });
  afterAll(async () => {
    await app.close();
  });

  withCurl('with curl do what their comments say', async () => {
    const { stdout } = await execute('bash', ['docs/examples/items.sh'], { env: { ...process.env, url: app.url } });
    const [notModified, replaced, tooLate, page, deleted] = stdout.trim().split('\n');
    expect([notModified, replaced, tooLate, deleted]).toEqual(['304', '200', '412', '204']);
    expect(JSON.parse(page!)).toMatchObject({ data: [{ name: 'Bow saw', price: 22 }], nextCursor: null });
  });

  withCurl('in the tour of the README print what stands below them', async () => {
    const tour = /<!-- tour -->\n\n```sh\n(.+?)```\n\n<!-- tour answers -->\n\n```\n(.+?)```/s;
    const [, commands = '', answers = ''] = tour.exec(readFileSync('README.md', 'utf8')) ?? [];
    const { stdout } = await execute('bash', ['-c', commands.replace('http://127.0.0.1:3000', app.url)]);
    const masked = (text: string) => text.replaceAll('\r', '').replace(/ttl=\d+/g, 'ttl=…');
    expect(masked(stdout)).toBe(masked(answers));
    expect(answers).toContain('Cache-Status: strata-api; hit');
  });

  it('with fetch lose no change and miss no page', async () => {
    const { stdout } = await execute(process.execPath, ['docs/examples/items.mjs', app.url]);
    expect(stdout).toBe('Spokeshave: 0\n');
  });

  it('for editors are answered what stands above them', async () => {
    const examples = examplesIn(readFileSync('docs/examples/items.http', 'utf8'));
    expect(examples.length).toBe(13);
    const found = await run(examples, { url: app.url, token });
    expect(found).toEqual(examples.map(({ status, title }) => `${status}: ${title}`));
  });

  it('have an OpenAPI document next to them, which is that of the service (npm run docs:generate)', async () => {
    const { body } = await app.http.get('/docs-json').expect(200);
    expect(JSON.parse(readFileSync('docs/openapi.json', 'utf8'))).toEqual(body);
  });
});
