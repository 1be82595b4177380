import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keepHistory, readHistory } from '../../verify/archive.mjs';
import { parseOptions } from '../../verify/options.mjs';
import { UsageError } from '../../verify/command.mjs';
import { CommitCutter } from '../../verify/faults/commit-cutter.mjs';
import { Random } from '../../verify/random.mjs';
import { until } from '../support/until.js';
import { HistoryBuilder } from './history-builder.js';

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

  it('leave out what a PostgreSQL of others cannot be asked to do', () => {
    const own = parseOptions([]).faults.filter(
      (name) => !parseOptions(['--postgres', 'postgres://h/d']).faults.includes(name),
    );
    expect(own).toEqual(['pg-restart', 'pg-promote', 'pg-restore']);
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
    [['--writes', 'save,telepathy']],
    [['--postgres', 'postgres://h/d', '--faults', 'pg-restore']],
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
