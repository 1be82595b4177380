import { type PolicyName } from '../../src/policies/index.js';
import { Actors } from './actors.js';
import { check, type Violation } from './checker.js';
import { leftStale, settle } from './settlement.js';
import { type Workload } from './workload.js';
import { surroundedBy } from './world/seams.js';
import { type StepScheduler } from './world/steps.js';
import { leaseMs, redisTimeoutMs, staleMs, ttlMs, World } from './world/world.js';

export interface Setup {
  readonly policy: PolicyName;
  readonly env?: Readonly<Record<string, string>>;
  readonly switching?: boolean;
}

export interface Outcome {
  readonly violations: readonly Violation[];
  readonly choices: readonly number[];
  readonly trace: readonly string[];
  readonly steps: number;
}

/** More steps than any workload needs: something goes round in circles. */
const maxSteps = 3_000;
/** After so many timers without a step, nobody waits for anything that will come. */
const maxIdle = 40;

/** Runs one workload under one interleaving, from a fresh world to a settled one. */
export async function runSchedule(
  { policy, env = {}, switching = false }: Setup,
  workload: Workload,
  scheduler: StepScheduler,
  { tracing = false } = {},
): Promise<Outcome> {
  const world = new World(
    { nodes: workload.nodes, env: { CACHE_POLICY: policy, ...env }, switching },
    scheduler,
    tracing,
  );
  return surroundedBy(world, async () => {
    await world.start();
    world.steps.instant = false;
    await interleave(world, workload);
    const violations = await settle(world);
    violations.push(...check(world.history, leaseMs + redisTimeoutMs));
    // What a weaker policy's writer leaves behind when it dies lives for its TTL.
    const died = world.nodes.some(({ alive }) => !alive);
    if (died && (policy !== 'strict' || switching)) world.time.leap(ttlMs + staleMs);
    violations.push(...(await leftStale(world)));
    return { violations, choices: world.steps.choices, trace: world.steps.trace, steps: world.steps.taken };
  });
}

async function interleave(world: World, { writers, readers, faults, passing }: Workload): Promise<void> {
  const { steps, time } = world;
  const actors = new Actors(world);
  const settled = () => steps.settle();
  const passed = async (ms: number): Promise<void> => {
    steps.note(`${ms} ms pass`);
    await time.pass(ms, settled);
  };
  const begin = [
    ...writers.map((writer) => ({ ...writer, run: () => actors.write(writer) })),
    ...readers.map((reader) => ({ ...reader, run: () => actors.read(reader) })),
    ...faults.map((fault) => ({ ...fault, run: () => actors.befall(fault) })),
    ...passing.map(({ at, ms }) => ({ at, node: -1, run: () => passed(ms) })),
  ].sort((a, b) => a.at - b.at);
  const running = new Map<object, number>();
  // What a dead node had begun is never heard of again.
  const busy = () => [...running.values()].some((node) => node < 0 || actors.node(node).alive);
  for (let idle = 0; begin.length > 0 || busy() || steps.count > 0;) {
    while (begin[0] && (begin[0].at <= steps.taken || (steps.count === 0 && (idle === 0 || !busy())))) {
      const actor = begin.shift()!;
      running.set(actor, actor.node);
      void actor.run().finally(() => running.delete(actor));
      await settled();
    }
    if (steps.count > 0) {
      idle = 0;
      await steps.next();
    } else if (idle < maxIdle) {
      // Everyone waits for time to pass.
      idle += 1;
      await passed(time.nextTimerMs ?? 1);
    } else if (begin.length > 0) idle = 0;
    else return;
    if (steps.taken > maxSteps)
      throw new Error(`no end after ${maxSteps} steps:\n${steps.trace.slice(-40).join('\n')}`);
  }
}

/** Whether the documented guarantee of what its reader could rely on allows it. */
export function isAllowed({ kind, policy, ownWrite }: Violation): boolean {
  switch (policy) {
    case 'strict':
      return false;
    case 'ttl':
      return kind !== 'P' && kind !== 'H';
    case 'invalidate':
    case 'write-through':
      return kind === 'A' || (kind === 'R' && !ownWrite);
  }
}
