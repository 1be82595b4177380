import { runSchedule, type Setup } from './schedule.js';
import { type Reader, type Target, type Workload, type Writer } from './workload.js';
import { ScriptedSteps } from './world/steps.js';

/* One schedule, written down: who does what, and in which order the steps that matter are taken. */

const nothing: Workload = { nodes: 2, writers: [], readers: [], faults: [], passing: [] };

type Change = Writer['changes'][number];

/** @param at the number of steps after which it begins */
export const writer = (at: number, node: number, change: Change, more: Partial<Writer> = {}): Writer => ({
  ...{ at, node, changes: [change], rollback: false, fate: 'answered', ...more },
});

export const reader = (at: number, node = 0, ...targets: readonly Target[]): Reader => ({
  ...{ at, node, targets: targets.length > 0 ? targets : ['row 1'], renew: false },
});

/** Somebody changes the first row, having locked it. */
export const update: Change = { do: 'update', id: 1, category: 'a', locks: true };

/** What went wrong, where steps that the patterns name are taken in the order of the patterns. */
export async function violations(
  workload: Partial<Workload>,
  script: readonly RegExp[],
  setup: Setup = { policy: 'strict' },
): Promise<string[]> {
  const scheduler = new ScriptedSteps(script);
  const outcome = await runSchedule(setup, { ...nothing, ...workload }, scheduler, { tracing: true });
  if (process.env['SIMULATION_TRACE']) process.stderr.write(`${outcome.trace.join('\n')}\n`);
  return outcome.violations.map(({ kind, text }) => `${kind} ${text}`);
}
