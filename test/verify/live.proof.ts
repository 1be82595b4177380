import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from '../../scripts/services/folders.mjs';
import { buildLimitMs, ServiceProcess } from '../support/service-process.js';
import { workerServices } from '../support/services/worker.js';

interface Result {
  readonly verdict: string;
  readonly reads: number;
  readonly stale: number;
  readonly inversions: number;
  readonly leftStale: number;
  readonly leftCompared: number;
  readonly phantoms: number;
  readonly lostWrites: number;
  readonly crashes: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly writes: { readonly ok: number };
}

/** `npm run verify` in its short form: real nodes, and a server of the tests instead of one of its own. */
async function verify(
  ...args: string[]
): Promise<{ readonly code: unknown; readonly result: Result; readonly told: string }> {
  const command = [
    join(ROOT, 'verify', 'main.mjs'),
    '--postgres',
    await workerServices().postgresUrl(),
    '--nodes',
    '2',
    ...args,
  ];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, command, { cwd: ROOT }, (error, stdout, stderr) => {
      const line = stdout.trim().split('\n').at(-1);
      if (!line) return reject(new Error(stderr));
      resolve({ code: error?.code ?? 0, result: JSON.parse(line) as Result, told: stderr });
    });
  });
}

beforeAll(() => ServiceProcess.build(), buildLimitMs);

describe('a live history of real nodes', () => {
  it('under strict has no stale read and no inversion, whatever happens to nodes, Redis and commits', async () => {
    const faults = 'flush,partition,bus-partition,rollback,redis-restart,redis-old-rdb';
    const writes =
      'save,create,remove,update-by-criteria,query-builder,upsert,cascade,savepoint,serializable,raw,raw-alone';
    const { code, result, told } = await verify(
      '--policy',
      'strict',
      '--reads',
      '500',
      '--times',
      '1',
      '--lease',
      '200',
      '--faults',
      faults,
      '--writes',
      writes,
    );
    expect({ code, told: code === 0 || told }).toEqual({ code: 0, told: true });
    expect(result).toMatchObject({
      verdict: 'kept',
      stale: 0,
      inversions: 0,
      leftStale: 0,
      phantoms: 0,
      lostWrites: 0,
      crashes: 0,
    });
    expect(Object.keys(result.faults).length).toBeGreaterThan(0);
    expect(result.reads).toBeGreaterThan(0);
    expect(result.leftCompared).toBeGreaterThan(0);
  }, 600_000);

  it('under ttl shows the checker what to find', async () => {
    const { code, result } = await verify(
      '--policy',
      'ttl',
      '--reads',
      '2000',
      '--faults',
      'none',
      '--ttl',
      '1500',
      '--stale',
      '500',
    );
    expect(result.writes.ok).toBeGreaterThan(0);
    expect(result).toMatchObject({ verdict: 'kept', leftStale: 0, phantoms: 0, lostWrites: 0 });
    expect(code).toBe(0);
    expect(result.stale).toBeGreaterThan(0);
  }, 600_000);
});
