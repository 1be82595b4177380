import * as decisions from '../../src/cache/core/decisions.js';
import { configurations } from '../../model/configurations.mjs';
import { explore, type Model } from '../../model/engine.mjs';
import { mutants } from '../../model/mutants.mjs';
import { guaranteeTable, readResults, withTable } from '../../model/table.mjs';
import { exploreConfiguration, huntMutant } from '../../model/tasks.mjs';

/** Two processes that read a counter, then write it back one higher: the increment that gets lost. */
interface Counter {
  readonly value: number;
  readonly read: readonly (number | undefined)[];
  readonly left: readonly number[];
}

function lostUpdate(): Model<Counter> {
  return {
    initial: { value: 0, read: [undefined, undefined], left: [1, 1] },
    key: (state) => JSON.stringify([state.value, state.read.map((value) => value ?? null), state.left]),
    next: ({ value, read, left }, step) => {
      for (const i of [0, 1]) {
        const seen = read[i];
        if (left[i] === 0) continue;
        if (seen === undefined) step(() => `${i} reads ${value}`, { value, left, read: read.with(i, value) });
        else
          step(() => `${i} writes ${seen + 1}`, {
            value: seen + 1,
            left: left.with(i, 0),
            read: read.with(i, undefined),
          });
      }
      if (left.every((more) => more === 0) && value < 2) step(() => `the counter is ${value}`, undefined, 'L');
    },
  };
}

describe('the engine', () => {
  it('visits every state once and finds a shortest trace', () => {
    const { states, exhaustive, broken, traces, depth } = explore(lostUpdate());
    expect({ states, exhaustive, broken, depth }).toEqual({ states: 12, exhaustive: true, broken: 'L', depth: 4 });
    expect(traces['L']).toEqual(['0 reads 0', '1 reads 0', '0 writes 1', '1 writes 1', 'the counter is 1']);
  });

  it('says so where it stopped early', () => {
    expect(explore(lostUpdate(), { states: 3 })).toMatchObject({ states: 3, exhaustive: false, broken: '' });
    expect(explore(lostUpdate(), { untilMs: 0 })).toMatchObject({ states: 0, exhaustive: false });
  });

  it('stops as soon as enough is broken', () => {
    const all = explore(lostUpdate());
    const some = explore(lostUpdate(), { enough: (broken) => broken === 'L' });
    expect(some.broken).toBe('L');
    expect(some.states).toBeLessThanOrEqual(all.states);
  });
});

/** What took no more states than this in the last full run is explored here too; `npm run model` explores everything. */
const fewStates = 2_500;
const results = readResults();
const isSmall = (states: number | undefined): boolean => states !== undefined && states <= fewStates;

describe('the protocol, explored exhaustively within small bounds', () => {
  const small = configurations.filter(({ name }) =>
    isSmall(results.configurations.find((one) => one.name === name)?.states),
  );

  it.each(small.map((one) => [one.name, one] as const))('is as documented: %s', (_, configuration) => {
    const { result, traces } = exploreConfiguration(configuration, decisions);
    // The trace says what went wrong.
    const unexpected = Object.entries(traces).filter(([letter]) => !configuration.breaks.includes(letter));
    expect(unexpected).toEqual([]);
    expect(result).toMatchObject({ exhaustive: true, broken: configuration.breaks, ok: true });
  });

  it('strict loses nothing that is promised, and every weaker policy something', () => {
    const promised = configurations.filter((one) => one.promised);
    const strict = promised.filter(({ policy }) => policy.startsWith('strict'));
    expect(strict.filter(({ breaks }) => breaks !== '')).toEqual([]);
    for (const policy of ['ttl', 'invalidate', 'write-through']) {
      expect(promised.some((one) => one.policy === policy && one.breaks !== '')).toBe(true);
    }
  });
});

describe('the guards', () => {
  const small = mutants.filter(
    ({ guard, depth }) => depth === undefined && isSmall(results.mutants.find((one) => one.guard === guard)?.states),
  );

  it.each(small.map((mutant) => [mutant.guard, mutant] as const))('something breaks without: %s', (_, mutant) => {
    expect(huntMutant(mutant, configurations, decisions).result).toMatchObject({ ok: true });
  });
});

describe('the recorded results', () => {
  it('are those of the configurations and mutants at hand', () => {
    expect(results.configurations.map(({ name, expected }) => [name, expected])).toEqual(
      configurations.map(({ name, breaks }) => [name, breaks]),
    );
    expect(results.mutants.map(({ guard }) => guard)).toEqual(mutants.map(({ guard }) => guard));
    expect([...results.configurations, ...results.mutants].filter(({ ok }) => !ok)).toEqual([]);
  });

  it('render as a table between its markers', () => {
    const table = guaranteeTable(results);
    expect(table).toMatch(/^\| `strict` +\| yes +\| yes +\| yes +\|/m);
    expect(withTable('a\n<!-- model:begin -->\nold\n<!-- model:end -->\nb\n', table)).toBe(
      `a\n<!-- model:begin -->\n\n${table}\n\n<!-- model:end -->\nb\n`,
    );
    expect(() => withTable('no markers', table)).toThrow('no place');
  });
});
