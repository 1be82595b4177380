import { Controller, Get, Module, Res } from '@nestjs/common';
import { type Response } from 'express';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { MemoryLevel } from '../../src/cache/index.js';
import { GracefulShutdown, prependRequestHandler } from '../../src/http/index.js';
import { cacheStatus } from '../support/cache-status.js';
import { MovableClock, withClock } from '../support/clocks.js';
import { LaneWatch } from '../support/lane.js';
import { sharedRedis, type SharedRedis } from '../support/services.js';
import { startApp, type StartAppOptions, type TestApp } from '../support/start-app.js';
import { until } from '../support/until.js';

const item = { name: 'Hammer', category: 'tools', price: 1.5, quantity: 2 };

let end: () => void;

@Controller('begun')
class BegunController {
  @Get()
  begin(@Res() res: Response): void {
    res.write('begun');
    end = () => res.end();
  }
}

@Module({ controllers: [BegunController] })
class BegunModule {}

let redis: SharedRedis;
let node: TestApp;
let lane: LaneWatch;

async function start(options: StartAppOptions = {}): Promise<void> {
  node = await startApp({ redis: redis.url, ...options });
  lane = new LaneWatch(node);
  await node.http.post('/items').send(item).expect(201);
}

beforeAll(async () => {
  redis = await sharedRedis();
});
afterEach(() => node.close());

describe('time, in the fast lane', () => {
  const clock = new MovableClock();
  const env = { CACHE_TTL_MS: '40000', CACHE_TTL_JITTER: '0', CACHE_L1_LEASE_MS: '60000' };
  beforeEach(async () => {
    clock.aheadMs = 0;
    await start({ env, override: withClock(clock) });
  });

  it('is told: the age grows, the lifetime shrinks', async () => {
    await lane.warm('/items/1');
    const ttl = async () => Number(/ttl=(\d+)/.exec(cacheStatus(await lane.get('/items/1')).api ?? '')?.[1]);
    const before = await ttl();
    clock.aheadMs = 7_000;
    const { answer, byLane } = await lane.ask(lane.get('/items/1'));
    expect(byLane).toBe(true);
    expect(Number(answer.headers['age'])).toBeGreaterThanOrEqual(7);
    expect(before - (await ttl())).toBeGreaterThanOrEqual(6);
  });

  it('ends what it has: an answer past its freshness is Nest to give', async () => {
    await lane.warm('/items/1');
    clock.aheadMs = 10_000;
    expect((await lane.ask(lane.get('/items/1'))).byLane).toBe(true);
    // Well within the lease: it is the freshness that ends it.
    clock.aheadMs = 40_001;
    await lane.get('/items/1');
    expect((await lane.ask(lane.get('/items/1'))).byLane).toBe(false);
  });
});

describe('the fast lane', () => {
  it('is not there where it is switched off', async () => {
    await start({ env: { CACHE_FAST_LANE: 'off' } });
    for (let n = 0; n < 6; n += 1) await lane.get('/items/1').expect(200);
    expect(lane.answers).toBe(0);
    expect(cacheStatus(await lane.get('/items/1', { Cookie: 'a=b' })).api).toMatch(/^hit; .*write-through$/);
  });

  it('serves under acknowledged strict, and not under strict alone', async () => {
    await start({ env: { CACHE_POLICY: 'strict' } });
    for (let n = 0; n < 6; n += 1) await lane.get('/items/1').expect(200);
    expect(lane.answers).toBe(0);
    await node.close();
    // A writer waits for the leases of a young generation.
    const env = { CACHE_POLICY: 'strict', CACHE_L1_STRICT: 'acknowledged', CACHE_L1_LEASE_MS: '400' };
    await start({ env });
    const { headers } = await lane.warm('/items/1');
    expect(headers['cache-status']).toMatch(/strata-policy=strict$/);
  });

  it('counts the bytes of what it keeps as those of its entry', async () => {
    await start();
    await lane.get('/items/1');
    const { bytes, entries } = node.app.get(MemoryLevel);
    await lane.warm('/items/1');
    expect(node.app.get(MemoryLevel).entries).toBe(entries);
    expect(node.app.get(MemoryLevel).bytes).toBeGreaterThan(bytes + 500);
  });

  it('lets a server that drains close its connections', async () => {
    await start({ imports: [BegunModule] });
    await lane.warm('/items/1');
    const { port, hostname } = new URL(node.url);
    const socket = connect(Number(port), hostname);
    let text = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
    // An answer that has begun keeps the connection open; behind it comes a request that the lane could answer.
    socket.write('GET /begun HTTP/1.1\r\nHost: x\r\n\r\n');
    await until(() => text.includes('begun'));
    const before = lane.answers;
    const drained = node.app.get(GracefulShutdown).drain({ delayMs: 0, timeoutMs: 60_000 });
    socket.write('GET /items/1 HTTP/1.1\r\nHost: x\r\nAccept-Encoding: identity\r\n\r\n');
    end();
    // The server may have sent its last bytes and closed before the client has read them.
    await Promise.all([drained, once(socket, 'close')]);
    expect(text).toMatch(/"name":"Hammer"/);
    expect(text.slice(text.indexOf('HTTP/1.1 200 OK', 9))).toMatch(/\r\nConnection: close\r\n/);
    expect(lane.answers).toBe(before);
  });
});

describe('a taker in front of a server', () => {
  it('keeps the others from what it takes, and is gone without a trace', async () => {
    node = await startApp();
    const seen: string[] = [];
    const server = createServer((req, res) => {
      seen.push(`last ${req.url}`);
      res.end('last');
    });
    server.prependListener('request', (req) => seen.push(`first ${req.url}`));
    const before = server.listeners('request');
    const leave = prependRequestHandler(server, (req, res) => req.url === '/taken' && Boolean(res.end('taken')));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    expect(await (await fetch(`${url}/taken`)).text()).toBe('taken');
    expect(seen).toEqual([]);
    expect(await (await fetch(`${url}/left`)).text()).toBe('last');
    expect(seen).toEqual(['first /left', 'last /left']);
    leave();
    leave();
    expect(server.listeners('request')).toEqual(before);
    const takenFirst = prependRequestHandler(server, (_req, res) => Boolean(res.end('taken')));
    prependRequestHandler(server, () => false);
    expect(await (await fetch(`${url}/any`)).text()).toBe('taken');
    takenFirst();
    expect(await (await fetch(`${url}/any`)).text()).toBe('last');
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
});
