import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

interface Result {
  readonly judged: boolean;
  readonly races: readonly {
    readonly rounds: number;
    readonly findings: readonly { readonly ratio: Record<'low' | 'median' | 'high', number> }[];
    readonly subjects: readonly { readonly rate: number; readonly p50: number; readonly p99: number }[];
  }[];
}

/** Whether it runs and says something sensible; how fast anything is, a test cannot know. */
it.each(['cost', 'http'])(
  'npm run bench -- %s: runs, and prints its figures',
  async (scenario) => {
    const { stdout } = await promisify(execFile)('node', ['bench/main.mjs', scenario, '--short', '--seed', '1'], {
      timeout: 880_000,
    });
    const result = JSON.parse(stdout) as Result;
    expect(result).toMatchObject({ scenario, seed: '1', judged: false });
    expect(result.races.length).toBeGreaterThan(0);
    for (const { rounds, findings, subjects } of result.races) {
      expect(rounds).toBe(3);
      expect(findings.length).toBeGreaterThan(0);
      for (const { ratio } of findings) {
        expect(ratio.low).toBeGreaterThan(0);
        expect(ratio.low).toBeLessThanOrEqual(ratio.median);
        expect(ratio.median).toBeLessThanOrEqual(ratio.high);
      }
      for (const { rate, p50, p99 } of subjects) {
        expect(rate).toBeGreaterThan(0);
        expect(p50).toBeGreaterThan(0);
        expect(p99).toBeGreaterThanOrEqual(p50);
      }
    }
  },
  900_000,
);
