import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { closedLoop } from '../../bench/load/closed-loop.mjs';
import { httpLoad } from '../../bench/load/http-load.mjs';
import { ResponseReader } from '../../bench/load/response-reader.mjs';
import { run, twin } from '../../bench/measure/race.mjs';
import { SliceRecorder } from '../../bench/measure/slice.mjs';
import { parseOptions } from '../../bench/options.mjs';
import { UsageError } from '../../verify/command.mjs';
import { chart } from '../../bench/report/chart.mjs';
import { table } from '../../bench/report/table.mjs';
import { Random } from '../../verify/random.mjs';

const { signal } = new AbortController();

describe('a race', () => {
  const subjectsOf = (order: string[]) =>
    ['a', 'b'].map((name) => ({
      ...{ name, what: name },
      drive: (forMs: number) => {
        order.push(name);
        return Promise.resolve({ rate: forMs, p50: 1, p99: 1, count: 1 });
      },
    }));
  const race = (order: string[], rounds: number, control = 'a', warmUpMs = 0) => ({
    ...{ name: 'race', subjects: subjectsOf(order), control, targets: [], rounds, sliceMs: 7, warmUpMs },
  });

  it('gives every subject one slice a round, and the control a second one', async () => {
    const order: string[] = [];
    const rounds = await run(race(order, 5), { random: new Random(1), signal });
    expect(rounds.map((round) => Object.keys(round).sort())).toEqual(Array(5).fill([twin, 'a', 'b']));
    expect(order.filter((name) => name === 'a')).toHaveLength(10);
    expect(rounds[0]?.['b']).toMatchObject({ rate: 7 });
  });

  it('has another order in each round, and the same orders for the same seed', async () => {
    const orders = await Promise.all(
      [1, 1, 2].map(async (seed) => {
        const order: string[] = [];
        await run(race(order, 20), { random: new Random(seed), signal });
        return order.join('');
      }),
    );
    expect(orders[0]).toBe(orders[1]);
    expect(orders[0]).not.toBe(orders[2]);
    expect(new Set(orders[0]!.match(/.../g)).size).toBe(3);
  });

  it('warms all subjects up in turn, and keeps nothing of it', async () => {
    const order: string[] = [];
    expect(await run(race(order, 1, 'a', 14), { random: new Random(1), signal })).toHaveLength(1);
    expect(order.slice(0, 4).join('')).toBe('abab');
    expect(order).toHaveLength(7);
  });

  it('ends when it is told to, and needs a control', async () => {
    const order: string[] = [];
    await expect(run(race(order, 9), { random: new Random(1), signal: AbortSignal.abort() })).rejects.toThrow();
    expect(order).toEqual([]);
    await expect(run(race(order, 9, 'c'), { random: new Random(1), signal })).rejects.toThrow('"c"');
  });
});

describe('a slice', () => {
  it('knows its percentiles', () => {
    const recorder = new SliceRecorder();
    for (let ms = 200; ms >= 1; ms -= 1) recorder.add(ms);
    const { count, p50, p99 } = recorder.end();
    expect([count, p50, Math.round(p99)]).toEqual([200, 100.5, 198]);
  });

  it('in which nothing has ended is a fault', () => {
    expect(() => new SliceRecorder().end()).toThrow('nothing has ended');
  });

  it('of a closed loop has as many calls under way as it is told, and none afterwards', async () => {
    let nowMs = 0;
    const clock = jest.spyOn(performance, 'now').mockImplementation(() => nowMs);
    let underWay = 0;
    const seen = new Set<number>();
    // A millisecond each, of a machine that does one thing at a time.
    const call = async () => {
      seen.add((underWay += 1));
      await new Promise((resolve) => setImmediate(resolve));
      underWay -= 1;
      nowMs += 1;
    };
    const { count, rate } = await closedLoop(call, 4)(20);
    clock.mockRestore();
    expect(Math.max(...seen)).toBe(4);
    expect(underWay).toBe(0);
    // Those that were under way when the time was over end, too.
    expect(count).toBe(20 + 3);
    expect(rate).toBeCloseTo(1_000, -2);
  });

  it('of a closed loop has a call of each caller, however short it is', async () => {
    const call = () => new Promise((resolve) => setImmediate(resolve));
    expect(await closedLoop(call, 4)(0)).toMatchObject({ count: 4 });
  });
});

describe('the HTTP load', () => {
  let server: Server | undefined;
  afterEach(() => server?.close());

  const serve = async (listener: RequestListener) => {
    server = createServer(listener).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  };
  const next = () => 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';

  it('counts what is answered, on all connections, pipelined or not', async () => {
    let asked = 0;
    const ports = new Set<number | undefined>();
    const url = await serve((req, res) => {
      asked += 1;
      ports.add(req.socket.remotePort);
      res.end('x'.repeat(asked % 3));
    });
    const first = await httpLoad({ url, next, status: 200, connections: 3, pipelining: 4 })(40);
    expect(first.count).toBe(asked);
    expect(asked).toBeGreaterThanOrEqual(12);
    expect(ports.size).toBe(3);
    const second = await httpLoad({ url, next, status: 200, connections: 1 })(20);
    expect(first.count + second.count).toBe(asked);
  });

  it('is no load of errors', async () => {
    const url = await serve((_, res) => void res.writeHead(503).end());
    await expect(httpLoad({ url, next, status: 200 })(20)).rejects.toThrow('503');
  });

  it('notices a server that hangs up', async () => {
    const url = await serve((req) => void req.socket.destroy());
    await expect(httpLoad({ url, next, status: 200, connections: 1 })(20)).rejects.toThrow();
  });
});

describe('the reader of responses', () => {
  const text = 'HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabcHTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n';

  it('finds them wherever the stream is cut', () => {
    for (let cut = 0; cut <= text.length; cut += 1) {
      const reader = new ResponseReader();
      const parts = [text.slice(0, cut), text.slice(cut)].map((part) => [...reader.read(Buffer.from(part))]);
      expect(parts.flat()).toEqual([200, 304]);
    }
  });

  it('knows that HEAD has a length and no body, and wants a length elsewhere', () => {
    const head = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n');
    expect([...new ResponseReader({ head: true }).read(head)]).toEqual([200]);
    expect([...new ResponseReader().read(head)]).toEqual([]);
    expect(() => [...new ResponseReader().read(Buffer.from('HTTP/1.1 200 OK\r\nA: b\r\n\r\n'))]).toThrow('length');
  });
});

describe('the options', () => {
  it('are all scenarios, and rounds as each race has them, unless told otherwise', () => {
    expect(parseOptions([], ['a', 'b'])).toMatchObject({ names: ['a', 'b'], rounds: undefined, short: false });
    expect(parseOptions(['b', '--seed', '7'], ['a', 'b'])).toMatchObject({ names: ['b'], seed: '7' });
    expect(() => parseOptions(['c'], ['a'])).toThrow(UsageError);
    expect(() => parseOptions(['--rounds', '0'], ['a'])).toThrow(UsageError);
    expect(() => parseOptions(['--fast'], ['a'])).toThrow(UsageError);
  });
});

describe('what is shown', () => {
  const interval = { median: 1.5, low: 1.4, high: 1.6 };
  const control = { median: 1, low: 0.99, high: 1.01 };
  const finding = { of: 'a<b', to: 'c', metric: 'p50' as const, atMost: 2, ratio: interval, control };

  it('is a table with every figure', () => {
    const [, line] = table([{ ...finding, verdict: 'met' }]).split('\n');
    expect(line?.split(/ {2,}/)).toEqual([
      ...['a<b : c', 'p50', '1.500', '1.400 - 1.600', '≤ 2', '1.000', '0.990 - 1.010', 'MET'],
    ]);
  });

  it('is a chart of well-formed SVG', () => {
    const svg = chart('Costs & more', [{ ...finding, verdict: 'missed' }]);
    expect(svg).toContain('Costs &amp; more');
    expect(svg).toContain('a&lt;b : c');
    expect(svg).not.toContain('NaN');
    expect(svg.match(/<(?!\/)[^>]*[^/]>/g)?.length).toBe(svg.match(/<\//g)?.length);
  });
});
