import { memoize } from './memoize.js';

describe('what has been made of a value', () => {
  it('is made once, and again when too many others came between', () => {
    const make = jest.fn((n: number) => ({ n }));
    const of = memoize(make, 3);
    expect(of(1)).toBe(of(1));
    [2, 3, 1].forEach(of);
    expect(make).toHaveBeenCalledTimes(3);
    of(4);
    expect(of(1)).toEqual({ n: 1 });
    expect(make).toHaveBeenCalledTimes(5);
  });
});
