import { parseOptions } from '../../outages/options.mjs';
import { percentiles } from '../../outages/percentiles.mjs';
import { report } from '../../outages/report.mjs';
import { scenarios } from '../../outages/scenarios.mjs';
import { isFlat } from '../../outages/node-memory.mjs';
import { UsageError } from '../../verify/command.mjs';

describe('the options', () => {
  it('are all scenarios in their own sizes, unless told', () => {
    expect(parseOptions([], scenarios)).toMatchObject({ chosen: scenarios, policy: undefined, size: {}, short: false });
    const some = parseOptions(['drain', '--times', '3', '--policy', 'strict'], scenarios);
    expect(some.chosen.map(({ name }) => name)).toEqual(['drain']);
    expect(some).toMatchObject({ policy: 'strict', size: { times: 3 } });
  });

  it.each([[['earthquake']], [['--times', '0']], [['--policy', 'lax']], [['--what']]])('refuse %j', (args) =>
    expect(() => parseOptions(args, scenarios)).toThrow(UsageError),
  );
});

it('percentiles are values that there were', () => {
  const values = Array.from({ length: 1_000 }, (_, n) => 1_000 - n);
  expect(percentiles(values)).toEqual({ count: 1_000, p50: 500, p99: 990, p999: 999, max: 1_000 });
  expect(percentiles([])).toEqual({ count: 0, p50: 0, p99: 0, p999: 0, max: 0 });
});

it('memory is flat as long as it is about what it was', () => {
  const memory = (heap: number) => ({ heap, external: 10, rss: 0, l1: 0, l1Entries: 0 });
  expect([
    isFlat(memory(90), memory(99)),
    isFlat(memory(90), memory(110)),
    isFlat(memory(90), memory(110), 20),
  ]).toEqual([true, false, true]);
});

it('a report says what was required, whether it is so, and what was seen', () => {
  const text = report([{ claim: 'nothing fails', met: false, seen: '2 of 9' }], { reads: { ok: 7, failed: 2 } });
  expect(text).toBe('  NOT  nothing fails: 2 of 9\n       reads: ok 7, failed 2');
});
