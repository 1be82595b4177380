import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keepHistory, readHistory } from '../../verify/archive.mjs';
import { parseOptions } from '../../verify/options.mjs';
import { UsageError } from '../../verify/command.mjs';
import { CommitCutter } from '../../verify/proxy/commit-cutter.mjs';
import { FaultProxy } from '../../verify/proxy/fault-proxy.mjs';
import { Random } from '../../verify/random.mjs';
import { until } from '../support/until.js';
import { HistoryBuilder } from './history-builder.js';

describe('the fault proxy', () => {
  let server: Server;
  let proxy: FaultProxy;
  let received = '';

  beforeEach(async () => {
    received = '';
    server = createServer((socket) => {
      socket
        .on('error', () => undefined)
        .on('data', (chunk) => {
          received += String(chunk);
          socket.write(`<${String(chunk)}>`);
        });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    proxy = await FaultProxy.to((server.address() as AddressInfo).port);
  });

  afterEach(async () => {
    await proxy.close();
    server.close();
  });

  const open = async () => {
    const socket = connect(proxy.port, '127.0.0.1');
    const heard = { text: '', closed: false };
    socket.on('data', (chunk) => (heard.text += String(chunk)));
    socket.on('error', () => undefined).on('close', () => (heard.closed = true));
    await once(socket, 'connect');
    return { socket, heard };
  };
  const say = (socket: Socket, text: string) => new Promise<void>((resolve) => socket.write(text, () => resolve()));

  it('passes everything on, both ways', async () => {
    const { socket, heard } = await open();
    await say(socket, 'a');
    await until(() => heard.text === '<a>');
  });

  it('knows the connection that listens by its SUBSCRIBE, and cuts it alone', async () => {
    const [commands, bus] = [await open(), await open()];
    await say(bus.socket, '*2\r\n$9\r\nSUBSCRIBE\r\n$1\r\nx\r\n');
    await until(() => bus.heard.text.includes('SUBSCRIBE'));
    expect(proxy.connections).toEqual({ data: 1, bus: 1 });
    proxy.hang(['bus']);
    await say(bus.socket, 'unheard');
    await say(commands.socket, 'heard');
    await until(() => commands.heard.text === '<heard>');
    expect(received).not.toContain('unheard');
  });

  it('delivers in order, and late, what was sent while it hung, also if the client has gone since', async () => {
    const { socket, heard } = await open();
    proxy.hang(['data', 'bus']);
    await say(socket, '1');
    await say(socket, '2');
    socket.destroy();
    await until(() => heard.closed);
    expect(received).toBe('');
    proxy.heal();
    await until(() => received === '12');
  });

  it('loses it with the connections when they are reset', async () => {
    const { socket, heard } = await open();
    await say(socket, '0');
    await until(() => heard.text === '<0>');
    proxy.hang(['data']);
    await say(socket, '1');
    proxy.heal({ reset: true });
    await until(() => heard.closed);
    expect(received).toBe('0');
  });

  it('slows every chunk down, either way', async () => {
    const { socket, heard } = await open();
    proxy.slow(['data'], () => 20);
    const startedMs = performance.now();
    await say(socket, 'a');
    await until(() => heard.text === '<a>');
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(38);
  });

  it('closes what has no server behind it', async () => {
    server.close();
    const { heard } = await open();
    await until(() => heard.closed);
  });
});

describe('the commit cutter', () => {
  it('lets a COMMIT through and loses its answer, and nothing else', async () => {
    let received = '';
    const server = createServer((socket) => {
      socket
        .on('error', () => undefined)
        .on('data', (chunk) => {
          received += String(chunk);
          socket.write('done');
        });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = new URL(`postgres://u:p@127.0.0.1:${(server.address() as AddressInfo).port}/db`);
    const cutter = await CommitCutter.to(url, () => 0.5);
    const through = new URL(cutter.through(url));
    expect([through.username, through.pathname]).toEqual(['u', '/db']);
    const open = async () => {
      const socket = connect(Number(through.port), '127.0.0.1');
      const heard = { text: '', closed: false };
      socket.on('data', (chunk) => (heard.text += String(chunk)));
      socket.on('error', () => undefined).on('close', () => (heard.closed = true));
      await once(socket, 'connect');
      return { socket, heard };
    };
    const commit = 'Q\0\0\0\x0bCOMMIT\0';

    const spared = await open();
    spared.socket.write(commit);
    await until(() => spared.heard.text === 'done');
    cutter.probability = 0.6;
    const [other, hit] = [await open(), await open()];
    other.socket.write('Q\0\0\0\x0bSELECT\0');
    await until(() => other.heard.text === 'done');
    received = '';
    hit.socket.write(commit);
    await until(() => hit.heard.closed);
    expect({ received, heard: hit.heard.text, cuts: cutter.cuts }).toEqual({ received: commit, heard: '', cuts: 1 });
    await cutter.close();
    server.close();
  });
});

describe('the options', () => {
  it('are total', () => {
    expect(parseOptions([])).toMatchObject({
      policy: 'strict',
      nodes: 3,
      rows: 20,
      times: 5,
      l1Strict: 'bypass',
      seconds: undefined,
    });
    expect(parseOptions([]).faults).not.toContain('sql');
  });

  it('keep the TTL out of the way, unless it is the only bound', () => {
    const ttlOf = (...args: string[]) => parseOptions(args).settings.ttlMs;
    expect(ttlOf('--policy', 'write-through', '--faults', 'flush')).toBe(60_000);
    expect(ttlOf('--policy', 'write-through', '--faults', 'kill')).toBe(3_000);
    expect(ttlOf('--policy', 'strict', '--faults', 'kill')).toBe(60_000);
    expect(ttlOf('--policy', 'ttl', '--ttl', '7')).toBe(7);
  });

  it.each([
    [['--policy', 'lax']],
    [['--faults', 'kill,earthquake']],
    [['--nodes', '0']],
    [['--reads', 'many']],
    [['--what']],
    [['--l1-strict', 'maybe']],
  ])('refuse %j', (args) => expect(() => parseOptions(args)).toThrow(UsageError));
});

describe('a seed', () => {
  it('draws the same choices again, whatever others draw', () => {
    const draw = (seed: number, name: string) =>
      Array.from(
        { length: 20 },
        (
          (own) => () =>
            own.integer(1_000)
        )(new Random(seed).fork(name)),
      );
    expect(draw(7, 'faults')).toEqual(draw(7, 'faults'));
    expect(draw(7, 'faults')).not.toEqual(draw(7, 'load'));
    expect(draw(7, 'faults')).not.toEqual(draw(8, 'faults'));
  });

  it('shuffles without loss', () => {
    expect(new Random(1).shuffle([1, 2, 3, 4]).sort()).toEqual([1, 2, 3, 4]);
  });
});

describe('a kept history', () => {
  it('is read as it was', () => {
    const folder = mkdtempSync(join(tmpdir(), 'history-'));
    const file = join(folder, 'below', 'history.jsonl.gz');
    const history = new HistoryBuilder('strict')
      .write([1, 2], 2)
      .read([3, 4], 2)
      .fault('kill', [1, 2], 0)
      .committed()
      .left(2, 2)
      .build();
    keepHistory(file, history);
    expect(existsSync(file)).toBe(true);
    expect(readHistory(file)).toEqual(history);
    rmSync(folder, { recursive: true });
  });
});
