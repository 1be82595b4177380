import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket, type TcpNetConnectOpts } from 'node:net';
import {
  answerClientErrors,
  boundConnections,
  prependRequestHandler,
  oneAtATime,
  ordinaryBounds,
} from '../../src/http/index.js';
import { exchange, LaneWatch } from '../support/lane.js';
import { startRedis } from '../support/services.js';
import { startApp } from '../support/start-app.js';
import { until } from '../support/until.js';

const soon = { ...ordinaryBounds, headMs: 40, requestMs: 80, stalledMs: 100, checkMs: 10 };
const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
const statuses = (heard: string) => [...heard.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => Number(status));

let server: Server;
let port: number;
const clients: Socket[] = [];

async function serve(listener: RequestListener, { bounds = ordinaryBounds, maxWaiting = 10_000 } = {}): Promise<void> {
  server = createServer(listener);
  answerClientErrors(server, 50);
  boundConnections(server, bounds);
  prependRequestHandler(server, oneAtATime(server, maxWaiting).takes);
  await once(server.listen(0), 'listening');
  ({ port } = server.address() as AddressInfo);
}

/** A connection whose client sends this, and reads once it is told to. */
function client(text: string, options: Partial<TcpNetConnectOpts> = {}): Socket & { heard: string } {
  const socket = Object.assign(connect({ port, host: '127.0.0.1', ...options }).pause(), { heard: '' });
  socket.on('error', () => undefined).write(text);
  clients.push(socket);
  return socket;
}

const read = (socket: Socket & { heard: string }) =>
  socket.on('data', (chunk) => (socket.heard += String(chunk))).resume();
const openConnections = () => new Promise<number>((resolve) => server.getConnections((_, count) => resolve(count)));

afterEach(() => {
  for (const socket of clients.splice(0)) socket.destroy();
  server.closeAllConnections();
  server.close();
});

describe('requests that are sent before their turn', () => {
  it('are worked on one at a time, in the order in which they came', async () => {
    const begun: [IncomingMessage, ServerResponse][] = [];
    await serve((...message) => begun.push(message));
    const socket = read(client(['/a', '/b', '/c'].map(get).join('')));
    for (const path of ['/a', '/b', '/c']) {
      await until(() => begun.length > 0);
      // Time for another one to begin, were it let.
      await fetch(`http://127.0.0.1:${port}/other`, { signal: AbortSignal.timeout(20) }).catch(() => undefined);
      const own = begun.splice(0).filter(([{ url }]) => url !== '/other');
      expect(own.map(([{ url }]) => url)).toEqual([path]);
      own[0]![1].end(path);
    }
    await until(() => /\/a.*\/b.*\/c/s.test(socket.heard));
  });

  it('are all answered, however many there are', async () => {
    await serve((req, res) => res.end(`<${req.url}>`));
    const paths = Array.from({ length: 6_000 }, (_, n) => `/${n}`);
    const socket = read(client(paths.map(get).join('')));
    await until(() => socket.heard.includes('</5999>'));
    expect([...socket.heard.matchAll(/<(.*?)>/g)].map(([, path]) => path)).toEqual(paths);
  });

  it('begin in no context of the request before them', async () => {
    const context = new AsyncLocalStorage<string>();
    const begunIn: (string | undefined)[] = [];
    await serve((req, res) => {
      begunIn.push(context.getStore());
      context.run(req.url!, () => setImmediate(() => res.end(`<${req.url}>`)));
    });
    const socket = read(client(['/a', '/b', '/c'].map(get).join('')));
    await until(() => socket.heard.includes('</c>'));
    expect(begunIn).toEqual([undefined, undefined, undefined]);
  });

  it('carry their bodies, also those that come later', async () => {
    await serve((req, res) => {
      let body = '';
      req.on('data', (chunk) => (body += String(chunk))).once('end', () => res.end(`<${body.length}>`));
    });
    const post = `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n${'x'.repeat(200_000)}`;
    const socket = read(client(`${get('/')}${post}${post}${get('/')}`));
    await until(() => /<0>.*<200000>.*<200000>.*<0>/s.test(socket.heard));
  });

  it('cost one answer as long as the client does not read, and then its connection', async () => {
    let begun = 0;
    const body = Buffer.alloc(2_000_000);
    await serve((_req, res) => ((begun += 1), res.end(body)), { bounds: soon });
    const socket = client(get('/').repeat(2_000));
    await once(socket, 'connect');
    await until(async () => (await openConnections()) === 1);
    // Nothing is read: the client does not see it.
    await until(async () => (await openConnections()) === 0);
    // What the operating system keeps for a connection, and one more.
    expect(begun).toBeLessThan(20);
  });

  it('delay no other client, although each is answered at once', async () => {
    const seen: string[] = [];
    await serve((req, res) => {
      seen.push(req.url!);
      res.end();
      if (seen.length === 1) read(client(get('/other')));
    });
    read(client(get('/').repeat(2_000)));
    await until(() => seen.length === 2_001);
    expect(seen.indexOf('/other')).toBeLessThan(200);
  });

  it('are bounded in all; the connection with the most of them is closed', async () => {
    const begun: ServerResponse[] = [];
    await serve((_req, res) => begun.push(res), { maxWaiting: 10 });
    const modest = read(client(get('/').repeat(4)));
    await until(() => begun.length === 1);
    const greedy = client(get('/').repeat(1_000));
    await once(greedy.resume(), 'close');
    for (let answered = 0; answered < 4; answered += 1) {
      await until(() => begun.some((res) => !res.destroyed && !res.writableEnded));
      begun.find((res) => !res.destroyed && !res.writableEnded)!.end('mine');
    }
    await until(() => statuses(modest.heard).length === 4);
    expect(begun).toHaveLength(5);
  });
});

describe('a client that does not read', () => {
  it('loses its connection, also if it goes on sending', async () => {
    await serve((_req, res) => res.end(Buffer.alloc(50_000_000)), { bounds: { ...soon, headMs: 10_000 } });
    const socket = client(get('/'));
    await until(async () => (await openConnections()) === 1);
    const sending = setInterval(() => socket.write('\r\n'), 10);
    await until(async () => (await openConnections()) === 0);
    clearInterval(sending);
  });

  it('loses a stream of events, too', async () => {
    await serve((_req, res) => void setInterval(() => res.write('x'.repeat(1_000_000)), 5).unref(), { bounds: soon });
    client(get('/'));
    await until(async () => (await openConnections()) === 1);
    await until(async () => (await openConnections()) === 0);
  });

  it('keeps it as long as it reads, however slowly', async () => {
    const body = Buffer.alloc(30_000_000);
    await serve((_req, res) => res.end(body), { bounds: soon });
    const socket = client(get('/'));
    let bytes = 0;
    let chunks = 0;
    socket.on('data', (chunk) => {
      bytes += chunk.length;
      chunks += 1;
      if (chunks % 8 > 0) return;
      socket.pause();
      setTimeout(() => socket.resume(), 10);
    });
    socket.resume();
    await until(() => bytes > body.length);
    expect(socket.destroyed).toBe(false);
  });
});

describe('what cannot be read', () => {
  it('is answered behind the valid requests before it, each of which keeps its own answer', async () => {
    const begun: ServerResponse[] = [];
    await serve((_req, res) => begun.push(res));
    const socket = read(client(`${get('/')}${get('/')}NONSENSE\r\n\r\n`));
    for (let n = 0; n < 2; n += 1) {
      await until(() => begun.length === n + 1);
      begun[n]!.end('mine');
    }
    await once(socket, 'close');
    expect(statuses(socket.heard)).toEqual([200, 200, 400]);
    expect(socket.heard).toMatch(/Connection: close\r\nContent-Type: application\/problem\+json/);
  });

  it('is answered 501 where it is CONNECT, behind the valid requests before it', async () => {
    await serve((_req, res) => setImmediate(() => res.end()));
    const connecting = 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\nwhatever';
    for (const [text, expected] of [
      [connecting, [501]],
      [`${get('/')}${get('/')}${connecting}`, [200, 200, 501]],
    ] as const) {
      const socket = read(client(text, { allowHalfOpen: true }));
      await once(socket, 'end');
      expect(statuses(socket.heard)).toEqual(expected);
    }
    await until(async () => (await openConnections()) === 0);
  });

  it('writes nothing into an answer that is under way', async () => {
    let answer: ServerResponse | undefined;
    await serve((_req, res) => {
      answer = res.writeHead(200, { 'Content-Length': 8 });
      res.write('half');
    });
    const socket = read(client(get('/')));
    await until(() => socket.heard.endsWith('half'));
    const error = once(server, 'clientError');
    socket.write('NONSENSE\r\n\r\n');
    await error;
    answer!.end('half');
    await once(socket, 'close');
    expect(socket.heard).toMatch(/\r\n\r\nhalfhalfHTTP\/1\.1 400 /);
  });

  const brokenBody = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nNONSENSE\r\n';

  it.each([
    ['the request that runs', brokenBody, [400]],
    ['one that waits', `${get('/')}${brokenBody}`, [200, 400]],
    [
      'one behind a request with a body',
      `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx${brokenBody}`,
      [200, 400],
    ],
  ])('is answered 400 where it is the body of %s', async (_, text, expected) => {
    await serve((req, res) => void req.resume().once('end', () => res.end()));
    const socket = read(client(text));
    await once(socket, 'close');
    expect(statuses(socket.heard)).toEqual(expected);
  });

  it('closes the connection without a word where the answer to it has begun', async () => {
    await serve((_req, res) => void res.writeHead(200).write('begun'));
    const socket = read(client('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n'));
    await until(() => socket.heard.includes('begun'));
    socket.write('NONSENSE\r\n');
    await once(socket, 'close');
    expect(statuses(socket.heard)).toEqual([200]);
  });

  it.each([
    ['cannot be read', 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n', 'NONSENSE\r\n'],
    ['does not end', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n', 'ab'],
  ])(
    'closes the connection without a word where a request has been answered before its body %s',
    async (_, head, body) => {
      await serve((_req, res) => res.end(), { bounds: soon });
      const socket = read(client(head));
      await until(() => statuses(socket.heard).length === 1);
      socket.write(body);
      await once(socket, 'close');
      expect(statuses(socket.heard)).toEqual([200]);
    },
  );

  it('is answered before the connection is reset, however much of it comes', async () => {
    await serve((_req, res) => res.end());
    const socket = read(client(`NONSENSE\r\n\r\n${'x'.repeat(1_000_000)}`));
    await once(socket, 'close');
    expect(statuses(socket.heard)).toEqual([400]);
  });

  it.each([
    ['nothing', ''],
    ['half a head', 'GET / HTTP/1.1\r\nHost: a\r\nX: '],
    ['half a body', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nab'],
    ['half a head behind a request', `${get('/')}GET / HTTP/1.1\r\nHost: a\r\nX: `],
    ['nonsense', 'NONSENSE\r\n\r\n'],
  ])('frees the connection of a client that has sent %s and never closes its side', async (_, text) => {
    await serve((req, res) => void req.resume().once('end', () => res.end()), { bounds: soon });
    let accepted = 0;
    server.on('connection', () => (accepted += 1));
    for (let n = 0; n < 20; n += 1) read(client(text, { allowHalfOpen: true }));
    await until(() => accepted === 20);
    await until(async () => (await openConnections()) === 0);
  });
});

describe('connections', () => {
  it('are bounded: the address with the most of them loses its oldest idle one', async () => {
    await serve((req, res) => void (req.url === '/wait' || res.end()), { bounds: { ...ordinaryBounds, limit: 4 } });
    const busy = client(get('/wait'));
    await once(busy, 'connect');
    const idle: Socket[] = [];
    for (let n = 0; n < 3; n += 1) await once((idle[n] = client(get('/')).resume()), 'data');
    const other = client(get('/'), { localAddress: '127.0.0.2' }).resume();
    await once(other, 'data');
    await until(() => idle[0]!.destroyed);
    expect([busy, idle[1], idle[2], other].map((socket) => socket!.destroyed)).toEqual([false, false, false, false]);
  });

  it('of one address are refused where the others of it are all in use, and those of another address are not', async () => {
    let waiting = 0;
    await serve((req, res) => void (req.url === '/wait' ? (waiting += 1) : res.end()), {
      bounds: { ...ordinaryBounds, limit: 2 },
    });
    const busy = [client(get('/wait')), client(get('/wait'))].map((socket) => socket.resume());
    // A connection whose request has not arrived is idle, and would have to go first.
    await until(() => waiting === 2);
    await once(client(get('/')).resume(), 'close');
    expect(busy.map(({ destroyed }) => destroyed)).toEqual([false, false]);
    await once(client(get('/'), { localAddress: '127.0.0.2' }).resume(), 'data');
    await until(() => busy[0]!.destroyed);
    expect(busy[1]!.destroyed).toBe(false);
  });
});

describe('the service', () => {
  it('answers pipelined requests through the fast lane and through Nest in turn, and the nonsense behind them', async () => {
    const redis = await startRedis();
    const app = await startApp({ redis: redis.url });
    server = app.app.getHttpServer();
    try {
      const item = { name: 'Hammer', category: 'tools', price: 1, quantity: 1 };
      const { body } = await app.http.post('/items').send(item).expect(201);
      await new LaneWatch(app).warm(`/items/${body.id}`);
      const pairs = `${get(`/items/${body.id}`)}${get('/items?q=ham&q=ham')}`.repeat(50);
      const heard = await exchange(app.url, [`${pairs}NONSENSE\r\n\r\n`]);
      expect(statuses(heard)).toEqual([...Array.from({ length: 50 }, () => [200, 400]).flat(), 400]);
      expect(heard.match(/"name":"Hammer"/g)).toHaveLength(50);
    } finally {
      await app.close();
      await redis.stop();
    }
  });
});
