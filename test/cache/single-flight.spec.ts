import { SingleFlight } from '../../src/cache/testing.js';

/** A load that ends when it is told to. */
function controlled(): { readonly loads: (() => void)[]; load: (closeToJoiners: () => void) => Promise<number> } {
  const loads: (() => void)[] = [];
  return {
    loads,
    load: (closeToJoiners) => {
      closeToJoiners();
      const n = loads.length + 1;
      return new Promise((resolve) => loads.push(() => resolve(n)));
    },
  };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a single flight', () => {
  it('is joined by everybody who comes before it departs', async () => {
    const flights = new SingleFlight<number>();
    const { loads, load } = controlled();
    const calls = [flights.run('k', load), flights.run('k', load), flights.run('k', load)];
    await turn();
    loads[0]!();
    expect(await Promise.all(calls.map(({ result }) => result))).toEqual([1, 1, 1]);
    expect(calls.map(({ joined }) => joined)).toEqual([false, true, true]);
    expect(loads).toHaveLength(1);
  });

  it('is never joined after it has departed: latecomers share one successor that begins afresh', async () => {
    const flights = new SingleFlight<number>();
    const { loads, load } = controlled();
    const first = flights.run('k', load);
    await turn();
    const late = [flights.run('k', load), flights.run('k', load)];
    await turn();
    expect(loads).toHaveLength(1);
    loads[0]!();
    await first.result;
    await turn();
    expect(loads).toHaveLength(2);
    loads[1]!();
    expect(await Promise.all(late.map(({ result }) => result))).toEqual([2, 2]);
    expect(late.map(({ joined }) => joined)).toEqual([false, true]);
  });

  it('shares a failure with those who joined it, and with nobody after', async () => {
    const flights = new SingleFlight<number>();
    const failing = flights.run('k', () => Promise.reject(new Error('down')));
    const joined = flights.run('k', () => Promise.resolve(1));
    await expect(failing.result).rejects.toThrow('down');
    await expect(joined.result).rejects.toThrow('down');
    await expect(flights.run('k', () => Promise.resolve(2)).result).resolves.toBe(2);
  });

  it('starts the successor of a flight that failed', async () => {
    const flights = new SingleFlight<number>();
    let fail = (): void => undefined;
    const first = flights.run('k', (closeToJoiners) => {
      closeToJoiners();
      return new Promise((_, reject) => (fail = () => reject(new Error('down'))));
    });
    await turn();
    const late = flights.run('k', () => Promise.resolve(7));
    fail();
    await expect(first.result).rejects.toThrow('down');
    await expect(late.result).resolves.toBe(7);
  });

  it('keeps keys apart and remembers nothing', async () => {
    const flights = new SingleFlight<string>();
    const results = ['a', 'b'].map((key) => flights.run(key, () => Promise.resolve(key)).result);
    expect(await Promise.all(results)).toEqual(['a', 'b']);
    expect(await flights.run('a', () => Promise.resolve('again')).result).toBe('again');
  });
});
