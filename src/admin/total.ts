import { type Counters } from './dashboard/counters.js';
import { type CacheStatsView } from './dto/cache-stats.js';

const breakers = ['closed', 'half-open', 'open'] as const;
const feedStates = ['leading', 'standby', 'starting', 'unsupported', 'off'];

/** What the workers that serve one port say of themselves, as one: counts are added up, a state is the worst of them. */
export function totalStats(all: readonly [CacheStatsView, ...CacheStatsView[]]): CacheStatsView {
  const total = { ...added(all), l1: totalL1(all), workers: workersOf(all) };
  const generations = new Set(all.map(({ l2 }) => l2.generation));
  const generation = generations.size === 1 ? total.l2.generation : null;
  return { ...total, l2: { ...total.l2, breaker: worstBreaker(all), generation } };
}

/** The same of what the dashboard shows. The first one is the worker that is asked: the clock is its. */
export function totalCounters(all: readonly [Counters, ...Counters[]]): Counters {
  const [own] = all;
  const [feed] = all.map((each) => each.feed).sort((a, b) => placeOf(a.state) - placeOf(b.state));
  return {
    ...added(all),
    l1: totalL1(all),
    l2: { ...own.l2, breaker: worstBreaker(all) },
    workers: workersOf(all),
    state: all.find(({ state }) => state !== 'ready')?.state ?? own.state,
    upSeconds: Math.min(...all.map(({ upSeconds }) => upSeconds)),
    feed: feed ?? own.feed,
    atMs: own.atMs,
    queue: own.queue,
    buckets: own.buckets,
  };
}

const placeOf = (state: string): number => feedStates.indexOf(state);

const totalL1 = (all: readonly Pick<CacheStatsView, 'l1'>[]): CacheStatsView['l1'] => ({
  ...added(all.map(({ l1 }) => l1)),
  leaseValid: all.every(({ l1 }) => l1.leaseValid),
});

const worstBreaker = (all: readonly { readonly l2: Pick<CacheStatsView['l2'], 'breaker'> }[]) =>
  breakers[Math.max(...all.map(({ l2 }) => breakers.indexOf(l2.breaker)))]!;

const workersOf = (all: readonly { readonly workers: readonly string[] }[]): string[] =>
  all.flatMap(({ workers }) => workers).sort((a, b) => Number(a) - Number(b));

/** Every number is the sum; what is none is the first's. */
function added<T>(all: readonly T[]): T {
  const [first] = all;
  if (typeof first === 'number') return (all as readonly number[]).reduce((sum, each) => sum + each) as T;
  if (typeof first !== 'object' || first === null) return first!;
  const records = all as readonly Readonly<Record<string, unknown>>[];
  const names = new Set(records.flatMap((record) => Object.keys(record)));
  const entries = [...names].map((name) => {
    const values = records.flatMap((record) => (name in record ? [record[name]] : []));
    return [name, added(values)] as const;
  });
  return (Array.isArray(first) ? entries.map(([, value]) => value) : Object.fromEntries(entries)) as T;
}
