import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from '../../scripts/services/folders.mjs';
import { scenarios } from '../../outages/scenarios.mjs';
import { buildLimitMs, ServiceProcess } from '../support/service-process.js';

interface Result {
  readonly scenario: string;
  readonly requirements: readonly { readonly claim: string; readonly met: boolean; readonly seen: string }[];
}

/** The others are about how soon and how much: a few seconds on a machine that may be busy say nothing of that. */
const brief = ['redis-restarts', 'password', 'postgres-restart', 'writer-killed', 'drain'];

function run(scenario: string): Promise<{ readonly result: Result; readonly told: string }> {
  const command = [join(ROOT, 'outages', 'main.mjs'), scenario, '--short', '--seed', '1'];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, command, { cwd: ROOT }, (error, stdout, stderr) => {
      const line = stdout.trim().split('\n').at(-1);
      if (!line || (error && error.code !== 1)) return reject(new Error(stderr));
      resolve({ result: JSON.parse(line) as Result, told: stderr });
    });
  });
}

beforeAll(() => ServiceProcess.build(), buildLimitMs);

describe('what is promised while things break is kept, in short', () => {
  it.each(scenarios.filter(({ name }) => brief.includes(name)).map(({ name, title }) => [name, title]))(
    '%s: %s',
    async (name) => {
      const { result, told } = await run(name);
      expect(result.requirements.length).toBeGreaterThan(1);
      const broken = result.requirements.filter(({ met }) => !met);
      expect({ broken, told: broken.length > 0 && told }).toEqual({ broken: [], told: false });
    },
    600_000,
  );
});
