import { Controller, Get, type MiddlewareConsumer, Module, type NestModule, UseGuards } from '@nestjs/common';
import { type NextFunction, type Request, type Response } from 'express';
import { CacheResponse, ReadThrough } from '../../src/cache/index.js';
import { cacheStatus } from '../support/cache-status.js';
import { LaneWatch } from '../support/lane.js';
import { sharedRedis, type SharedRedis } from '../support/services.js';
import { startApp, type TestApp } from '../support/start-app.js';

/** What the application does to an answer besides the route; each is tried by itself. */
type Meddling = (req: Request, res: Response) => void;
let meddling: Meddling = () => undefined;

const one = { key: () => '/lane-test', reads: 'entities', fastLane: true } as const;
const guarded = { key: () => '/lane-test/guarded', reads: 'entities' } as const;

@Controller('lane-test')
class TestController {
  constructor(private readonly cache: ReadThrough) {}

  @Get()
  @CacheResponse(one)
  plain(): Promise<unknown> {
    return this.#read();
  }

  @Get('guarded')
  @UseGuards({ canActivate: () => true })
  @CacheResponse(guarded)
  guarded(): Promise<unknown> {
    return this.#read();
  }

  /** A value that L1 may keep: made of an item. */
  #read(): Promise<unknown> {
    return this.cache.row('items', 1, () => Promise.reject(new Error('the item has been read before')));
  }
}

@Module({ controllers: [TestController] })
class TestModule implements NestModule {
  configure(consumer: MiddlewareConsumer): void {
    consumer
      .apply((req: Request, res: Response, next: NextFunction) => {
        meddling(req, res);
        next();
      })
      .forRoutes('*all');
  }
}

let redis: SharedRedis;
let node: TestApp;
let lane: LaneWatch;

beforeAll(async () => {
  redis = await sharedRedis();
  node = await startApp({ redis: redis.url, imports: [TestModule], env: { CACHE_L1_LEASE_MS: '30000' } });
  lane = new LaneWatch(node);
  await node.http.post('/items').send({ name: 'Hammer', category: 'tools', price: 1, quantity: 1 }).expect(201);
});

/** A new version, so that nothing is recorded. */
beforeEach(async () => {
  meddling = () => undefined;
  await renew('Hammer');
});

afterAll(async () => {
  await node.close();
});

/** A new version of what the test routes answer with. */
async function renew(name: string): Promise<void> {
  await node.http.put('/items/1').send({ name, category: 'tools', price: 1, quantity: 1 }).expect(200);
  await node.http.get('/items/1').expect(200);
}

/** Whether the lane ever answers: it would at the fourth request. */
async function recorded(path = '/lane-test'): Promise<boolean> {
  for (let n = 0; n < 6; n += 1) {
    const { answer, byLane } = await lane.ask(lane.get(path));
    expect(answer.status).toBe(200);
    if (byLane) return true;
  }
  return false;
}

/** Changes an answer when all but its head is said, as middleware that compresses does. */
const atEnd =
  (change: (res: Response, body: Buffer) => Buffer): Meddling =>
  (_req, res) => {
    const end = res.end.bind(res) as (body: Buffer) => Response;
    res.end = ((body: string | Buffer) => end(change(res, Buffer.from(body as string)))) as typeof res.end;
  };

/** What is said of the last answer that was not recorded. */
async function reason(): Promise<string | undefined> {
  return /; strata-lane=(.*)$/.exec(cacheStatus(await lane.get('/lane-test')).api!)?.[1];
}

describe('an answer is recorded', () => {
  it('if nothing speaks against it', async () => {
    expect(await recorded()).toBe(true);
  });

  it('with header fields that the application gives to all answers alike', async () => {
    meddling = (_req, res) => void res.set('Permissions-Policy', 'camera=()');
    expect(await recorded()).toBe(true);
    expect((await lane.get('/lane-test')).headers['permissions-policy']).toBe('camera=()');
  });
});

describe('an answer is not recorded', () => {
  const count = (() => {
    let n = 0;
    return () => String((n += 1));
  })();

  it.each<[string, Meddling]>([
    ['with a field that nobody knows', (_req, res) => void res.set('X-Served-For', 'somebody')],
    ['that allows an origin', (_req, res) => void res.set('Access-Control-Allow-Origin', '*')],
    ['with a known field that is another each time', (_req, res) => void res.set('Referrer-Policy', count())],
    ['with several lines of one field', (_req, res) => void res.set('Referrer-Policy', ['a', 'b'])],
  ])('%s', async (_what, meddle) => {
    meddling = meddle;
    expect(await recorded()).toBe(false);
    expect(await reason()).toBe('field');
  });

  it('that sets a cookie: it is not even stored', async () => {
    meddling = (_req, res) => void res.cookie('a', 'b');
    expect(await recorded()).toBe(false);
    expect(await reason()).toBeUndefined();
  });

  it('whose body somebody has replaced on its way', async () => {
    meddling = atEnd((res, body) => {
      res.set('Content-Length', String(body.length + 1));
      return Buffer.concat([body, Buffer.from(' ')]);
    });
    expect(await recorded()).toBe(false);
    expect(await reason()).toBe('changed');
  });

  it('that varies by more than the encoding', async () => {
    meddling = atEnd((res, body) => {
      res.vary('Accept-Language');
      return body;
    });
    expect(await recorded()).toBe(false);
    expect(await reason()).toBe('field');
  });

  it('whose tag somebody has replaced on its way', async () => {
    meddling = atEnd((res, body) => {
      res.set('ETag', '"another"');
      return body;
    });
    expect(await recorded()).toBe(false);
  });

  it('whose entry has been replaced while it was on its way', async () => {
    expect(await recorded()).toBe(true);
    await renew('Hammer');
    await lane.get('/lane-test');
    const change = async () => {
      meddling = () => undefined;
      await renew('Saw');
      expect((await lane.get('/lane-test')).body.name).toBe('Saw');
    };
    meddling = (_req, res) => {
      const end = res.end.bind(res) as (...args: unknown[]) => Response;
      res.end = (...args: unknown[]) => {
        void change().then(() => end(...args));
        return res;
      };
    };
    expect((await lane.get('/lane-test')).body.name).toBe('Hammer');
    for (let n = 0; n < 4; n += 1) expect((await lane.get('/lane-test')).body.name).toBe('Saw');
  });

  it('of a route behind a guard, and the reason is told', async () => {
    expect(await recorded('/lane-test/guarded')).toBe(false);
    expect(cacheStatus(await lane.get('/lane-test/guarded')).api).toMatch(/; strata-lane=guarded$/);
  });

  it('that was asked for in a way that the lane would not answer', async () => {
    for (let n = 0; n < 6; n += 1) {
      const { byLane } = await lane.ask(lane.get('/lane-test', { Cookie: 'a=b' }));
      expect(byLane).toBe(false);
    }
    expect((await lane.ask(lane.get('/lane-test'))).byLane).toBe(false);
  });
});
