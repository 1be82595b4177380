import { Agent, createServer, get, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { once } from 'node:events';
import { answerClientErrors, boundSlowClients, rateLimit } from '../src/http/index.js';
import { cacheStatus } from './support/cache-status.js';
import { startRedis, type TestRedis } from './support/services.js';
import { startApp, type TestApp } from './support/start-app.js';

describe('a limit of requests per client address', () => {
  let redis: TestRedis;
  let app: TestApp;
  beforeAll(async () => {
    redis = await startRedis();
    app = await startApp({ redis: redis.url, env: { RATE_LIMIT_PER_MINUTE: '6' } });
  });
  afterAll(async () => {
    await app.close();
    await redis.stop();
  });

  it('counts hits of the fast lane, too, says when to come back, and leaves other addresses and probes alone', async () => {
    const item = { name: 'Hammer', category: 'tools', price: 1, quantity: 1 };
    const { body } = await app.http.post('/items').send(item).expect(201);
    for (let n = 0; n < 5; n += 1) await app.http.get(`/items/${body.id}`).expect(200);
    const refused = await app.http.get(`/items/${body.id}`).expect(429);
    expect(refused.headers['content-type']).toBe('application/problem+json');
    expect(refused.body).toMatchObject({ status: 429, title: 'Too Many Requests' });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(10);
    await app.http.head(`/items/${body.id}`).expect(429);
    await app.http.post('/items').send(item).expect(429);
    for (let n = 0; n < 10; n += 1) await app.http.get('/health/live').expect(200);
    await app.http.get('/metrics').expect(200);
    expect(await statusFrom('127.0.0.2', `${app.url}/items/${body.id}`)).toMatch(/^hit/);
  });

  const statusFrom = (localAddress: string, url: string): Promise<string | undefined> =>
    new Promise((resolve, reject) => {
      get(url, { agent: new Agent(), localAddress }, (res) => {
        res.resume();
        resolve(cacheStatus({ headers: res.headers as Record<string, string> }).api);
      }).once('error', reject);
    });
});

it.each([
  ['2001:db8:0:1::1', '2001:db8:0:1:ffff::2', true],
  ['2001:db8:0:1::1', '2001:db8:0:2::1', false],
  ['::ffff:192.0.2.1', '192.0.2.1', true],
  ['192.0.2.1', '192.0.2.2', false],
])('%s and %s are one client to the limiter: %s', (first, second, same) => {
  const limit = rateLimit(1, () => 0);
  const refuses = (remoteAddress: string): boolean => {
    const req = { url: '/items', method: 'GET', socket: { remoteAddress } } as IncomingMessage;
    return limit(req, { writeHead: () => undefined, end: () => undefined } as unknown as ServerResponse);
  };
  expect([refuses(first), refuses(first), refuses(second)]).toEqual([false, true, same]);
});

it('a client that does not come to the end of its request is answered 408 and loses its connection', async () => {
  const server = createServer((_req, res) => res.end());
  answerClientErrors(server);
  boundSlowClients(server, { headMs: 40, requestMs: 80, idleMs: 1_000, checkMs: 10 });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const answered = async (text: string): Promise<string> => {
    const socket = connect(port, '127.0.0.1');
    let heard = '';
    socket.on('data', (chunk) => (heard += String(chunk))).write(text);
    await once(socket, 'close');
    return heard;
  };
  try {
    expect(await answered('GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ')).toMatch(/^HTTP\/1.1 408 /);
    expect(await answered('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nab')).toMatch(
      /^HTTP\/1.1 (200|408) /,
    );
  } finally {
    server.close();
  }
});
