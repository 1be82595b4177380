import { type Outcome, runSchedule, type Setup } from './schedule.js';
import { type Workload } from './workload.js';
import { RecordedSteps } from './world/steps.js';

export interface Failure {
  readonly workload: Workload;
  readonly choices: readonly number[];
}

const maxRuns = 500;
const parts = ['faults', 'writers', 'readers', 'passing'] as const;

/**
 * fast-check shrinks the workload, not the interleaving. This makes both as plain as they can be while the run still
 * fails: actors are left out, and steps are taken oldest first wherever their order does not matter.
 */
export async function straighten(
  setup: Setup,
  failure: Failure,
  fails: (outcome: Outcome) => boolean,
): Promise<{ readonly failure: Failure; readonly outcome: Outcome }> {
  let best = failure;
  let runs = 0;
  const run = ({ workload, choices }: Failure, tracing = false): Promise<Outcome> =>
    runSchedule(setup, workload, new RecordedSteps(choices), { tracing });
  const attempt = async (candidate: Failure): Promise<boolean> => {
    if (runs >= maxRuns) return false;
    runs += 1;
    const failed = await run(candidate).then(fails, () => false);
    if (failed) best = candidate;
    return failed;
  };
  for (let before: Failure | undefined; before !== best && runs < maxRuns;) {
    before = best;
    for (const part of parts)
      for (let i = best.workload[part].length - 1; i >= 0; i -= 1)
        await attempt({ ...best, workload: { ...best.workload, [part]: best.workload[part].toSpliced(i, 1) } });
    for (let size = best.choices.length; size >= 1; size = Math.floor(size / 2))
      for (let from = 0; from < best.choices.length; from += size) {
        const choices = best.choices.map((choice, i) => (i >= from && i < from + size ? 0 : choice));
        if (choices.some((choice, i) => choice !== best.choices[i])) await attempt({ ...best, choices });
      }
    await attempt({ ...best, choices: withoutTrailingZeros(best.choices) });
  }
  return { failure: best, outcome: await run(best, true) };
}

function withoutTrailingZeros(choices: readonly number[]): readonly number[] {
  return choices.slice(0, choices.findLastIndex((choice) => choice !== 0) + 1);
}
