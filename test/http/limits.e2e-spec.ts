import { AsyncLocalStorage } from 'node:async_hooks';
import { Agent, createServer, get, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { EventEmitter, once } from 'node:events';
import { DataSource } from 'typeorm';
import {
  answerClientErrors,
  boundConnections,
  Bulkhead,
  prependRequestHandler,
  ordinaryBounds,
  rateLimit,
} from '../../src/http/index.js';
import { ItemsService } from '../../src/items/items.service.js';
import { cacheStatus } from '../support/cache-status.js';
import { LaneWatch } from '../support/lane.js';
import { startRedis, type TestRedis } from '../support/services.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { Stopwatch } from '../support/stopwatch.js';
import { until } from '../support/until.js';

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
    const watch = new Stopwatch();
    const { body } = await app.http.post('/items').send(item).expect(201);
    let answered = 1;
    let refused = await app.http.get(`/items/${body.id}`);
    for (; refused.status === 200; refused = await app.http.get(`/items/${body.id}`)) answered += 1;
    expect(refused.status).toBe(429);
    // Six at once, and one more for each ten seconds that the machine has taken.
    expect(answered).toBeGreaterThanOrEqual(6);
    expect(answered).toBeLessThanOrEqual(6 + Math.floor(watch.elapsedMs / 10_000));
    expect(refused.headers['content-type']).toBe('application/problem+json');
    expect(refused.body).toMatchObject({ status: 429, title: 'Too Many Requests' });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(10);
    await until(async () => (await app.http.head(`/items/${body.id}`)).status === 429);
    await until(async () => (await app.http.post('/items').send(item)).status === 429);
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
  const limit = rateLimit(
    1,
    () => 0,
    () => false,
  );
  const refuses = (remoteAddress: string): boolean => {
    const req = { url: '/items', method: 'GET', socket: { remoteAddress } } as IncomingMessage;
    return limit(
      req,
      { writeHead: () => undefined, end: () => undefined } as unknown as ServerResponse,
      () => undefined,
    );
  };
  expect([refuses(first), refuses(first), refuses(second)]).toEqual([false, true, same]);
});

describe('a limit of requests that are worked on at the same time', () => {
  const answers: ((body: string | Buffer) => void)[] = [];
  /** What has reached the server, whether or not it waits. */
  const asked: string[] = [];
  const closed: string[] = [];
  const context = new AsyncLocalStorage<string>();
  /** In which contexts requests have been passed on. */
  const entered: unknown[] = [];
  let server: Server;
  let url: string;
  let crowded = true;
  let nowMs = 0;

  /** Limited to two; answers to paths that begin with `/slow` are the test's to give. */
  beforeEach(async () => {
    for (const list of [answers, asked, closed, entered]) list.length = 0;
    crowded = true;
    server = createServer((req, res) => {
      entered.push(context.getStore());
      req.resume().once('end', () => {
        if (req.url!.startsWith('/slow')) answers.push((body) => res.end(body));
        else res.end('done');
      });
    });
    const { handles } = new Bulkhead(
      { least: 2, most: 2 },
      () => crowded,
      (path) => path === '/unlimited',
      () => nowMs,
    );
    prependRequestHandler(server, handles);
    server.prependListener('request', ({ url: path }, res) => {
      context.enterWith(path!);
      asked.push(path!);
      res.once('close', () => closed.push(path!));
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  /** Resolves once it has arrived. */
  const ask = async (path: string, init?: RequestInit) => {
    const answer = fetch(`${url}${path}`, init);
    answer.catch(() => undefined);
    await until(() => asked.includes(path));
    return { answer };
  };

  const busy = async () => {
    const before = answers.length;
    await ask(`/slow/busy/${before}`);
    await until(() => answers.length > before);
  };

  /** The answer, where time passes quickly. */
  const askInVain = async () => {
    const passes = setInterval(() => (nowMs += 1_000), 20);
    try {
      return await fetch(`${url}/items`);
    } finally {
      clearInterval(passes);
    }
  };

  it('refuses who has waited in vain, and says when to come back', async () => {
    await busy();
    await busy();
    const refused = await askInVain();
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
    expect(refused.headers.get('content-type')).toBe('application/problem+json');
    expect((await fetch(`${url}/unlimited`)).status).toBe(200);
  });

  it('takes who waits as soon as there is room, in the order in which they came, each in its own context', async () => {
    await busy();
    await busy();
    const paths = ['/slow/1', '/slow/2', '/slow/3'];
    const waiting: Promise<Response>[] = [];
    for (const path of paths) waiting.push((await ask(path)).answer);
    expect(answers).toHaveLength(2);
    for (let n = 0; n < 5; n += 1) {
      await until(() => answers.length > n);
      expect(answers.length).toBeLessThanOrEqual(n + 2);
      answers[n]!('done');
    }
    expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(entered.slice(2)).toEqual(paths);
  });

  it('forgets a client that goes away while it waits, and keeps the body of one that stays', async () => {
    await busy();
    await busy();
    const gone = new AbortController();
    const { answer } = await ask('/slow/gone', { signal: gone.signal });
    const { answer: stays } = await ask('/stays', { method: 'POST', body: 'a'.repeat(100_000) });
    gone.abort();
    await expect(answer).rejects.toThrow('abort');
    await until(() => closed.includes('/slow/gone'));
    answers[0]!('done');
    expect((await stays).status).toBe(200);
    expect(answers).toHaveLength(2);
  });

  it('lets every request in while the database is not crowded', async () => {
    crowded = false;
    await busy();
    await busy();
    expect((await fetch(`${url}/items`)).status).toBe(200);
  });

  it('does not count a client that is slow to send its body', async () => {
    const [socket] = await Promise.all(
      [1, 2].map(async (n) => {
        const client = connect(Number(new URL(url).port), '127.0.0.1');
        client.write(`POST /slow/${n} HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nab`);
        await until(() => asked.includes(`/slow/${n}`));
        return client;
      }),
    );
    await busy();
    expect((await fetch(`${url}/items`)).status).toBe(200);
    socket!.write('cdefghij');
    await until(() => answers.length === 2);
    expect((await askInVain()).status).toBe(503);
  });

  it('does not count a client that is slow to take its answer', async () => {
    for (let n = 0; n < 2; n += 1) {
      const socket = connect(Number(new URL(url).port), '127.0.0.1').pause();
      socket.write('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n');
    }
    await until(() => answers.length === 2);
    expect((await askInVain()).status).toBe(503);
    for (const answer of answers) answer(Buffer.alloc(50_000_000));
    expect((await fetch(`${url}/items`)).status).toBe(200);
  });
});

/** Asks so many times at once; who would have to wait goes away. @returns the responses of those that are let in */
function admittedBy({ handles }: Bulkhead, wanted: number): ServerResponse[] {
  const all = Array.from({ length: wanted }, () => {
    const res = new EventEmitter() as ServerResponse;
    const req = { url: '/items', method: 'GET' } as IncomingMessage;
    return { res, waits: handles(req, res, () => undefined) };
  });
  for (const { res, waits } of all) if (waits) res.emit('close');
  return all.filter(({ waits }) => !waits).map(({ res }) => res);
}

it('while it is crowded, as many requests are in progress as were answered in 100 ms lately', () => {
  let nowMs = 0;
  let crowded = true;
  const bulkhead = new Bulkhead(
    { least: 1, most: 3 },
    () => crowded,
    () => false,
    () => nowMs,
  );
  const admitted = (wanted: number) => admittedBy(bulkhead, wanted);
  const close = (running: ServerResponse[], how: object) =>
    running.forEach((res) => Object.assign(res, how).emit('close'));
  const answer = (running: ServerResponse[]) => close(running, { statusCode: 200, writableEnded: true });
  const answerOneAtATime = (times: number) => {
    for (let n = 0; n < times; n += 1) answer(admitted(1));
  };
  const first = admitted(5);
  expect(first).toHaveLength(1);
  answer(first);
  answerOneAtATime(19);
  nowMs = 1_000;
  const lately = admitted(5);
  expect(lately).toHaveLength(2);
  answer(lately.splice(0));
  answerOneAtATime(40);
  lately.push(...admitted(5));
  expect(lately).toHaveLength(3);
  nowMs = 3_000;
  answer(lately.splice(1));
  expect(admitted(5)).toHaveLength(0);
  // Neither what was refused further behind, nor what its client has given up.
  nowMs = 6_000;
  close(lately, { statusCode: 503, writableEnded: true });
  for (let n = 0; n < 10; n += 1) close(admitted(1), { statusCode: 503, writableEnded: true });
  for (let n = 0; n < 10; n += 1) close(admitted(1), { statusCode: 200 });
  nowMs = 7_000;
  expect(admitted(5)).toHaveLength(1);
  crowded = false;
  expect(admitted(5)).toHaveLength(5);
});

it('where a thousand wait, others are refused at once', () => {
  const { handles } = new Bulkhead(
    { least: 1, most: 1 },
    () => true,
    () => false,
  );
  const heads: unknown[] = [];
  const all = Array.from({ length: 1_003 }, () => {
    const answer = { writeHead: (status: number) => heads.push(status), end: () => undefined };
    const res = Object.assign(new EventEmitter(), answer) as unknown as ServerResponse;
    handles({ url: '/items', method: 'GET' } as IncomingMessage, res, () => undefined);
    return res;
  });
  expect(heads).toEqual([503, 503]);
  for (const res of all) res.emit('close');
});

it('while more wait for the database than it can take, the fast lane still answers, and nothing is done for the others', async () => {
  const redis = await startRedis();
  const env = { DATABASE_POOL_SIZE: '2', DATABASE_QUEUE_SIZE: '120' };
  const app = await startApp({ redis: redis.url, env });
  const other = new DataSource({ type: 'postgres', url: app.databaseUrl });
  try {
    const { body } = await app.http.post('/items').send({ name: 'Hammer', category: 'tools', price: 1, quantity: 1 });
    const path = `/items/${body.id}`;
    const lane = new LaneWatch(app);
    await lane.warm(path);
    const runner = (await other.initialize()).createQueryRunner();
    await runner.startTransaction();
    await runner.query('LOCK TABLE items');
    const handled = jest.spyOn(app.app.get(ItemsService), 'findPage');
    const ask = async (n: number) => (await fetch(`${app.url}/items?q=word${n}`)).status;
    const waiting = Array.from({ length: 122 }, (_, n) => ask(n));
    await until(() => handled.mock.calls.length > 60);
    await until(async () => {
      const before = handled.mock.calls.length;
      return (await ask(1_000)) === 503 && handled.mock.calls.length === before;
    });
    expect(await lane.ask(lane.get(path).expect(200))).toMatchObject({ byLane: true });
    await runner.rollbackTransaction();
    // Those who were let in before it was crowded.
    const answered = (await Promise.all(waiting)).filter((status) => status !== 503);
    expect([answered.length > 60, new Set(answered)]).toEqual([true, new Set([200])]);
  } finally {
    if (other.isInitialized) await other.destroy();
    await app.close();
    await redis.stop();
  }
});

it('a client that does not come to the end of its request is answered 408 and loses its connection', async () => {
  const server = createServer((_req, res) => res.end());
  answerClientErrors(server);
  boundConnections(server, { ...ordinaryBounds, headMs: 40, requestMs: 80, checkMs: 10 });
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
