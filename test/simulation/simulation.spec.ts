import './world/seams.js';
import { type Explored, explore } from './explore.js';
import { type Setup } from './schedule.js';

/** Each with its schedules in `npm test`, the same each time. */
const setups = {
  strict: [{ policy: 'strict' }, 80],
  acknowledged: [{ policy: 'strict', env: { CACHE_L1_STRICT: 'acknowledged' } }, 40],
  switching: [{ policy: 'invalidate', switching: true }, 40],
  'write-through': [{ policy: 'write-through' }, 50],
  invalidate: [{ policy: 'invalidate' }, 50],
  ttl: [{ policy: 'ttl' }, 30],
} satisfies Record<string, readonly [Setup, number]>;

type SetupName = keyof typeof setups;

const { SIMULATION_SCHEDULES, SIMULATION_SEED, SIMULATION_PATH, SIMULATION_SETUPS, STRATA_MUTANT } = process.env;
const schedules = Number(SIMULATION_SCHEDULES ?? 0);
/** The same in every `npm test`: a change is judged by the schedules that the one before was. */
const seed = Number(SIMULATION_SEED ?? 1);
const chosen = SIMULATION_SETUPS?.split(',') ?? Object.keys(setups);

async function run(name: SetupName): Promise<Explored> {
  const [setup, few] = setups[name];
  const unexplained = STRATA_MUTANT !== undefined;
  const explored = await explore(setup, { schedules: schedules || few, seed, path: SIMULATION_PATH, unexplained });
  const seen = [...explored.seen].map(([kind, count]) => `${kind} in ${count}`).join(', ') || 'none';
  const counts = `${explored.schedules} schedules of ${Math.round(explored.steps / explored.schedules)} steps`;
  if (schedules > 0) process.stderr.write(`  ${name}: ${counts}, violations: ${seen} (seed ${seed})\n`);
  if (explored.failure !== undefined) throw new Error(`after ${explored.schedules} schedules: ${explored.failure}`);
  return explored;
}

jest.setTimeout(Math.max(600_000, schedules * 400));

const test = (name: SetupName) => (chosen.includes(name) ? it : it.skip);

describe('strict is linearizable per row and per list, whatever happens', () => {
  test('strict')('from L2', async () => {
    await run('strict');
  });

  test('acknowledged')('from L1, once its nodes acknowledge', async () => {
    await run('acknowledged');
  });

  test('switching')('for as long as it is promised, while policies are switched', async () => {
    await run('switching');
  });
});

/** After so many schedules, one must have shown what a weaker policy allows: else the checker sees nothing. */
const enough = { R: 300, A: 1_500 };

describe('the weaker policies keep what they promise, and no more', () => {
  for (const name of ['write-through', 'invalidate'] as const)
    test(name)(`${name}: at most a lease behind, and sometimes new, then old`, async () => {
      const explored = await run(name);
      for (const kind of ['R', 'A'] as const)
        expect(explored.schedules < enough[kind] || explored.seen.has(kind)).toBe(true);
    });

  test('ttl')('ttl: only what was there once', async () => {
    expect((await run('ttl')).seen.has('R')).toBe(true);
  });
});
