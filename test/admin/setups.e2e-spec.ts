import { Controller, Get, Module, Post, RequestMethod, VersioningType } from '@nestjs/common';
import { RouterModule } from '@nestjs/core';
import { type NestExpressApplication } from '@nestjs/platform-express';
import { type Request, type Response, Router } from 'express';
import { AdminModule } from '../../src/admin/admin.module.js';
import { layersOf } from '../../src/http/index.js';
import { WarmingModule } from '../../src/warming/warming.module.js';
import { createMigratedDatabase, startApp, type StartAppOptions, type TestApp } from '../support/start-app.js';
import { type TestDatabase } from '../support/services.js';
import { until } from '../support/until.js';

const token = 'correct-horse-battery-staple';
const env = { ADMIN_TOKEN: token };
const bearer = `Bearer ${token}`;

/** A colleague's routes: of the operator, because they are declared below `admin`; the last one is not. */
@Controller('admin/reports')
class ReportsController {
  @Get()
  list(): object {
    return { secret: 1 };
  }

  @Post()
  add(): object {
    return { secret: 2 };
  }
}

@Controller()
class RootController {
  @Get('admin/root')
  find(): object {
    return { secret: 3 };
  }
}

@Controller('users')
class UsersController {
  @Get('admin')
  find(): object {
    return { open: true };
  }
}

@Module({ controllers: [ReportsController, RootController, UsersController] })
class ColleagueModule {}

/** Becomes the operator's by where `RouterModule` puts it. */
@Controller('books')
class BooksController {
  @Get()
  list(): object {
    return { secret: 4 };
  }
}

@Module({ controllers: [BooksController] })
class BooksModule {}

const belowOps = RouterModule.register([
  { path: 'ops', module: AdminModule },
  { path: 'ops/queue', module: WarmingModule },
  { path: 'admin', module: BooksModule },
]);

/** A router that is mounted as it is, with nothing of Nest around it. */
const mount =
  (...paths: string[]) =>
  (app: NestExpressApplication) => {
    const router = Router().use((_req: Request, res: Response) => void res.json({ secret: 5 }));
    for (const path of paths) app.use(path, router);
  };

const askable = ['get', 'head', 'post', 'put', 'patch', 'delete'];

/** What everybody may use, as it is declared; every other route of the application is the operator's. */
const open = [
  /^\/items(?:\/:id)?$/,
  /^\/health(?:\/live|\/ready)?$/,
  /^\/metrics$/,
  /^\/dashboard(?:\/assets\/:name|\/events|\/lab)?$/,
  /^\/docs(?:-json|-yaml|\/.*)?$/,
  /^\/users\/admin$/,
];

interface SetUp extends StartAppOptions {
  /** What stands before a declared path here. */
  readonly before?: RegExp;
  /** Sent with every request. */
  readonly headers?: Record<string, string>;
  /** Where the operator's own routes and the dashboard are. */
  readonly at: string;
  readonly mounts: readonly string[];
}

const setUps: Record<string, SetUp> = {
  'as it is': { at: '', mounts: ['/admin/raw', '/Admin/other'] },
  'with a prefix': {
    at: '/api',
    before: /^\/api/,
    configure: (app) => void app.setGlobalPrefix('api'),
    mounts: ['/api/admin/raw', '/admin/raw'],
  },
  'with a prefix of several parts, one of them admin': {
    at: '/my/admin',
    before: /^\/my\/admin/,
    configure: (app) => void app.setGlobalPrefix('my/admin'),
    mounts: ['/my/admin/admin/raw'],
  },
  'with a prefix that the operator’s routes are excluded from': {
    at: '',
    before: /^\/api/,
    configure: (app) =>
      void app.setGlobalPrefix('api', {
        exclude: ['admin/*path', 'dashboard', 'dashboard/*path', { path: 'health', method: RequestMethod.GET }],
      }),
    mounts: ['/admin/raw'],
  },
  'with versions in the path': {
    at: '/api/v1',
    before: /^\/api\/v1|^\/api(?=\/docs)/,
    configure: (app) => {
      app.setGlobalPrefix('api');
      app.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' });
    },
    mounts: ['/api/v1/admin/raw'],
  },
  'with versions in a header': {
    at: '',
    headers: { 'X-Version': '2' },
    configure: (app) =>
      void app.enableVersioning({ type: VersioningType.HEADER, header: 'X-Version', defaultVersion: '2' }),
    mounts: ['/admin/raw'],
  },
  'with versions in the media type': {
    at: '',
    headers: { Accept: '*/*, application/x;v=2' },
    configure: (app) =>
      void app.enableVersioning({ type: VersioningType.MEDIA_TYPE, key: 'v=', defaultVersion: ['1', '2'] }),
    mounts: ['/admin/raw'],
  },
  'with modules elsewhere': {
    at: '/api/ops',
    before: /^\/api(?:\/ops)?(?!\/admin\/cache|\/admin\/warming|\/queue)/,
    imports: [BooksModule, belowOps],
    configure: (app) => void app.setGlobalPrefix('api'),
    mounts: ['/api/admin/raw'],
  },
};

let database: TestDatabase;
beforeAll(async () => {
  database = await createMigratedDatabase();
});
afterAll(() => database.drop());

describe.each(Object.entries(setUps))('%s', (_name, { before, headers = {}, at, mounts, ...options }) => {
  let app: TestApp;
  let routes: { readonly method: string; readonly pattern: string; readonly isForAnyMethod: boolean }[];

  beforeAll(async () => {
    app = await startApp({
      ...options,
      env,
      database: database.url,
      imports: [ColleagueModule, ...(options.imports ?? [])],
      configure: (made) => {
        options.configure?.(made);
        mount(...mounts)(made);
      },
    });
    routes = layersOf(app.app.getHttpAdapter().getInstance()).flatMap(({ rawPath, route }) =>
      [rawPath].flat().flatMap((pattern) =>
        Object.keys(route?.methods ?? {})
          .filter((method, _at, all) => all.length === 1 || askable.includes(method))
          .map((method, _at, all) => ({ method, pattern: String(pattern), isForAnyMethod: all.length > 1 })),
      ),
    );
  });
  afterAll(() => app.close());

  const ask = (method: string, path: string) => fetch(`${app.url}${path}`, { method: method.toUpperCase(), headers });
  const declared = (pattern: string) => (before ? pattern.replace(before, '') : pattern);
  const isOpen = (pattern: string) => open.some((one) => one.test(declared(pattern)));
  const pathOf = (pattern: string) => pattern.replace(/[:*]\w+/g, '1');

  it('no route of the application but those for everybody answers without the token', async () => {
    const guarded = routes.filter(({ pattern }) => !isOpen(pattern));
    expect(guarded.length).toBeGreaterThan(20);
    for (const { method, pattern, isForAnyMethod } of guarded) {
      const path = pathOf(pattern);
      for (const spelling of [path, `${path}/`, `${path}?x=1`]) {
        for (const asked of method === 'get' ? ['get', 'head'] : [method]) {
          const answer = await ask(asked, spelling);
          // Signing in is open, and wants a body.
          const statuses = /\/session\/?(?:\?|$)/.test(spelling) && asked === 'post' ? [400] : [401];
          // Nest's own, for paths that are excluded from a prefix.
          if (isForAnyMethod) statuses.push(404);
          expect([asked, spelling, statuses]).toEqual([asked, spelling, expect.arrayContaining([answer.status])]);
          expect(await answer.text()).not.toContain('secret');
        }
      }
    }
  });

  it('no other spelling of their paths, and no router that is mounted there, answers without it either', async () => {
    const paths = routes.filter(({ pattern, method }) => method === 'get' && !isOpen(pattern)).map(({ pattern }) => pathOf(pattern)); // prettier-ignore
    for (const path of paths)
      for (const other of [path.replace('a', '%61'), `/${path}`, path.toUpperCase(), `${path};x`, `/x/..${path}`])
        expect([other, (await ask('get', other)).status]).not.toEqual([other, 200]);
    for (const path of mounts)
      for (const below of ['', '/', '/x', '/%2e', '/..'])
        for (const method of ['get', 'head', 'post', 'put', 'delete'])
          expect([401, 404]).toContain((await ask(method, path + below)).status);
    expect((await ask('get', `${mounts[0]!}/x`)).status).toBe(401);
  });

  it('what is for everybody answers, also what only looks like the operator’s', async () => {
    const patterns = routes.filter(({ pattern, method }) => method === 'get' && isOpen(pattern)).map(({ pattern }) => pattern); // prettier-ignore
    expect(patterns.length).toBeGreaterThan(10);
    for (const pattern of patterns.filter((one) => !/events|lab|:|\/docs\//.test(one)))
      expect([pattern, (await ask('get', pattern)).status]).toEqual([pattern, 200]);
  });

  it('the token, and a session, open the operator’s routes where they are', async () => {
    const signed = (path: string) => app.http.get(`${at}${path}`).set({ ...headers, Authorization: bearer });
    await signed('/admin/cache/stats').expect(200).expect('Cache-Control', 'no-store');
    const answer = await app.http.post(`${at}/admin/session`).set(headers).send({ token }).expect(204);
    const cookie = String(answer.headers['set-cookie']);
    expect(/; Path=([^;]+);/.exec(cookie)?.[1]).toBe(`${at}/admin`);
    await app.http
      .get(`${at}/admin/cache/stats`)
      .set({ ...headers, Cookie: cookie.split(';')[0]! })
      .expect(200);
  });

  it('the dashboard finds its files and its streams', async () => {
    const page = await app.http.get(`${at}/dashboard`).set(headers).expect(200);
    const links = [...page.text.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, link]) => link!);
    const assets = links.filter((link) => link.includes('/assets/'));
    expect(assets.length).toBeGreaterThan(5);
    for (const asset of assets) await app.http.get(asset).set(headers).expect(200);
    expect(links).toEqual(expect.arrayContaining([`${at}/dashboard/lab`, `${at}/admin/queues`]));
    expect((await app.http.get(`${at}/dashboard/lab`).set(headers)).text).toContain(`href="${at}/dashboard/assets/`);
  });
});

it('below a prefix, too, who watches the service is not limited, and nobody else is taken for them', async () => {
  const app = await startApp({
    env: { ...env, RATE_LIMIT_PER_MINUTE: '1' },
    database: database.url,
    configure: (made) => void made.setGlobalPrefix('api'),
  });
  try {
    const statusOf = async (path: string) => (await fetch(`${app.url}${path}`)).status;
    await until(async () => (await statusOf('/api/items')) === 429);
    for (const path of ['/api/health', '/api/health/live', '/api/health/ready/', '/api/metrics?x'])
      for (let n = 0; n < 3; n += 1) expect([path, await statusOf(path)]).toEqual([path, 200]);
    for (const path of ['/health/live', '/metrics', '/api/health/x', '/api/dashboard'])
      await until(async () => (await statusOf(path)) === 429);
  } finally {
    await app.close();
  }
});
