import { Random } from '../../verify/random.mjs';
import { medianInterval } from '../../bench/measure/statistics.mjs';
import { type Round } from '../../bench/measure/race.mjs';
import { type Slice } from '../../bench/measure/slice.mjs';
import { judge, verdictOf } from '../../bench/measure/verdict.mjs';

/** Values around a centre, skewed as latencies are. */
const around = (centre: number, count: number, random: Random) =>
  Array.from({ length: count }, () => centre * Math.exp(0.2 * (random.next() + random.next() + random.next() - 1.5)));

describe('the interval of a median', () => {
  it('holds the true one about as often as it says', () => {
    const random = new Random('coverage');
    let held = 0;
    for (let i = 0; i < 20; i += 1) {
      const { low, high } = medianInterval(around(2, 40, random), random);
      if (low <= 2 && 2 <= high) held += 1;
    }
    expect(held).toBeGreaterThanOrEqual(17);
  });

  it('is narrower the more is known, and surrounds the median', () => {
    const random = new Random('width');
    const width = (count: number) => {
      const { median, low, high } = medianInterval(around(1, count, random), random);
      expect(low).toBeLessThanOrEqual(median);
      expect(median).toBeLessThanOrEqual(high);
      return high - low;
    };
    expect(width(160)).toBeLessThan(width(10));
  });

  it('is the same for the same seed', () => {
    const values = around(1, 40, new Random('values'));
    expect(medianInterval(values, new Random('a'))).toEqual(medianInterval(values, new Random('a')));
    expect(medianInterval([3, 3, 3], new Random('a'))).toEqual({ median: 3, low: 3, high: 3 });
  });
});

describe('a verdict', () => {
  const exact = (median: number) => ({ median, low: median, high: median });
  const control = { median: 1, low: 0.98, high: 1.02 };

  it('allows for what the control cannot tell from nothing, and for no more', () => {
    expect(verdictOf({ atLeast: 0.7 }, { median: 0.72, low: 0.681, high: 0.8 }, control)).toBe('met');
    expect(verdictOf({ atLeast: 0.7 }, { median: 0.72, low: 0.679, high: 0.8 }, control)).toBe('missed');
    expect(verdictOf({ atMost: 2 }, { median: 1.9, low: 1.8, high: 2.019 }, control)).toBe('met');
    expect(verdictOf({ atMost: 2 }, { median: 1.9, low: 1.8, high: 2.021 }, control)).toBe('missed');
  });

  it('looks at the end of the interval that is nearer to the bound', () => {
    expect(verdictOf({ atLeast: 0.7 }, { median: 0.9, low: 0.5, high: 1 }, exact(1))).toBe('missed');
    expect(verdictOf({ atMost: 1.3 }, { median: 1.1, low: 1, high: 1.4 }, exact(1))).toBe('missed');
  });

  it('is void where the control differs from itself by more than 5 %', () => {
    expect(verdictOf({ atMost: 2 }, exact(1), exact(1.051))).toBe('void');
    expect(verdictOf({ atMost: 2 }, exact(1), exact(0.949))).toBe('void');
    expect(verdictOf({ atMost: 2 }, exact(1), exact(1.049))).toBe('met');
    expect(verdictOf({ atMost: 2 }, exact(1), exact(NaN))).toBe('void');
  });

  it('compares slices of the same round', () => {
    const slice = (p50: number): Slice => ({ rate: 1000 / p50, p50, p99: 2 * p50, count: 10 });
    // The machine is ten times slower in every other round: the ratio is the same in all of them.
    const rounds = Array.from({ length: 40 }, (_, i): Round => {
      const slow = i % 2 === 0 ? 10 : 1;
      return { plain: slice(slow), '(control)': slice(slow), costly: slice(1.5 * slow) };
    });
    const of = { of: 'costly', to: 'plain' };
    const found = (metric: 'p50' | 'rate') => judge(rounds, 'plain', { ...of, metric, atMost: 1.6 }, new Random('x'));
    expect(found('p50')).toMatchObject({ ratio: { median: 1.5, low: 1.5, high: 1.5 }, verdict: 'met' });
    expect(found('rate').ratio.median).toBeCloseTo(1 / 1.5);
    expect(() => judge(rounds, 'plain', { of: 'who', to: 'plain', metric: 'rate' }, new Random('x'))).toThrow('"who"');
  });
});
