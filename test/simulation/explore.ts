import fc from 'fast-check';
import { type Kind } from './checker.js';
import { isAllowed, type Outcome, runSchedule, type Setup } from './schedule.js';
import { type Failure, straighten } from './straighten.js';
import { workload } from './workload.js';

export interface Explored {
  readonly schedules: number;
  readonly steps: number;
  /** Violations that the guarantee allows, by kind: schedules that show them. */
  readonly seen: ReadonlyMap<Kind, number>;
  /** What to print of a failure. */
  readonly failure?: string;
}

export interface Budget {
  readonly schedules: number;
  readonly seed: number;
  /** Of a failure, to run only that. */
  readonly path?: string | undefined;
  /** It is enough to know that there is a failure. */
  readonly unexplained?: boolean;
}

const batch = 50;

const forbidden = ({ violations }: Outcome): boolean => violations.some((violation) => !isAllowed(violation));

/** Runs schedule after schedule until as many have run as wanted, or one shows what must not be. */
export async function explore(setup: Setup, { schedules, seed, path, unexplained = false }: Budget): Promise<Explored> {
  const seen = new Map<Kind, number>();
  let run = 0;
  let steps = 0;
  let last: Failure | undefined;
  const property = fc.asyncProperty(
    workload({ switches: setup.switching ?? false }),
    fc.scheduler(),
    async (load, scheduler) => {
      const outcome = await runSchedule(setup, load, scheduler);
      run += 1;
      steps += outcome.steps;
      for (const kind of new Set(outcome.violations.map((violation) => violation.kind)))
        seen.set(kind, (seen.get(kind) ?? 0) + 1);
      if (!forbidden(outcome)) return;
      last = { workload: load, choices: outcome.choices };
      throw new Error(outcome.violations.map(({ kind, text }) => `${kind}  ${text}`).join('\n'));
    },
  );
  for (let nth = 0; run < schedules; nth += 1) {
    const numRuns = Math.min(batch, schedules - run);
    const details = await fc.check(property, {
      seed: seed + nth,
      numRuns,
      endOnFailure: unexplained,
      ...(path && { path }),
    });
    if (details.failed) {
      const replay = `SIMULATION_SEED=${details.seed} SIMULATION_PATH=${details.counterexamplePath}`;
      const text = last && !unexplained ? await explain(setup, last) : String(details.errorInstance);
      return { schedules: run, steps, seen, failure: `${text}\nTo run it again: ${replay}` };
    }
    if (path) break;
  }
  return { schedules: run, steps, seen };
}

/** The failing run in words: what went wrong, who did what, and every step. */
async function explain(setup: Setup, found: Failure): Promise<string> {
  const { failure, outcome } = await straighten(setup, found, forbidden);
  const wrong = outcome.violations.filter((violation) => !isAllowed(violation));
  return [
    `${JSON.stringify(setup)}`,
    ...wrong.map(({ kind, text }) => `${kind}  ${text}`),
    'Workload:',
    JSON.stringify(failure.workload),
    'Steps:',
    ...outcome.trace,
  ].join('\n');
}
