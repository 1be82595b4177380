import './world/seams.js';
import { runSchedule } from './schedule.js';
import { type Reader, type Workload, type Writer } from './workload.js';
import { ScriptedSteps } from './world/steps.js';

/* What the simulation has found, step by step. `failing`: it is open; once it is mended, Jest says so. */

const nothing: Workload = { nodes: 2, writers: [], readers: [], faults: [], passing: [] };
const writer = (at: number, node: number, change: Writer['changes'][number]): Writer => ({
  ...{ at, node, changes: [change], rollback: false, fate: 'answered' },
});
const reader = (at: number): Reader => ({ at, node: 0, targets: ['row 1'], renew: false });

async function violations(workload: Partial<Workload>, script: readonly RegExp[]): Promise<string[]> {
  const scheduler = new ScriptedSteps(script);
  const outcome = await runSchedule({ policy: 'strict' }, { ...nothing, ...workload }, scheduler, { tracing: true });
  return outcome.violations.map(({ kind, text }) => `${kind} ${text}`);
}

/**
 * The epoch is taken while the generation before is still in force. A writer that gets its id after it fences there; the
 * new generation knows neither its fence nor, its id being above the epoch, that it must not trust a load that missed it.
 */
it.failing('a generation that begins while another is in force knows of the writers that fenced there', async () => {
  const found = await violations(
    {
      faults: [{ at: 0, node: 0, fault: 'clear' }],
      writers: [writer(0, 1, { do: 'update', id: 1, category: 'a', locks: true })],
      readers: [reader(13), reader(24)],
    },
    [
      ...[/pg n0.*transaction ids/, /pg n1.*UPDATE/, /pg n1.*transaction ids/, /n1 -> fence/, /n1 <- reply to fence/],
      ...[
        /installGeneration/,
        /reply to installGeneration/,
        /n0 -> getRow/,
        /n0 <- reply to getRow/,
        /pg n0.*SELECT 1/,
      ],
      ...[/pg n1.*COMMIT$/, /n0 -> fillRow/],
    ],
  );
  expect(found).toEqual([]);
});

/**
 * `save()` without a lock: the row is gone when the subscriber wants to lock it, so nothing is noted; it is back when the
 * UPDATE comes.
 */
it.failing('a row that was removed, and is inserted again before the UPDATE, is fenced', async () => {
  const found = await violations(
    {
      writers: [
        writer(0, 0, { do: 'update', id: 1, category: 'a', locks: false }),
        writer(2, 1, { do: 'remove', id: 1, locks: true }),
        writer(6, 1, { do: 'insert', id: 1, category: 'a' }),
      ],
    },
    [
      ...[/pg n0.*SELECT 1$/, /pg n0.*SELECT 1$/, /pg n1.*DELETE/, /pg n1.*COMMIT$/, /pg n0.*SELECT 1 FOR UPDATE/],
      ...[/n1 -> storeRow/, /pg n1.*INSERT/, /pg n1.*COMMIT$/, /n1 -> storeRow/, /pg n0.*UPDATE 1/, /pg n0.*COMMIT$/],
    ],
  );
  expect(found).toEqual([]);
});
