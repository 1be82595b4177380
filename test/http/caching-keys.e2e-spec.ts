import { Controller, Get, Module, Param, Post, Req, Res, VERSION_NEUTRAL, VersioningType } from '@nestjs/common';
import { type Request, type Response } from 'express';
import { CacheResponse } from '../../src/cache/index.js';
import { cacheStatus } from '../support/cache-status.js';
import { exchange } from '../support/lane.js';
import { sharedRedis } from '../support/services.js';
import { startApp, type TestApp } from '../support/start-app.js';

const ttlMs = 60_000;
let runs = 0;

/** What a handler may look at without saying so. */
const seen = ({ headers, hostname, protocol, originalUrl }: Request) => ({
  run: (runs += 1),
  cookie: headers.cookie ?? null,
  language: headers['accept-language'] ?? null,
  host: headers.host ?? null,
  forwarded: headers['x-forwarded-host'] ?? null,
  version: headers['x-version'] ?? null,
  hostname,
  protocol,
  originalUrl,
});

@Controller({ path: 'keys', version: ['1', '2', VERSION_NEUTRAL] })
class KeysController {
  @Get('default')
  @CacheResponse({ ttlMs })
  byDefault(@Req() req: Request): object {
    return seen(req);
  }

  @Post('default')
  change(): object {
    return {};
  }

  @Get('keyed')
  @CacheResponse({ key: () => '/keys/same', ttlMs })
  keyed(@Req() req: Request): object {
    return seen(req);
  }

  @Get('twin')
  @CacheResponse({ key: () => '/keys/same', ttlMs })
  twin(@Req() req: Request): object {
    return { twin: true, ...seen(req) };
  }

  @Get('shared/:name')
  @CacheResponse({ key: () => '/keys/shared', keyScope: 'application', ttlMs })
  shared(@Req() req: Request): object {
    return seen(req);
  }

  @Get('seeing')
  @CacheResponse({ key: ({ host, version }) => `${host} ${version ?? 'none'}`, ttlMs })
  seeing(@Req() req: Request): object {
    return seen(req);
  }

  @Get('ignoring')
  @CacheResponse({ ignores: ['cookie', 'accept-language'], ttlMs })
  ignoring(@Req() req: Request): object {
    return seen(req);
  }

  @Get('varying')
  @CacheResponse({ vary: ['Cookie'], ttlMs })
  varying(@Req() req: Request): object {
    return seen(req);
  }

  @Get('any/*path')
  @CacheResponse({ ttlMs })
  any(@Req() req: Request): object {
    return seen(req);
  }

  @Get('speaking')
  @CacheResponse()
  speaking(@Req() req: Request, @Res({ passthrough: true }) res: Response): object {
    res.set('Cache-Control', 'public, max-age=60, stale-while-revalidate=60, stale-if-error=60');
    return seen(req);
  }
}

/** Two controllers of one name on one path, told apart by what selects them. */
const versioned = (version: string) => {
  @Controller({ path: 'versioned', version })
  class VersionedController {
    @Get('default')
    @CacheResponse({ ttlMs })
    byDefault(): object {
      return { version };
    }

    @Get(':id')
    @CacheResponse({ key: ({ params }) => String(params['id']), ttlMs })
    keyed(@Param('id') id: string): object {
      return { version, id };
    }
  }
  return VersionedController;
};

const ofHost = (host: string) => {
  @Controller({ path: 'hosted', host, version: VERSION_NEUTRAL })
  class HostedController {
    @Get()
    @CacheResponse({ key: () => 'hosted', ttlMs })
    find(): object {
      return { host };
    }
  }
  return HostedController;
};

@Module({ controllers: [KeysController, versioned('1'), versioned('2'), ofHost('a.example'), ofHost('b.example')] })
class KeysModule {}

let node: TestApp;

beforeAll(async () => {
  node = await startApp({
    redis: (await sharedRedis()).url,
    imports: [KeysModule],
    configure: (app) => {
      app.enableVersioning({ type: VersioningType.HEADER, header: 'X-Version' });
      app.set('trust proxy', true);
    },
  });
});
afterAll(() => node.close());

type Headers = Record<string, string>;
const get = (path: string, headers: Headers = {}) => node.http.get(path).set(headers);

describe('a request with a cookie', () => {
  it.each(['/keys/default', '/keys/keyed', '/keys/speaking', '/keys/shared/x'])(
    'of a route that does not take it, %s, fills nothing, and gets nothing that others have filled',
    async (path) => {
      const first = await get(path, { Cookie: 'user=ann' });
      expect(cacheStatus(first).api).toMatch(/^fwd=bypass; detail=uncacheable/);
      expect(first.body.cookie).toBe('user=ann');
      expect((await get(path)).body.cookie).toBeNull();
      for (const cookie of ['user=bob', 'user=ann', '']) {
        const answer = await get(path, { Cookie: cookie, 'Cache-Control': 'max-stale=60' });
        expect(cacheStatus(answer).api).toMatch(/^fwd=bypass/);
        expect(answer.body.cookie).toBe(cookie);
      }
      const shared = await get(path);
      expect([cacheStatus(shared).api, shared.body.cookie]).toEqual([expect.stringMatching(/^hit/), null]);
    },
  );

  it('waits for nobody else’s answer, and nobody for its own', async () => {
    const path = '/keys/any/collapsed';
    const users = Array.from({ length: 20 }, (_, n) => (n % 2 ? `user=${n}` : undefined));
    const answers = await Promise.all(users.map((cookie) => get(path, cookie ? { Cookie: cookie } : {})));
    expect(answers.map(({ body }) => body.cookie)).toEqual(users.map((cookie) => cookie ?? null));
  });

  it('of a route that ignores it is like any other', async () => {
    await get('/keys/ignoring', { Cookie: 'user=ann' });
    expect(cacheStatus(await get('/keys/ignoring')).api).toMatch(/^hit/);
    expect(cacheStatus(await get('/keys/ignoring', { Cookie: 'user=bob', 'Accept-Language': 'de' })).api).toMatch(/^hit/); // prettier-ignore
  });

  it('of a route that varies by it gets the answers of its cookie', async () => {
    for (const cookie of ['a=1', 'a=2', 'a=1']) {
      const { body } = await get('/keys/varying', { Cookie: cookie });
      expect(body.cookie).toBe(cookie);
    }
    expect(cacheStatus(await get('/keys/varying', { Cookie: 'a=2' })).api).toMatch(/^hit/);
  });
});

describe('the default key', () => {
  const different: readonly (readonly [string, Headers, Headers])[] = [
    ['the language', { 'Accept-Language': 'en' }, { 'Accept-Language': 'de' }],
    ['the host', { Host: 'a.example' }, { Host: 'b.example' }],
    ['the port', { Host: 'a.example:1' }, { Host: 'a.example:2' }],
    ['the host that a proxy says', { 'X-Forwarded-Host': 'a.example' }, { 'X-Forwarded-Host': 'b.example' }],
    ['the scheme that a proxy says', { 'X-Forwarded-Proto': 'http' }, { 'X-Forwarded-Proto': 'https' }],
    ['the prefix that a proxy says', { 'X-Forwarded-Prefix': '/a' }, { 'X-Forwarded-Prefix': '/b' }],
    ['the version', { 'X-Version': '1' }, { 'X-Version': '2' }],
    ['a version or none', { 'X-Version': '1' }, {}],
  ];

  it.each(different)('has %s', async (what, one, other) => {
    const path = `/keys/any/${encodeURIComponent(what)}`;
    const [first, second] = [(await get(path, one)).body, (await get(path, other)).body];
    expect(second.run).not.toBe(first.run);
    expect((await get(path, one)).body).toEqual(first);
    expect((await get(path, other)).body).toEqual(second);
  });

  it('takes one language in several spellings for one', async () => {
    const path = '/keys/any/spelling';
    const { body } = await get(path, { 'Accept-Language': 'en-GB, de;q=0.5' });
    expect((await get(path, { 'Accept-Language': 'en-gb,de; q=0.5' })).body).toEqual(body);
  });

  it('takes no host for the beginning of a path', async () => {
    const path = '/keys/any/b/c';
    const raw = (host: string, target: string) =>
      exchange(node.url, [`GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`]);
    expect(await raw('a.example/keys/any', '/keys/any/b/c')).toContain('fwd=bypass');
    expect(await raw('a.example ["1"]', path)).not.toContain('; stored');
    expect((await get(path, { Host: 'a.example' })).body.host).toBe('a.example');
  });

  it('is told to forget by an unsafe request, in every language and version', async () => {
    const all: Headers[] = [{}, { 'Accept-Language': 'de' }, { 'X-Version': '2' }];
    const runsOf = async () => Promise.all(all.map(async (headers) => (await get('/keys/default', headers)).body.run));
    const before = await runsOf();
    expect(await runsOf()).toEqual(before);
    await node.http.post('/keys/default').expect(201);
    for (const run of await runsOf()) expect(before).not.toContain(run);
  });
});

describe('a key of a route’s own', () => {
  it('is of that route alone', async () => {
    const { body } = await get('/keys/keyed');
    expect((await get('/keys/twin')).body).toMatchObject({ twin: true });
    expect((await get('/keys/keyed')).body).toEqual(body);
  });

  it('is of every route where it says so', async () => {
    const { body } = await get('/keys/shared/a');
    expect((await get('/keys/shared/b')).body).toEqual(body);
  });

  it('may be made of the host and the version', async () => {
    const all: Headers[] = [
      { Host: 'a.example' },
      { Host: 'b.example' },
      { Host: 'a.example', 'X-Version': '1' },
      { Host: 'a.example', 'X-Version': '2' },
    ];
    const answers = [];
    for (const headers of all) answers.push((await get('/keys/seeing', headers)).body);
    expect(new Set(answers.map(({ run }) => run)).size).toBe(4);
    expect((await get('/keys/seeing', { Host: 'A.EXAMPLE', 'X-Version': '2' })).body).toEqual(answers[3]);
  });

  it.each(['/versioned/default', '/versioned/7'])('and the default one tell versions apart: %s', async (path) => {
    for (const version of ['1', '2', '1', '2'])
      expect((await get(path, { 'X-Version': version })).body).toMatchObject({ version });
  });

  it('tells hosts apart that have a controller each', async () => {
    for (const host of ['a.example', 'b.example', 'a.example', 'b.example'])
      expect((await get('/hosted', { Host: host })).body).toEqual({ host });
  });
});

it.each([
  ['the media type', { type: VersioningType.MEDIA_TYPE, key: 'v=' }, (version: string) => ['', { Accept: `application/json;v=${version}` }]],
  ['the path', { type: VersioningType.URI }, (version: string) => [`/v${version}`, {}]],
  ['what the application says', { type: VersioningType.CUSTOM, extractor: (req: unknown) => [(req as Request).headers.from!] }, (version: string) => ['', { From: version }]],
] as const)('versions in %s have answers of their own', async (_where, versioning, asked) => {
  const other = await startApp({
    redis: (await sharedRedis()).url,
    imports: [KeysModule],
    configure: (app) => void app.enableVersioning(versioning),
  });
  const made: Record<string, unknown> = {};
  try {
    for (const version of ['1', '2', '1', '2']) {
      const [prefix, headers] = asked(version) as [string, Headers];
      for (const path of ['/versioned/default', '/versioned/7'])
        expect((await other.http.get(`${prefix}${path}`).set(headers)).body).toMatchObject({ version });
      const { body } = await other.http.get(`${prefix}/keys/seeing`).set(headers);
      expect((made[version] ??= body)).toEqual(body);
    }
    expect(made['1']).not.toEqual(made['2']);
  } finally {
    await other.close();
  }
}); // prettier-ignore
