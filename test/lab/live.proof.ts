import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Findings } from '../../lab/main.mjs';
import { ROOT } from '../../scripts/services/folders.mjs';
import { buildLimitMs, ServiceProcess } from '../support/service-process.js';
import { workerServices } from '../support/services/worker.js';

const out = mkdtempSync(join(tmpdir(), 'strata-lab-'));
afterAll(() => rmSync(out, { recursive: true }));
beforeAll(() => ServiceProcess.build(), buildLimitMs);

function lab(...args: string[]): Promise<{ readonly code: unknown; readonly file: string; readonly told: string }> {
  const command = [join(ROOT, 'lab', 'main.mjs'), '--out', out, ...args];
  return new Promise((resolve) => {
    execFile(process.execPath, command, { cwd: ROOT }, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, file: stdout.trim(), told: stderr }),
    );
  });
}

it('npm run lab: the same script under two policies, and a report of what readers saw', async () => {
  const postgresUrl = await workerServices().postgresUrl();
  const options = ['--policies', 'ttl,strict', '--seconds', '5', '--seed', '1', '--postgres', postgresUrl];
  const { code, file, told } = await lab(...options);
  expect({ code, told: code === 0 || told }).toEqual({ code: 0, told: true });
  const { results, seed } = JSON.parse(readFileSync(file, 'utf8')) as Findings;
  expect(seed).toBe('1');
  expect(results.map(({ policy }) => policy)).toEqual(['ttl', 'strict']);
  const [ttl, strict] = results as [Findings['results'][number], Findings['results'][number]];
  expect(ttl.writes).toBe(strict.writes);
  for (const { reads, hitRatio, loadsPerSecond, verdict } of results) {
    expect(reads).toBeGreaterThan(100);
    expect(hitRatio).toBeGreaterThan(0);
    expect(loadsPerSecond).toBeGreaterThan(0);
    expect(verdict).toBe('kept');
  }
  expect(ttl.stale.reads).toBeGreaterThan(0);
  expect(strict).toMatchObject({ stale: { reads: 0 }, inversions: 0 });
  expect(told).toContain('as the theory says');
  const report = join(out, 'report.html');
  expect(readFileSync(report, 'utf8')).toContain('Which should I choose?');

  rmSync(report);
  expect(await lab('--redraw', file)).toMatchObject({ code: 0, file: '' });
  expect(existsSync(report)).toBe(true);
}, 600_000);
