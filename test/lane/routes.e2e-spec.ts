import {
  type CallHandler,
  type CanActivate,
  Controller,
  type ExecutionContext,
  ForbiddenException,
  Get,
  Injectable,
  type MiddlewareConsumer,
  Module,
  type NestInterceptor,
  type NestModule,
  Param,
  Res,
  UseGuards,
  Version,
  VersioningType,
} from '@nestjs/common';
import { type ExpressAdapter, type NestExpressApplication } from '@nestjs/platform-express';
import { type Express, type NextFunction, type Request, type Response } from 'express';
import { type Observable } from 'rxjs';
import { CacheResponse } from '../../src/cache/index.js';
import { EveryRequest } from '../../src/http/index.js';
import { cacheStatus } from '../support/cache-status.js';
import { LaneWatch } from '../support/lane.js';
import { sharedRedis, type SharedRedis, type TestDatabase } from '../support/services.js';
import { createMigratedDatabase, startApp, type StartAppOptions, type TestApp } from '../support/start-app.js';

const ttlMs = 60_000;
const one = { key: () => 'one', ttlMs };

/** Lets nobody in but the network 10: the field is one that the lane takes for irrelevant. */
const isInside = (req: Request): boolean => String(req.headers['x-forwarded-for']).startsWith('10.');
const inside = { 'X-Forwarded-For': '10.0.0.1' };

@Injectable()
class InsideGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return isInside(context.switchToHttp().getRequest<Request>());
  }
}

@EveryRequest()
class InsideInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (!isInside(context.switchToHttp().getRequest<Request>())) throw new ForbiddenException();
    return next.handle();
  }
}

const adapterOf = (app: NestExpressApplication) => app.getHttpAdapter() as unknown as ExpressAdapter;

const insideOnly = (req: Request, _res: Response, next: NextFunction): void =>
  isInside(req) ? next() : next(new ForbiddenException());

abstract class Areas {
  @Get('one')
  @CacheResponse({ key: ({ params }) => String(params['area']), ttlMs })
  one(@Param('area') area: string): object {
    return { area };
  }

  /** A key of its own in each class. */
  @Get('same')
  @CacheResponse({ key: () => 'same', ttlMs })
  same(): object {
    return { of: this.constructor.name };
  }
}

@Controller('open/:area')
class OpenController extends Areas {}

@UseGuards(InsideGuard)
@Controller('closed/:area')
class ClosedController extends Areas {}

@Controller('routes')
class RoutesController {
  @Get('free')
  @CacheResponse(one)
  free(): object {
    return { is: 'free' };
  }

  @Get('guarded')
  @UseGuards(InsideGuard)
  @CacheResponse(one)
  guarded(): object {
    return { is: 'guarded' };
  }

  @Get('guarded/vouched')
  @UseGuards(InsideGuard)
  @CacheResponse({ ...one, fastLane: true })
  vouched(): object {
    return { is: 'vouched for' };
  }

  @Get('nest/:name')
  @CacheResponse({ key: ({ params }) => String(params['name']), ttlMs })
  behindNest(): object {
    return { is: 'behind middleware of Nest' };
  }

  @Get('used/by/:name')
  @CacheResponse({ key: ({ params }) => String(params['name']), ttlMs })
  behindExpress(): object {
    return { is: 'behind middleware of Express' };
  }

  @Get('routed')
  @CacheResponse(one)
  behindRoute(): object {
    return { is: 'behind a route that passes requests on' };
  }

  @Get('keyless')
  @CacheResponse({ ttlMs })
  keyless(): object {
    return { is: 'known by its URI' };
  }

  @Get('own')
  @CacheResponse(one)
  own(@Res({ passthrough: true }) res: Response): object {
    res.set('X-Own', 'x');
    return { is: 'with fields of its own' };
  }

  @Get('by-host')
  @CacheResponse({ key: ({ host }) => host, ttlMs })
  byHost(@Res({ passthrough: true }) res: Response): object {
    return { host: res.req.headers.host };
  }

  @Get('by-version')
  @CacheResponse({ key: ({ version }) => `v${version}`, ttlMs })
  byVersion(): object {
    return { is: 'of a version' };
  }
}

@Controller({ path: 'hosts', host: 'a.example' })
class HostController {
  @Get()
  @CacheResponse(one)
  find(): object {
    return { host: 'a' };
  }
}

@Controller('hosts')
class AnyHostController {
  @Get()
  @CacheResponse(one)
  find(): object {
    return { host: 'any' };
  }
}

@Module({
  controllers: [RoutesController, OpenController, ClosedController, HostController, AnyHostController],
})
class RoutesModule implements NestModule {
  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(insideOnly).forRoutes('routes/nest/*path');
    consumer.apply(insideOnly).exclude('routes/nest/*path').forRoutes('elsewhere');
  }
}

let redis: SharedRedis;
let database: TestDatabase;
beforeAll(async () => {
  [redis, database] = await Promise.all([sharedRedis(), createMigratedDatabase()]);
});
afterAll(() => database.drop());

const start = (options: StartAppOptions = {}) =>
  startApp({
    redis: redis.url,
    database: database.url,
    env: { CACHE_L1_LEASE_MS: '30000' },
    imports: [RoutesModule],
    ...options,
  });

/** Asked often enough that the lane would have answered. @returns the last status, and how often it did */
async function asked(node: TestApp, path: string, headers: Record<string, string> = {}) {
  const lane = new LaneWatch(node);
  const before = lane.answers;
  let status: string | undefined;
  for (let n = 0; n < 6; n += 1) status = cacheStatus(await lane.get(path, headers).expect(200)).api;
  return { byLane: lane.answers - before, status };
}

describe('the fast lane', () => {
  let node: TestApp;
  beforeAll(async () => {
    node = await start({
      configure: (app) => {
        app.use('/routes/used', insideOnly);
        adapterOf(app).getInstance<Express>().get('/routes/routed', insideOnly);
      },
    });
  });
  afterAll(() => node.close());

  it('answers a route that nothing stands before', async () => {
    for (const path of ['/routes/free', '/open/b/one']) await new LaneWatch(node).warm(path);
  });

  it.each([
    ['guarded', '/routes/guarded', 'a guard of its method'],
    ['guarded', '/closed/b/one', 'a guard of its class, whose handler a class without one has inherited too'],
    ['middleware', '/routes/nest/one', 'middleware of Nest'],
    ['middleware', '/routes/used/by/one', 'middleware of Express'],
    ['middleware', '/routes/routed', 'a handler of Express that passes requests on'],
  ])('never answers, and says %s, for %s: behind %s', async (reason, path) => {
    // Before the guarded one, the other class's handler has been found free.
    await new LaneWatch(node).warm('/open/b/one');
    const { byLane, status } = await asked(node, path, inside);
    expect(byLane).toBe(0);
    expect(status).toMatch(new RegExp(`^hit; .*detail=l1; .*; strata-lane=${reason}$`));
    await node.http.get(path).set('X-Forwarded-For', '6.6.6.6').expect(403);
    await node.http.get(path).expect(403);
    await node.http.head(path).expect(403);
  });

  it.each([
    ['no-key', '/routes/keyless'],
    ['own-fields', '/routes/own'],
    ['host', '/routes/by-host'],
    ['version', '/routes/by-version'],
  ])('says %s for %s, which it can never answer', async (reason, path) => {
    const { byLane, status } = await asked(node, path);
    expect(byLane).toBe(0);
    expect(status).toMatch(new RegExp(`^hit; .*detail=l1; .*; strata-lane=${reason}$`));
  });

  it('never answers for a route of one host, nor for one that comes behind it', async () => {
    for (const [host, reason] of [['a.example', 'host'], ['b.example', 'middleware']] as const) {
      const { byLane, status } = await asked(node, '/hosts', { Host: host });
      expect([byLane, status]).toEqual([0, expect.stringMatching(new RegExp(`strata-lane=${reason}$`))]);
    }
    expect((await node.http.get('/hosts').set('Host', 'a.example')).body).toEqual({ host: 'a' });
    expect((await node.http.get('/hosts').set('Host', 'c.example')).body).toEqual({ host: 'any' });
  }); // prettier-ignore

  it('answers past a guard where the route vouches for it', async () => {
    await new LaneWatch(node).warm('/routes/guarded/vouched', inside);
    expect((await new LaneWatch(node).ask(node.http.get('/routes/guarded/vouched').set('Accept-Encoding', 'identity'))).byLane).toBe(true); // prettier-ignore
  });
});

describe('with something that stands before every route', () => {
  it.each<[string, string, StartAppOptions['configure'] & object]>([
    ['a global guard', 'guarded', (app) => void app.useGlobalGuards(new InsideGuard())],
    ['an interceptor', 'interceptor', (app) => void app.useGlobalInterceptors(new InsideInterceptor())],
    ['middleware', 'middleware', (app) => void app.use(insideOnly)],
    [
      'a hook of the adapter',
      'middleware',
      (app) => adapterOf(app).setOnRequestHook((req, res, done) => insideOnly(req, res, done as NextFunction)),
    ],
  ])('%s, the lane answers none, and says %s', async (_what, reason, configure) => {
    const node = await start({ configure });
    try {
      await node.http
        .post('/items')
        .set(inside)
        .send({ name: 'Hammer', category: 'tools', price: 1, quantity: 1 })
        .expect(201);
      for (const path of ['/items/1', '/routes/free']) {
        const { byLane, status } = await asked(node, path, inside);
        expect([path, byLane, status]).toEqual([path, 0, expect.stringMatching(new RegExp(`strata-lane=${reason}$`))]);
        await node.http.get(path).expect(403);
      }
    } finally {
      await node.close();
    }
  });

  it('a guard that says which routes it concerns, the lane answers the others', async () => {
    class Selective extends InsideGuard {
      concerns = (context: ExecutionContext) => context.getClass() === RoutesController;
      override canActivate(context: ExecutionContext): boolean {
        return !this.concerns(context) || super.canActivate(context);
      }
    }
    const node = await start({ configure: (app) => void app.useGlobalGuards(new Selective()) });
    try {
      await new LaneWatch(node).warm('/open/c/one');
      expect((await asked(node, '/routes/free', inside)).byLane).toBe(0);
    } finally {
      await node.close();
    }
  });
});

@Controller('versions')
class VersionsController {
  @Get()
  @Version('1')
  @CacheResponse(one)
  first(): object {
    return { version: 1 };
  }

  @Get()
  @Version('2')
  @CacheResponse(one)
  second(): object {
    return { version: 2 };
  }
}

@Module({ controllers: [VersionsController] })
class VersionsModule {}

it.each([
  ['the media type', { type: VersioningType.MEDIA_TYPE, key: 'v=' }, (v: number) => ({ Accept: `application/json;v=${v}` })],
  ['the language', { type: VersioningType.HEADER, header: 'Accept-Language' }, (v: number) => ({ 'Accept-Language': String(v) })],
  ['the host', { type: VersioningType.CUSTOM, extractor: (req: unknown) => (req as Request).headers.host! }, (v: number) => ({ Host: String(v) })],
  ['a field of its own', { type: VersioningType.HEADER, header: 'X-Version' }, (v: number) => ({ 'X-Version': String(v) })],
] as const)('of several versions in %s, each is answered with its own', async (_where, versioning, fields) => {
  const node = await start({ imports: [VersionsModule], configure: (app) => void app.enableVersioning(versioning) });
  try {
    for (const version of [1, 2, 1]) {
      const { byLane } = await asked(node, '/versions', fields(version));
      expect(byLane).toBe(0);
      expect((await new LaneWatch(node).get('/versions', fields(version))).body).toEqual({ version });
    }
  } finally {
    await node.close();
  }
}); // prettier-ignore
