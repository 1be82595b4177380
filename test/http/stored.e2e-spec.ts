import { request } from 'node:http';
import {
  Controller,
  type ExecutionContext,
  ForbiddenException,
  Get,
  Injectable,
  Module,
  type NestInterceptor,
  type CallHandler,
  Param,
  Post,
  Redirect,
  Res,
} from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { type NestExpressApplication } from '@nestjs/platform-express';
import { type NextFunction, type Request, type Response } from 'express';
import { tap } from 'rxjs';
import { CacheResponse, RedisTags } from '../../src/cache/index.js';
import { EveryRequest } from '../../src/http/index.js';
import { cacheStatus } from '../support/cache-status.js';
import { byName, saying, type Script, ScriptedModule, write } from '../support/scripted.js';
import { sharedRedis } from '../support/services.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { until } from '../support/until.js';

type Session = Request & { login?: string };

/** Calls somebody just before the head of an answer is written, as `on-headers` does. */
function onHead(res: Response, listener: () => void): void {
  const writeHead = res.writeHead.bind(res) as (...args: unknown[]) => Response;
  res.writeHead = ((...args: unknown[]) => (listener(), writeHead(...args))) as Response['writeHead'];
}

/** What a parameter of the query asks for. Cookies are for another path: this client would send them back. */
const middleware: Readonly<Record<string, (req: Session, res: Response) => void>> = {
  session: (req, res) =>
    onHead(res, () => req.login && res.appendHeader('Set-Cookie', `session=${req.login}; Path=/elsewhere`)),
  time: (_, res) => onHead(res, () => res.setHeader('X-Response-Time', '1')),
  cookie: (_, res) => res.setHeader('Set-Cookie', 'token=1; Path=/elsewhere'),
  json: (_, res) => {
    const json = res.json.bind(res);
    res.json = (body) => json({ rewritten: body as unknown });
  },
};

function useMiddleware(app: NestExpressApplication): void {
  app.use((req: Session, res: Response, next: NextFunction) => {
    middleware[req.query['with'] as string]?.(req, res);
    next();
  });
}

/** Refuses requests that say so, and counts those that it sees. */
@Injectable()
@EveryRequest()
class Doorman implements NestInterceptor {
  static seen = 0;

  intercept(context: ExecutionContext, next: CallHandler<unknown>) {
    Doorman.seen += 1;
    if (context.switchToHttp().getRequest<Request>().query['as'] === 'stranger') throw new ForbiddenException();
    return next.handle();
  }
}

/** Has a hand in answers. */
@Injectable()
class Signing implements NestInterceptor {
  static readonly values: unknown[] = [];

  intercept(context: ExecutionContext, next: CallHandler<unknown>) {
    const response = context.switchToHttp().getResponse<Response>();
    return next.handle().pipe(tap((value) => (Signing.values.push(value), response.set('X-Signed', 'yes'))));
  }
}

@Controller()
class Unsafe {
  @Post('redirected/:name')
  @Redirect()
  redirected(@Param('name') name: string): object {
    return { url: `/timed/${name}`, statusCode: 303 };
  }

  @Post('redirects/:name')
  redirects(@Param('name') name: string, @Res() res: Response): void {
    res.redirect(303, `/timed/${name}`);
  }

  @Post('writes/:name')
  writes(@Param('name') name: string, @Res() res: Response): void {
    setTimeout(() => res.writeHead(201, { Location: `/timed/${name}` }).end(), 5);
  }

  @Post('fails/:name')
  fails(@Param('name') name: string, @Res() res: Response): void {
    res.status(409).location(`/timed/${name}`).send();
  }

  @Get('signed')
  @CacheResponse({ ttlMs: 60_000, key: () => '/signed' })
  signed(): object {
    return { plain: 'value' };
  }
}

@Module({ controllers: [Unsafe] })
class UnsafeModule {}

let node: TestApp;

beforeAll(async () => {
  node = byName(
    await startApp({
      redis: (await sharedRedis()).url,
      imports: [ScriptedModule, UnsafeModule],
      providers: [Signing, Doorman].map((useClass) => ({ provide: APP_INTERCEPTOR, useClass })),
      configure: useMiddleware,
    }),
  );
});

afterAll(() => node.close());

const apiOf = async (path: string) => cacheStatus(await node.http.get(path)).api;
const timed = (script: Script) => write(script, 'timed');

describe('an answer that middleware has a say in', () => {
  it('is neither stored nor shared if a session adds its cookie as it is sent', async () => {
    const route = timed(async (req: Session) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      req.login = String(req.headers['x-user']);
      return { secretOf: req.login };
    });
    const users = ['ann', 'ben', 'cem', 'dan'];
    const ask = (user: string) => node.http.get(`${route.path}?with=session`).set('X-User', user);
    for (let n = 0; n < 2; n += 1) {
      const answers = await Promise.all(users.map(ask));
      expect(answers.map(({ body }) => body.secretOf)).toEqual(users);
      expect(answers.map(({ headers }) => headers['set-cookie'])).toEqual(
        users.map((user) => [`session=${user}; Path=/elsewhere`]),
      );
    }
    expect(route.runs).toBe(8);
  });

  it('is stored once it is sent, and shared, if nothing in its head forbids it', async () => {
    const route = timed(async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return { n: route.runs };
    });
    const path = `${route.path}?with=time`;
    const answers = await Promise.all(Array.from({ length: 5 }, () => node.http.get(path)));
    expect(answers.map(({ body }) => body.n)).toEqual([1, 1, 1, 1, 1]);
    await until(async () => /^hit/.test((await apiOf(path)) ?? ''));
    const { headers } = await node.http.get(path);
    expect(headers['x-response-time']).toBe('1');
    expect(route.runs).toBe(1);
  });

  it('is not stored if middleware gives the client a cookie', async () => {
    const route = timed(() => ({ n: 1 }));
    for (let n = 0; n < 2; n += 1) {
      const { headers } = await node.http.get(`${route.path}?with=cookie`);
      expect(headers['set-cookie']).toEqual(['token=1; Path=/elsewhere']);
    }
    expect(route.runs).toBe(2);
  });

  it('is not stored if middleware sends it in a way of its own', async () => {
    const route = timed(() => ({ n: 1 }));
    for (let n = 0; n < 2; n += 1)
      expect((await node.http.get(`${route.path}?with=json`)).body).toEqual({ rewritten: { n: 1 } });
    expect(route.runs).toBe(2);
  });
});

describe('a global interceptor', () => {
  it('has its hand in an answer when that is made, and sees the value of the handler', async () => {
    for (let n = 0; n < 3; n += 1) {
      const answer = await node.http.get('/signed').expect(200, { plain: 'value' });
      expect(answer.headers['x-signed']).toBe('yes');
    }
    expect(Signing.values.filter((value) => (value as { plain?: string }).plain === 'value')).toHaveLength(1);
  });

  it('for every request may refuse one of which the answer is stored', async () => {
    await node.http.get('/signed').expect(200);
    const before = Doorman.seen;
    for (let n = 0; n < 3; n += 1) await node.http.get('/signed?as=stranger').expect(403);
    await node.http.get('/signed?as=friend').expect(200);
    expect(Doorman.seen).toBe(before + 4);
  });
});

describe('the status of an answer', () => {
  const kept = async (status: number, route: 'said' | 'timed' | 'accepted', fields: Record<string, string> = {}) => {
    const written = write((_, res) => (res.status(status).set(fields), { n: 1 }), route);
    for (let n = 0; n < 2; n += 1) await node.http.get(written.path).redirects(0).expect(status);
    return written.runs === 1;
  };

  it.each([428, 429, 431, 511])('forbids storing it, whatever it says: %i', async (status) => {
    expect(await kept(status, 'said', { 'Cache-Control': 'public, max-age=60' })).toBe(false);
  });

  it.each([200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501])('lets a route keep it: %i', async (status) => {
    expect(await kept(status, 'timed')).toBe(true);
  });

  it.each([201, 202, 302, 303, 307, 400, 401, 403, 409, 422, 500, 502, 503])(
    'lets a route keep it only if its handler says for how long, or the route names it: %i',
    async (status) => {
      expect(await kept(status, 'timed', { ETag: '"1"' })).toBe(false);
      expect(await kept(status, 'accepted')).toBe(status === 202);
      expect(await kept(status, 'said', { 'Cache-Control': 'max-age=60' })).toBe(true);
    },
  );
});

describe('a client that has the answer', () => {
  it.each([
    ['plain', () => timed(() => ({ n: 1 }))],
    ["its handler's own", () => saying({ 'Cache-Control': 'max-age=60' })],
  ])('is told so also if it wants no stored answer: one that is %s', async (_, route) => {
    const { path } = route();
    const { headers } = await node.http.get(path);
    const etag = headers['etag']!;
    for (const fields of [{ 'Cache-Control': 'no-cache' }, { Pragma: 'no-cache' }, { 'Cache-Control': 'max-age=0' }])
      for (const known of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
        const answer = await node.http
          .get(path)
          .set({ ...fields, 'If-None-Match': known })
          .expect(304);
        expect(answer.headers['etag']).toBe(etag);
        expect(answer.headers['content-length']).toBeUndefined();
      }
    await node.http.get(path).set({ 'Cache-Control': 'no-cache', 'If-None-Match': '"x"' }).expect(200);
  });
});

describe('HEAD', () => {
  it('fills the cache with the answer to GET, and with no other', async () => {
    const route = timed((req) => (req.method === 'HEAD' ? undefined : { n: 1 }));
    const head = await node.http.head(route.path).expect(200);
    const { body, headers } = await node.http.get(route.path).expect(200);
    expect([body, headers['content-length']]).toEqual([{ n: 1 }, head.headers['content-length']]);
    expect(route.runs).toBe(1);
  });
});

describe('an unsafe request', () => {
  const stored = async () => {
    const route = timed(() => ({ n: route.runs }));
    await node.http.get(route.path);
    expect((await node.http.get(route.path)).body.n).toBe(1);
    return { route, name: route.path.split('/').at(-1)! };
  };

  it.each(['redirected', 'redirects', 'writes'])('makes invalid what its answer leads to: %s', async (way) => {
    const { route, name } = await stored();
    await node.http.post(`/${way}/${name}`).redirects(0);
    expect((await node.http.get(route.path)).body.n).toBe(2);
  });

  it.each(['redirected', 'redirects', 'writes'])(
    'makes it invalid before it is answered, whoever sends the answer: %s',
    async (way) => {
      const { name } = await stored();
      const tags = node.app.get(RedisTags);
      let told = false;
      const invalidate = jest.spyOn(tags, 'invalidate').mockImplementationOnce(async (...args) => {
        await new Promise((resolve) => setTimeout(resolve, 50));
        await RedisTags.prototype.invalidate.apply(tags, args);
        told = true;
      });
      await node.http.post(`/${way}/${name}`).redirects(0);
      expect(told).toBe(true);
      invalidate.mockRestore();
    },
  );

  it('that fails makes nothing invalid', async () => {
    const { route, name } = await stored();
    await node.http.post(`/fails/${name}`).expect(409);
    expect((await node.http.get(route.path)).body.n).toBe(1);
  });

  it('in absolute form makes the same invalid', async () => {
    const said = write((_, res) => (res.set('Cache-Control', 'max-age=60'), { n: said.runs }), 'said');
    const read = async () => (await node.http.get(said.path)).body.n as number;
    expect([await read(), await read()]).toEqual([1, 1]);
    expect(await absolute('GET', said.path)).toBe(200);
    expect(await read()).toBe(1);
    expect(await absolute('POST', said.path)).toBe(201);
    expect(await read()).toBe(3);
  });
});

/** To a proxy, or through one that passes it on as it is: the host is in the target, and that of the field does not count. */
function absolute(method: string, path: string): Promise<number> {
  const { hostname, port } = new URL(node.url);
  return new Promise((resolve, reject) => {
    const target = `http://service.test${path}`;
    const asked = request({ hostname, port, method, path: target, headers: { Host: 'other.test' }, agent: false });
    asked.on('error', reject).on('response', (res) => res.resume().on('end', () => resolve(res.statusCode!)));
    asked.end();
  });
}
