import { request } from 'node:http';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { ClassSerializerInterceptor, VersioningType } from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { type NestExpressApplication } from '@nestjs/platform-express';
import { Representations } from '../../src/cache/index.js';
import { LaneTally } from '../../src/cache/api/lane/lane-tally.js';
import { EnvelopeWhereWanted, kinds, kindsModule, pathOf, type Runs } from './kinds.js';
import { sharedRedis } from './services.js';
import { startApp, type TestApp } from './start-app.js';

interface Answer {
  readonly status: string;
  readonly fields: readonly string[];
  readonly body: string;
}

/** What may differ between an answer that was stored and one that was not. */
const ofTheMoment = new Set(['age', 'date', 'cache-status']);

/** As it comes over the wire; the order of fields says nothing. */
function ask(node: TestApp, path: string, method = 'GET', fields: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(`${node.url}${path}`, {
      method,
      agent: false,
      setHost: false,
      headers: { Host: 'kinds.test', ...fields },
    });
    asked.on('error', reject).on('response', (res) => {
      const chunks: Buffer[] = [];
      res.on('data', (chunk: Buffer) => chunks.push(chunk));
      res.on('error', reject).on('end', () => {
        const { rawHeaders } = res;
        const fields = rawHeaders.flatMap((name, at) =>
          at % 2 === 0 ? [`${name.toLowerCase()}: ${rawHeaders[at + 1]}`] : [],
        );
        resolve({
          status: `${res.statusCode} ${res.statusMessage}`,
          fields: fields.filter((field) => !ofTheMoment.has(field.split(':')[0]!)).sort(),
          body: Buffer.concat(chunks).toString('latin1'),
        });
      });
    });
    asked.end();
  });
}

export interface SetUp {
  readonly stockAdapter: boolean;
  /** Under a prefix, with versions in paths and with middleware. */
  readonly base: '' | '/api/v1';
  readonly lane: 'on' | 'off';
}

const serves = new EnvelopeWhereWanted();

async function start({ stockAdapter, base }: SetUp, runs: Runs, env: Record<string, string>): Promise<TestApp> {
  const configure = (app: NestExpressApplication) => {
    if (stockAdapter) app.disable('x-powered-by');
    app.set('view', View);
    app.useGlobalInterceptors(serves);
    if (base === '') return;
    app.setGlobalPrefix('api');
    app.enableVersioning({ type: VersioningType.URI });
    app.use((_req: unknown, res: { setHeader(name: string, value: string): void }, next: () => void) => {
      res.setHeader('Referrer-Policy', 'no-referrer');
      next();
    });
  };
  return startApp({
    redis: (await sharedRedis()).url,
    imports: [kindsModule(runs)],
    providers: [{ provide: APP_INTERCEPTOR, useClass: ClassSerializerInterceptor }],
    stockAdapter,
    configure,
    env,
  });
}

/** Renders without files. */
class View {
  readonly path: string;

  constructor(readonly name: string) {
    this.path = name;
  }

  render(options: { readonly message: string }, done: (error: null, html: string) => void): void {
    done(null, `<p>${options.message}</p>`);
  }
}

/** The answers of every kind of handler, compared with those of the same application whose api layer is switched off. */
export function comparesEveryKind(setUp: SetUp): void {
  let without: TestApp;
  let withCache: TestApp;
  const runs: Runs = new Map();

  beforeAll(async () => {
    without = await start(setUp, new Map(), { CACHE_API: 'off' });
    withCache = await start(setUp, runs, { CACHE_FAST_LANE: setUp.lane });
  });

  afterAll(async () => {
    await without.close();
    await withCache.close();
  });

  it.each(Object.entries(kinds))('is the same with the cache and without it: %s', async (name, { kept, bytes }) => {
    const path = `${setUp.base}/kept/${pathOf(name)}`;
    const expected = { GET: await ask(without, path), HEAD: await ask(without, path, 'HEAD') };
    // A miss; a hit that Nest answers, which the lane records if the next one agrees; two that the lane may answer.
    for (const method of ['GET', 'GET', 'GET', 'GET', 'HEAD'] as const)
      expect(await ask(withCache, path, method)).toEqual(expected[method]);
    expect(runs.get(pathOf(name))).toBe(kept ? 1 : 5);
    // Nest prints bytes as JSON where they are not kept.
    if (bytes) return;
    const bare = await ask(without, path.replace('/kept/', '/bare/'));
    const { status, body, fields } = expected.GET;
    const told = bare.fields.filter((field) => !/^(etag|vary):/.test(field));
    expect({ status, body, fields: told.filter((field) => fields.includes(field)) }).toEqual({ ...bare, fields: told });
  });

  it.each([
    ['gzip', gunzipSync],
    ['br', brotliDecompressSync],
  ] as const)('has the same body once it is compressed: %s', async (encoding, decompress) => {
    const path = `${setUp.base}/kept/${pathOf('long')}`;
    const plain = await ask(without, path);
    for (let n = 0; n < 4; n += 1) {
      const { status, body, fields } = await ask(withCache, path, 'GET', { 'Accept-Encoding': encoding });
      const isCoded = fields.includes(`content-encoding: ${encoding}`);
      if (n === 3) expect(isCoded).toBe(true);
      const bytes = Buffer.from(body, 'latin1');
      expect([status, (isCoded ? decompress(bytes) : bytes).toString('latin1')]).toEqual([plain.status, plain.body]);
      await withCache.app.get(Representations).idle();
    }
  });

  it('comes from the lane, if that is on', () => {
    const { total } = withCache.app.get(LaneTally);
    expect(total > 0).toBe(setUp.lane === 'on');
  });

  it('is the one of GET or of HEAD where each has a handler of its own', async () => {
    const path = `${setUp.base}/heads/pair`;
    for (const method of ['HEAD', 'GET', 'HEAD', 'GET'])
      expect(await ask(withCache, path, method)).toEqual(await ask(without, path, method));
  });
}
